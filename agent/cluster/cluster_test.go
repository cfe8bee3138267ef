package cluster

import (
	"reflect"
	"slices"
	"testing"

	"github.com/helmfile-agent/helmfile-agent/agent/cluster/internal/action"
	"github.com/helmfile-agent/helmfile-agent/agent/cluster/internal/kube"
	"github.com/helmfile-agent/helmfile-agent/agent/cluster/internal/live"
	"github.com/helmfile-agent/helmfile-agent/agent/cluster/internal/state"
)

// TestAReaderLeadsToNoWriter: code that holds a Reader, such as the diff command, cannot write. No method returns a type that writes,
// and other packages reach no field.
func TestAReaderLeadsToNoWriter(t *testing.T) {
	writers := []reflect.Type{
		reflect.TypeFor[*Writer](), reflect.TypeFor[*kube.Connection](), reflect.TypeFor[*action.Releases](), reflect.TypeFor[*state.Store](),
		reflect.TypeFor[live.Corrector](),
	}
	reader := reflect.TypeFor[*Reader]()
	for i := range reader.NumMethod() {
		method := reader.Method(i)
		for j := range method.Type.NumOut() {
			if out := method.Type.Out(j); slices.Contains(writers, out) {
				t.Errorf("Reader.%s answers with %s", method.Name, out)
			}
		}
	}
	for i := range reader.Elem().NumField() {
		if field := reader.Elem().Field(i); field.IsExported() || field.Anonymous {
			t.Errorf("the field Reader.%s can be reached from outside", field.Name)
		}
	}
}
