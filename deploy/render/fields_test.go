package render

import (
	"reflect"
	"strings"
)

// fields returns the JSON names of a type's fields.
func fields(of any) string {
	var names []string
	for _, field := range reflect.VisibleFields(reflect.TypeOf(of)) {
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		names = append(names, name)
	}
	return strings.Join(names, " ")
}
