package drift

import (
	"fmt"
	"reflect"
	"slices"

	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/third_party/forked/golang/json"
)

// schema is what Kubernetes' Go types say about merging a field. The zero schema, as of all custom resources, merges maps and
// replaces lists.
type schema struct {
	of          reflect.Type // of the field; nil when nothing is known
	merges      bool         // a list that others may add to
	mergeKey    string       // what tells elements of such a list apart; empty for plain values
	retainsKeys bool         // an object that must not keep other keys once it changes, because they exclude each other
}

func schemaOf(typed runtime.Object) schema {
	if typed == nil {
		return schema{}
	}
	return schema{of: reflect.TypeOf(typed)}
}

func (s schema) field(name string) schema {
	if s.of == nil {
		return schema{}
	}
	if s.of.Kind() == reflect.Map {
		return schema{of: s.of.Elem()}
	}
	of, strategies, mergeKey, err := json.LookupPatchMetadataForStruct(s.of, name)
	if err != nil {
		return schema{}
	}
	return schema{
		of:          of,
		merges:      slices.Contains(strategies, "merge"),
		mergeKey:    mergeKey,
		retainsKeys: slices.Contains(strategies, "retainKeys"),
	}
}

// element is the schema of a list's elements.
func (s schema) element() schema {
	if s.of == nil || s.of.Kind() != reflect.Slice {
		return schema{}
	}
	return schema{of: s.of.Elem(), retainsKeys: s.retainsKeys}
}

// same says whether two plain values mean the same: there are many ways to write a quantity.
func (s schema) same(want, live any) bool {
	if reflect.DeepEqual(want, live) {
		return true
	}
	if s.of != quantity && s.of != reflect.PointerTo(quantity) {
		return false
	}
	wanted, err := resource.ParseQuantity(fmt.Sprint(want))
	there, liveErr := resource.ParseQuantity(fmt.Sprint(live))
	return err == nil && liveErr == nil && wanted.Cmp(there) == 0
}

var quantity = reflect.TypeFor[resource.Quantity]()

// named says whether the elements of a list have names beside their keys.
func (s schema) named() bool {
	return s.mergeKey != "name" && s.element().field("name").of != nil
}
