package release

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// FuzzDecodeState states that no text makes the decoder panic, and that what it understands is written and read again
// without a change. Others can write the ConfigMap that holds the text.
func FuzzDecodeState(f *testing.F) {
	for _, text := range []string{"", "{}", `{"version":1}`, `{"version":2}`, `{"version":1,"marks":[{"namespace":"shop","name":"lost","since":"2026-03-01T12:00:00.5Z"}]}`,
		`{"version":1,"needs":{"shop/web":[{"namespace":"data","name":"db"}]},"corrected":{"x":3},"records":{"shop/web":{"revision":3,"digest":"abc"}}}`,
		`{"version":1,"marks":[{"since":"9999-12-31T23:59:59-23:59","runs":-1}]}`, `{"version":1,"namespaces":[null,"\ud800"]}`} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		state, err := DecodeState(text)
		if err != nil {
			if diff := cmp.Diff(InstanceState{}, state); diff != "" {
				t.Errorf("an error comes with content: %s", diff)
			}
			return
		}
		encoded, err := state.Encode()
		if err != nil || len(encoded) > MaxStateBytes {
			t.Fatalf("%q cannot be written again: %d bytes, %v", text, len(encoded), err)
		}
		if len(text) > MaxStateBytes/8 {
			return // written with escapes it may be too long, and is shortened
		}
		again, err := DecodeState(encoded)
		if diff := cmp.Diff(state, again, cmpopts.EquateEmpty()); diff != "" || err != nil {
			t.Errorf("%q is read another time as something else: %v %s", text, err, diff)
		}
	})
}
