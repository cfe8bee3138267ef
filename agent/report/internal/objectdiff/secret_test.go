package objectdiff

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"
)

func TestMaskSecrets(t *testing.T) {
	for name, c := range map[string]struct{ stored, rendered, wantStored, wantRendered string }{
		"a value that differs has a mask for each side": {
			"{kind: Secret, data: {a: eA==}}", "{kind: Secret, data: {a: eHl6}}",
			"{kind: Secret, data: {a: '-------- # (1 bytes)'}}", "{kind: Secret, data: {a: '++++++++ # (3 bytes)'}}"},
		"equal values look the same": {
			"{kind: Secret, stringData: {a: four}}", "{kind: Secret, stringData: {a: four}}",
			"{kind: Secret, stringData: {a: '******** # (4 bytes)'}}", "{kind: Secret, stringData: {a: '******** # (4 bytes)'}}"},
		"the size of a value that is not base64": {
			"{kind: Secret, data: {a: '!?', b: 7, c: null}}", "null",
			"{kind: Secret, data: {a: '-------- # (2 bytes)', b: '-------- # (1 bytes)', c: '-------- # (0 bytes)'}}", "null"},
		"malformed data is hidden as a whole": {
			"null", "{kind: Secret, data: [hidden]}",
			"null", "{kind: Secret, data: '++++++++ # (8 bytes)'}"},
		"a Secret of another API group": {
			"null", "{apiVersion: example.org/v1, kind: Secret, data: {a: eA==}}",
			"null", "{apiVersion: example.org/v1, kind: Secret, data: {a: '++++++++ # (1 bytes)'}}"},
		"Secrets in a list": {
			"{kind: List, items: [{kind: Secret, data: {a: eA==}}, {kind: ConfigMap, data: {a: b}}]}", "{kind: List, items: []}",
			"{kind: List, items: [{kind: Secret, data: {a: '-------- # (1 bytes)'}}, {kind: ConfigMap, data: {a: b}}]}", "{kind: List, items: []}"},
		"items of a SecretList without a kind": {
			"null", "{kind: SecretList, items: [{data: {a: eA==}}]}",
			"null", "{kind: SecretList, items: [{data: {a: '++++++++ # (1 bytes)'}}]}"},
		"other kinds are shown": {
			"{kind: ConfigMap, data: {a: b}}", "{kind: AllowList, data: {a: b}}",
			"{kind: ConfigMap, data: {a: b}}", "{kind: AllowList, data: {a: b}}"},
	} {
		t.Run(name, func(t *testing.T) {
			stored, rendered := parsed(t, c.stored), parsed(t, c.rendered)
			gotStored, gotRendered := maskSecrets(stored, rendered)
			if diff := cmp.Diff([]any{parsed(t, c.wantStored), parsed(t, c.wantRendered)}, reencode(t, gotStored, gotRendered)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if diff := cmp.Diff([]any{parsed(t, c.stored), parsed(t, c.rendered)}, []any{stored, rendered}); diff != "" {
				t.Errorf("the input was changed:\n%s", diff)
			}
		})
	}
}

func parsed(t *testing.T, text string) map[string]any {
	t.Helper()
	var content map[string]any
	if err := yaml.Unmarshal([]byte(text), &content); err != nil {
		t.Fatal(err)
	}
	return content
}

// reencode encodes and decodes the sides, so that they have the types of decoded values.
func reencode(t *testing.T, sides ...map[string]any) []any {
	t.Helper()
	var out []any
	for _, side := range sides {
		text, err := json.Marshal(side)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, parsed(t, string(text)))
	}
	return out
}
