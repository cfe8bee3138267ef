package report

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"github.com/helmfile-agent/helmfile-agent/agent/apply"
	"github.com/helmfile-agent/helmfile-agent/agent/plan"
	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

// manifest parses YAML documents as a chart renders them.
func manifest(t *testing.T, documents string) release.Manifest {
	t.Helper()
	var objects release.Manifest
	for document := range strings.SplitSeq(documents, "---\n") {
		var content map[string]any
		if err := yaml.Unmarshal([]byte(document), &content); err != nil {
			t.Fatal(err)
		}
		objects = append(objects, object(content))
	}
	objects.Sort()
	return objects
}

func object(content map[string]any) release.Object {
	metadata, _ := content["metadata"].(map[string]any)
	text := func(in map[string]any, key string) string { s, _ := in[key].(string); return s }
	annotations, _ := metadata["annotations"].(map[string]any)
	return release.Object{
		ObjectKey: release.ObjectKey{APIVersion: text(content, "apiVersion"), Kind: text(content, "kind"),
			Namespace: text(metadata, "namespace"), Name: text(metadata, "name")},
		Hook:    annotations["helm.sh/hook"] != nil,
		Content: content,
	}
}

const webBefore = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec: {replicas: 2, template: {spec: {containers: [{name: web, image: "web:1.2.3"}]}}}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: gone}
data: {a: b}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {ports: [{port: 80}]}
---
apiVersion: v1
kind: Secret
metadata:
  name: web
  annotations:
    kubectl.kubernetes.io/last-applied-configuration: '{"data":{"password":"aHVudGVyMg=="}}'
data: {password: aHVudGVyMg==, same: c2FtZQ==, dropped: eA==}
---
apiVersion: batch/v1
kind: Job
metadata: {name: migrate, annotations: {helm.sh/hook: pre-upgrade}}
spec: {backoffLimit: 1}
`

const webAfter = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec: {replicas: 3, template: {spec: {containers: [{name: web, image: "web:1.3.0"}]}}}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: new, namespace: other}
data: {a: b}
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop}
spec: {ports: [{port: 80}]}
---
apiVersion: v1
kind: Secret
metadata: {name: web}
data: {password: Y29ycmVjdCBob3JzZQ==, same: c2FtZQ==}
stringData: {token: s3cr3t}
---
apiVersion: batch/v1
kind: Job
metadata: {name: migrate, annotations: {helm.sh/hook: pre-upgrade}}
spec: {backoffLimit: 2}
`

func diffReport(t *testing.T) Report {
	report := everyStatus()
	report.Command = Diff
	for i := range report.Outcomes {
		o := &report.Outcomes[i]
		o.Result, o.Revision = "", 0
		if o.Verb != plan.Refuse {
			o.Err = nil
		}
		switch o.Name {
		case "web":
			o.Have.Manifest, o.Next.Manifest = manifest(t, webBefore), manifest(t, webAfter)
		case "cache", "old", "stale":
			one := manifest(t, "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata: {ttl: 5m}\n")
			if o.Next != nil {
				o.Next.Manifest = one
			} else {
				o.Have.Manifest = one
			}
		}
	}
	return report
}

func TestWriteDiff(t *testing.T) {
	report := diffReport(t)
	golden(t, "diff.txt", written(t, func(out *bytes.Buffer) error { return report.WriteDiff(out, Style{}) }))
	golden(t, "diff-color.txt", written(t, func(out *bytes.Buffer) error { return report.WriteDiff(out, Style{Color: true}) }))
	golden(t, "planned.txt", written(t, func(out *bytes.Buffer) error { return report.WriteText(out, Style{}) }))
}

func TestObjectsOfAnUnrenderedReleaseAreNotShownAsRemoved(t *testing.T) {
	observed := have(1, "web", "1.0.0")
	observed.Manifest = manifest(t, webBefore)
	got, err := Report{}.objectDiffs(apply.Outcome{Step: plan.Step{Key: shop("web"), Verb: plan.Upgrade, Have: observed}}, Style{})
	if err != nil || got != "    (not rendered: its objects cannot be compared)" {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestValuesOfSecretsAreNeverShown(t *testing.T) {
	for range 300 {
		var values []string
		report := Report{Command: Diff, Outcomes: []apply.Outcome{{Step: plan.Step{
			Key: shop("web"), Verb: []plan.Verb{plan.Install, plan.Upgrade, plan.Uninstall, plan.Prune, plan.Adopt}[rand.IntN(5)],
			Have: &release.Observed{Manifest: randomSecrets(&values)}, Next: &release.Rendered{Manifest: randomSecrets(&values)},
		}}}}
		out := string(written(t, func(out *bytes.Buffer) error { return report.WriteDiff(out, Style{}) }))
		for _, value := range values {
			if strings.Contains(out, value) || strings.Contains(out, base64.StdEncoding.EncodeToString([]byte(value))) {
				t.Fatalf("%q is in\n%s", value, out)
			}
		}
	}
}

// randomSecrets are up to four Secrets. Some of their values are new and some were used before.
func randomSecrets(values *[]string) release.Manifest {
	var objects release.Manifest
	for i := range rand.IntN(5) {
		secret := map[string]any{"apiVersion": "v1", "kind": "Secret"}
		data, stringData := map[string]any{}, map[string]any{}
		for _, key := range []string{"a", "b", "c"}[:rand.IntN(4)] {
			data[key] = base64.StdEncoding.EncodeToString([]byte(randomValue(values)))
			stringData[key+key] = randomValue(values)
		}
		applied := map[string]any{"kubectl.kubernetes.io/last-applied-configuration": "was " + randomValue(values), "plain": "shown"}
		secret["metadata"] = map[string]any{"name": fmt.Sprint("s", i), "annotations": applied}
		secret["data"], secret["stringData"] = data, stringData
		objects = append(objects, object(secret))
	}
	return objects
}

func randomValue(values *[]string) string {
	if len(*values) > 0 && rand.IntN(2) == 0 {
		return (*values)[rand.IntN(len(*values))]
	}
	value := fmt.Sprintf("v%08xß%d", rand.Uint32(), rand.IntN(1000))
	*values = append(*values, value)
	return value
}
