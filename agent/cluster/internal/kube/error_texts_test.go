package kube

import (
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// These tests fail when a library changes the words that this package looks for. docs/error-texts.md lists them.

func TestTheMappersWordsForAnUnknownKind(t *testing.T) {
	_, err := meta.NewDefaultRESTMapper(nil).RESTMapping(schema.GroupKind{Group: "example.com", Kind: "One"}, "v1")
	if err == nil || !IsNoSuchKind(err) {
		t.Errorf("not recognized: %v", err)
	}
}

// The API server reports a patch that it cannot apply this way: the object is in the message.
func TestTheAPIServersWayToRepeatAnObject(t *testing.T) {
	const object = `{"kind":"Secret","data":{"password":"b3Blbg=="}}`
	refusal := field.Invalid(field.NewPath("patch"), object, "json: cannot unmarshal")
	err := apierrors.NewInvalid(schema.GroupKind{}, "", field.ErrorList{refusal})
	if !strings.Contains(err.Error(), "b3Blbg") {
		t.Fatalf("the library repeats no objects any more: %v", err)
	}
	if got := Redact(err).Error(); strings.Contains(got, "b3Blbg") || !strings.Contains(got, "(the object): json: cannot unmarshal") {
		t.Errorf("got %s", got)
	}
}
