package render

import (
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/debug"

	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/engine"
	"helm.sh/helm/v3/pkg/releaseutil"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/yaml"

	"github.com/helmfile-agent/helmfile-agent/agent/broker"
	"github.com/helmfile-agent/helmfile-agent/agent/child"
	"github.com/helmfile-agent/helmfile-agent/agent/sandbox"
)

// Name is what the agent's binary is called by when it renders charts.
const Name = "helmfile-agent-renderer"

// Main confines this process, and renders one chart after another until stdin is closed. It returns the exit code of the process.
func Main(stdin io.Reader, stdout io.Writer) int {
	os.Stdout = os.Stderr // only answers go to the agent
	in, out := child.NewReader(stdin, child.Trusted), child.NewWriter(stdout, bounds)
	var told settings
	if err := in.Next(&told); err != nil {
		return failure(err)
	}
	confined := confine(told)
	agent := broker.Dial(told.Workspace)
	cluster := &rest.Config{Host: agent.Kubernetes(), Dial: agent.DialContext, QPS: -1}
	for task := range tasks(in) {
		said := answer{Failed: true}
		if confined != nil {
			said.Reason = confined.Error()
		} else {
			said = perform(task, cluster)
		}
		said.Spent = spent(told.Memory)
		err := out.Send(said)
		if errors.Is(err, child.ErrTooMuch) {
			err = out.Send(answer{Failed: true, Reason: err.Error(), Spent: said.Spent})
		}
		if err != nil {
			return failure(err)
		}
	}
	return 0
}

func failure(err error) int {
	if errors.Is(err, io.EOF) {
		return 0 // the agent has ended
	}
	fmt.Fprintln(os.Stderr, "renderer:", err)
	return 1
}

// tasks arrive one by one. The process ends when the agent closes the pipe, also while it renders.
func tasks(in *child.Reader) <-chan task {
	all := make(chan task)
	go func() {
		for {
			var next task
			if err := in.Next(&next); err != nil {
				os.Exit(failure(err))
			}
			all <- next
		}
	}()
	return all
}

// spent says whether what was rendered so far leaves the next chart less memory than it may use.
func spent(memory int64) bool {
	var used runtime.MemStats
	runtime.ReadMemStats(&used)
	return memory > 0 && used.HeapSys > uint64(memory)/4
}

// names is what the function getHostByName needs. Helm calls it only for releases with enableDNS.
var names = []string{"/etc/resolv.conf", "/etc/hosts", "/etc/nsswitch.conf", "/etc/host.conf"}

const dns = 53

func confine(told settings) error {
	proxy := fmt.Sprintf("http://127.0.0.1:%d", told.Proxy)
	for _, name := range []string{"HTTP_PROXY", "HTTPS_PROXY"} { // schemas of values may lie on hosts that allowRemote lists
		if err := os.Setenv(name, proxy); err != nil {
			return err
		}
	}
	rules := sandbox.Rules{
		Read:   append(append(names, told.Readable...), sandbox.System...),
		Ports:  append([]int{told.Proxy, dns}, told.Ports...),
		Memory: told.Memory,
	}
	if told.Memory > 0 {
		debug.SetMemoryLimit(told.Memory / 4 * 3) // past it, collecting garbage may still make room
	}
	_, err := sandbox.Confine(told.Sandbox, rules)
	return err
}

// perform does what Helm does between the processing of dependencies and the sorting of manifests.
func perform(t task, cluster *rest.Config) answer {
	c := t.Chart.chart()
	values, err := chartutil.ToRenderValuesWithSchemaValidation(c, t.Values, t.Release, t.Capabilities, t.SkipSchemaValidation)
	if err != nil {
		return answer{Failed: true, Reason: err.Error()}
	}
	e := engine.New(cluster)
	e.EnableDNS = t.EnableDNS
	texts, err := e.Render(c, values)
	if err != nil {
		return answer{Failed: true, Reason: err.Error()}
	}
	var said answer
	for name, text := range texts {
		said.Files = append(said.Files, File{Name: []byte(name), Data: []byte(text)})
	}
	decodeLarge(texts)
	return said
}

// muchText is from how many bytes on YAML may need hundreds of megabytes when it is decoded.
const muchText = 1 << 20

// decodeLarge decodes large manifests as the agent will, so that those that need too much memory end this process and not the agent.
func decodeLarge(texts map[string]string) {
	total := 0
	for _, text := range texts {
		total += len(text)
	}
	if total < muchText {
		return
	}
	var kept []any
	for _, text := range texts {
		for _, document := range releaseutil.SplitManifests(text) {
			var decoded any
			if yaml.Unmarshal([]byte(document), &decoded) == nil { // Helm says what is wrong with it
				kept = append(kept, decoded)
			}
		}
	}
	_ = kept
}
