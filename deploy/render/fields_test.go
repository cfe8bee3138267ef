package render

import (
	"reflect"
	"strings"
)

// fields are the names that a type's fields have in JSON.
func fields(of any) string {
	var names []string
	for _, field := range reflect.VisibleFields(reflect.TypeOf(of)) {
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		names = append(names, name)
	}
	return strings.Join(names, " ")
}
