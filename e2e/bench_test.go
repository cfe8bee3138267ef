package e2e

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// BenchmarkStart is what every process costs before it does anything, helm and kustomize for helmfile among them.
func BenchmarkStart(b *testing.B) {
	for b.Loop() {
		if err := exec.Command(filepath.Join(binaries, "helmfile-agent"), "version").Run(); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkNothingToDo is a whole run, process start and clone included, that finds every release as declared.
func BenchmarkNothingToDo(b *testing.B) {
	for _, releases := range []int{1, 10, 100} {
		b.Run(fmt.Sprintf("releases=%d", releases), func(b *testing.B) {
			u := newTenant(b)
			repo := newRepository(b, manyReleases(releases))
			u.converge("--repo", repo.url)
			for b.Loop() {
				u.converge("--repo", repo.url)
			}
		})
	}
}

// manyReleases is a helmfile with n releases of one small chart.
func manyReleases(n int) map[string]string {
	var helmfile strings.Builder
	helmfile.WriteString("releases:\n")
	for i := range n {
		fmt.Fprintf(&helmfile, "- {name: app-%03d, chart: ./chart, values: [{answer: %d}]}\n", i, i)
	}
	return map[string]string{
		"helmfile.yaml":            helmfile.String(),
		"chart/Chart.yaml":         "apiVersion: v2\nname: app\nversion: 1.0.0\n",
		"chart/templates/all.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: {{ .Release.Name }}}\ndata: {answer: {{ .Values.answer | quote }}}\n",
	}
}
