package unsupported

import "testing"

func TestIsState(t *testing.T) {
	for content, want := range map[string]bool{
		"helmBinary: ./run.sh\n":                                  true,
		"helmBinary: ./run.sh\ncommonLabels: {a: b}\n":            true,
		"kustomizeBinary: x\nreplicas: 2\nreleases:\n- name: a\n": true,
		"{{ $x := 1 }}\nhelmBinary: x\n---\nvalues: []\n":         true,
		"kustomizeBinary: /usr/bin/kustomize\nreplicas: 2\n":      false,
		"image:\n  releases: 1\nhelmBinary: helm\n":               false,
	} {
		if got := isState(content); got != want {
			t.Errorf("%q: got %v", content, got)
		}
	}
}
