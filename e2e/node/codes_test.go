//go:build linux

package node

import (
	"context"
	"net"
	"strings"
	"testing"
	"time"

	coordination "k8s.io/api/coordination/v1"
	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/helmfile-agent/helmfile-agent/e2e/cluster"
)

// TestExitCodes checks every exit code of runs in Jobs with one retry. Kubernetes must not retry a run whose exit code says that a retry
// cannot help.
func TestExitCodes(t *testing.T) {
	t.Parallel()
	for title, c := range exitCodes {
		t.Run(title, func(t *testing.T) {
			t.Parallel()
			c.tell(newTestNamespace(t))
		})
	}
}

const (
	notRetried = "Failed(PodFailurePolicy)"     // not tried again, because of the exit code
	tried      = "Failed(BackoffLimitExceeded)" // tried as often as the user allowed
)

// exitCase is a run with its expected exit code and the expected result of the Job.
type exitCase struct {
	prepare func(*testNamespace) // called before the installation; commits a good helmfile if nil
	values  values
	then    func(*agent) // called after the installation and before the run
	want    string
	says    string // expected text in the termination message
}

var twice = values{"job": values{"backoffLimit": 1}}

var exitCodes = map[string]exitCase{
	"a setting that is wrong": {
		values: values{"extraEnv": []values{{"name": "HELMFILE_AGENT_TIMEOUT", "value": "soon"}}},
		want:   notRetried + " [10]", says: "HELMFILE_AGENT_TIMEOUT",
	},
	"a repository that is not there": {
		values: values{"config": values{"repo": "https://10.244.0.1:1/config.git"}},
		want:   tried + " [11 11]", says: "10.244.0.1:1",
	},
	"a password that is wrong": {
		prepare: func(p *testNamespace) {
			p.declares(web)
			p.secret("wrong", core.SecretTypeOpaque, map[string]string{"username": username, "password": "sesame", "ca.crt": string(outside.git.CA)})
		},
		values: values{"git": values{"existingSecret": "wrong"}},
		want:   notRetried + " [12]", says: "credentials",
	},
	"a helmfile that does not load": {
		prepare: func(p *testNamespace) {
			p.commit(map[string]string{"helmfile.yaml": "releases: [{name: web, chrat: ./chart}]\n"}, "mistyped")
		},
		want: notRetried + " [14]", says: "helmfile.yaml",
	},
	"a secret without its key": {
		prepare: func(p *testNamespace) {
			p.declares("- {name: web, chart: ./chart, secrets: [secret.yaml]}\n")
			p.commit(map[string]string{"secret.yaml": encryptedForLostKey}, "a secret")
		},
		want: notRetried + " [15]", says: "secret.yaml",
	},
	"an API server that does not answer": {
		values: values{"extraEnv": []values{{"name": "KUBERNETES_SERVICE_PORT", "value": "1"}}},
		want:   tried + " [16 16]", says: "10.96.0.1:1",
	},
	"a right that is missing": {
		values: values{"rbac": values{"kinds": []string{"services"}}},
		want:   notRetried + " [17]", says: "configmaps",
	},
	"a release that fails": {
		prepare: func(p *testNamespace) { p.declares(db, refused) },
		want:    tried + " [18 18]", says: "web",
	},
	"an emptied helmfile": {
		prepare: func(p *testNamespace) { p.declares(web, db) },
		then: func(a *agent) {
			a.converges("full")
			a.declares()
		},
		want: notRetried + " [19]", says: "declares no releases",
	},
	"another run's lock": {
		then: holdLock,
		want: tried + " [20 20]", says: "somebody-else",
	},
	"a repository that does not answer": {
		then: func(a *agent) {
			a.upgrade(twice, values{"config": values{"timeout": "5s", "repo": "https://" + unresponsiveServer(a.t) + "/config.git"}})
		},
		want: tried + " [21 21]", says: "did not end within 5s",
	},
}

func (c exitCase) tell(p *testNamespace) {
	if c.prepare == nil {
		c.prepare = func(p *testNamespace) { p.declares(web) }
	}
	c.prepare(p)
	a := p.install("gitops", twice, c.values)
	if c.then != nil {
		c.then(a)
	}
	o := a.run("run")
	if o.String() != c.want || !strings.Contains(o.message, c.says) {
		p.t.Errorf("%s, want %s; the termination message, which should say %q:\n%s", o, c.want, c.says, o.message)
	}
}

// TestRetry checks that Kubernetes retries a temporary failure if the user allows it.
func TestRetry(t *testing.T) {
	t.Parallel()
	p := newTestNamespace(t)
	p.declares(web)
	a := p.install("gitops", twice)
	holdLock(a)
	job := a.begin("run")
	a.eventually("the first try ends", runTimeout, func(context.Context) bool {
		tries := a.pods(job)
		return len(tries) > 0 && agentState(tries[0]) != nil
	})
	a.must(a.client.CoordinationV1().Leases(a.namespace).Delete(t.Context(), a.fullname(), meta.DeleteOptions{}))
	if o := a.ended(job); o.String() != "Complete [20 0]" {
		t.Errorf("%s: %s", o, o.message)
	}
	a.has("web 1")
}

// unresponsiveServer returns the address of a server that accepts connections and never answers.
func unresponsiveServer(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", net.JoinHostPort(cluster.BridgeAddress.String(), "0"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() }) // an error does not matter at the end of a test
	return listener.Addr().String()
}

// holdLock writes the Lease like another run that has just renewed it.
func holdLock(a *agent) {
	holder, seconds, now := "somebody-else", int32(3600), meta.NewMicroTime(time.Now())
	lease := &coordination.Lease{
		ObjectMeta: meta.ObjectMeta{Name: a.fullname(), Labels: map[string]string{
			"app.kubernetes.io/managed-by": "helmfile-agent", "helmfile-agent.github.io/instance": a.fullname(),
		}},
		Spec: coordination.LeaseSpec{HolderIdentity: &holder, LeaseDurationSeconds: &seconds, AcquireTime: &now, RenewTime: &now},
	}
	_, err := a.client.CoordinationV1().Leases(a.namespace).Create(a.t.Context(), lease, meta.CreateOptions{})
	a.must(err)
}

// encryptedForLostKey is a file of sops whose age key does not exist any more.
const encryptedForLostKey = `password: ENC[AES256_GCM,data:Tm90aGluZw==,iv:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=,tag:AAAAAAAAAAAAAAAAAAAAAA==,type:str]
sops:
    age:
        - recipient: age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p
          enc: |
            -----BEGIN AGE ENCRYPTED FILE-----
            YWdlLWVuY3J5cHRpb24ub3JnL3YxCi0+IFgyNTUxOSBub3RoaW5n
            -----END AGE ENCRYPTED FILE-----
    lastmodified: "2026-01-01T00:00:00Z"
    mac: ENC[AES256_GCM,data:Tm90aGluZw==,iv:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=,tag:AAAAAAAAAAAAAAAAAAAAAA==,type:str]
    version: 3.13.3
`
