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

// Name is the name of the agent's binary when it runs as a renderer.
const Name = "helmfile-agent-renderer"

// Main is the main function of a renderer. It confines the process, and renders one chart after another until stdin is closed. It
// returns the exit code.
func Main(stdin io.Reader, stdout io.Writer) int {
	os.Stdout = os.Stderr // the original stdout is only for answers to the agent
	in, out := child.NewReader(stdin, child.Trusted), child.NewWriter(stdout, bounds)
	var setup settings
	if err := in.Next(&setup); err != nil {
		return exitCode(err)
	}
	confineErr := confine(setup)
	agent := broker.Dial(setup.Workspace)
	cluster := &rest.Config{Host: agent.Kubernetes(), Dial: agent.DialContext, QPS: -1}
	for task := range tasks(in) {
		var result answer
		if confineErr != nil {
			result = failed(confineErr)
		} else {
			result = perform(task, cluster)
		}
		result.Exhausted = exhausted(setup.Memory)
		err := out.Send(result)
		if errors.Is(err, child.ErrTooMuch) {
			tooLarge := failed(err)
			tooLarge.Exhausted = result.Exhausted
			err = out.Send(tooLarge)
		}
		if err != nil {
			return exitCode(err)
		}
	}
	return 0
}

func failed(err error) answer { return answer{Failed: true, Reason: err.Error()} }

// exitCode reports the error that ends the process, unless the agent has closed stdin.
func exitCode(err error) int {
	if errors.Is(err, io.EOF) {
		return 0 // the agent has closed stdin, or has ended
	}
	fmt.Fprintln(os.Stderr, "renderer:", err)
	return 1
}

// tasks receives the tasks one by one. It ends the process when the agent closes the pipe, also while a chart is being rendered.
func tasks(in *child.Reader) <-chan task {
	all := make(chan task)
	go func() {
		for {
			var next task
			if err := in.Next(&next); err != nil {
				os.Exit(exitCode(err))
			}
			all <- next
		}
	}()
	return all
}

// exhausted says whether earlier charts use so much memory that the next chart may have too little.
func exhausted(memory int64) bool {
	var used runtime.MemStats
	runtime.ReadMemStats(&used)
	return memory > 0 && used.HeapSys > uint64(memory)/4
}

// resolverFiles are the files that the template function getHostByName needs. Helm offers it only to releases with enableDNS.
var resolverFiles = []string{"/etc/resolv.conf", "/etc/hosts", "/etc/nsswitch.conf", "/etc/host.conf"}

const dnsPort = 53

func confine(setup settings) error {
	proxy := fmt.Sprintf("http://127.0.0.1:%d", setup.Proxy)
	for _, name := range []string{"HTTP_PROXY", "HTTPS_PROXY"} { // a schema of values may be on a host in allowRemote
		if err := os.Setenv(name, proxy); err != nil {
			return err
		}
	}
	rules := sandbox.Rules{
		Read:   append(append(resolverFiles, setup.Readable...), sandbox.System...),
		Ports:  append([]int{setup.Proxy, dnsPort}, setup.Ports...),
		Memory: setup.Memory,
	}
	if setup.Memory > 0 {
		debug.SetMemoryLimit(setup.Memory / 4 * 3) // above it, Go collects garbage more often
	}
	_, err := sandbox.Confine(setup.Sandbox, rules)
	return err
}

// perform does the same as Helm between processing the dependencies and sorting the manifests.
func perform(t task, cluster *rest.Config) answer {
	c := t.Chart.chart()
	values, err := chartutil.ToRenderValuesWithSchemaValidation(c, t.Values, t.Release, t.Capabilities, t.SkipSchemaValidation)
	if err != nil {
		return failed(err)
	}
	e := engine.New(cluster)
	e.EnableDNS = t.EnableDNS
	texts, err := e.Render(c, values)
	if err != nil {
		return failed(err)
	}
	var result answer
	for name, text := range texts {
		result.Files = append(result.Files, File{Name: []byte(name), Data: []byte(text)})
	}
	decodeLarge(texts)
	return result
}

// largeText is the number of bytes from which decoding YAML may need hundreds of megabytes.
const largeText = 1 << 20

// decodeLarge decodes large manifests in the same way as the agent will. If they need too much memory, they end this process and not the
// agent.
func decodeLarge(texts map[string]string) {
	total := 0
	for _, text := range texts {
		total += len(text)
	}
	if total < largeText {
		return
	}
	var inMemory []any // as the agent will have them
	for _, text := range texts {
		for _, document := range releaseutil.SplitManifests(text) {
			var decoded any
			if yaml.Unmarshal([]byte(document), &decoded) == nil { // Helm reports invalid YAML later
				inMemory = append(inMemory, decoded)
			}
		}
	}
	runtime.KeepAlive(inMemory)
}
