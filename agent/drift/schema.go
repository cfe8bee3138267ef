package drift

import (
	"fmt"
	"reflect"
	"slices"

	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/third_party/forked/golang/json"
)

// schema says how to merge a field, according to Kubernetes' Go types. The zero schema merges maps and replaces lists. All custom
// resources have the zero schema.
type schema struct {
	goType      reflect.Type // the type of the field; nil when it is not known
	merges      bool         // other clients may add elements to the list
	mergeKey    string       // the field that identifies an element of such a list; empty for plain values
	retainsKeys bool         // when the object changes, its other keys must be removed, because the keys exclude each other
}

func schemaOf(typed runtime.Object) schema {
	if typed == nil {
		return schema{}
	}
	return schema{goType: reflect.TypeOf(typed)}
}

func (s schema) field(name string) schema {
	if s.goType == nil {
		return schema{}
	}
	if s.goType.Kind() == reflect.Map {
		return schema{goType: s.goType.Elem()}
	}
	goType, strategies, mergeKey, err := json.LookupPatchMetadataForStruct(s.goType, name)
	if err != nil {
		return schema{}
	}
	return schema{
		goType:      goType,
		merges:      slices.Contains(strategies, "merge"),
		mergeKey:    mergeKey,
		retainsKeys: slices.Contains(strategies, "retainKeys"),
	}
}

// element is the schema of the elements of a list.
func (s schema) element() schema {
	if s.goType == nil || s.goType.Kind() != reflect.Slice {
		return schema{}
	}
	return schema{goType: s.goType.Elem(), retainsKeys: s.retainsKeys}
}

// same says whether two plain values are equal. One quantity can be written in several forms.
func (s schema) same(want, live any) bool {
	if reflect.DeepEqual(want, live) {
		return true
	}
	if s.goType != quantity && s.goType != reflect.PointerTo(quantity) {
		return false
	}
	wanted, err := resource.ParseQuantity(fmt.Sprint(want))
	liveValue, liveErr := resource.ParseQuantity(fmt.Sprint(live))
	return err == nil && liveErr == nil && wanted.Cmp(liveValue) == 0
}

var quantity = reflect.TypeFor[resource.Quantity]()

// hasNames says whether the elements of a list have a name that is not their key.
func (s schema) hasNames() bool {
	return s.mergeKey != "name" && s.element().field("name").goType != nil
}
