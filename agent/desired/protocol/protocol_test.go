package protocol

import (
	"bytes"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/helmfile-agent/helmfile-agent/agent/child"
	"github.com/helmfile-agent/helmfile-agent/agent/exit"
	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

// passed is what arrives of a message.
func passed(t *testing.T, said Message) Message {
	t.Helper()
	var wire bytes.Buffer
	if err := child.NewWriter(&wire).Send(said); err != nil {
		t.Fatal(err)
	}
	var heard Message
	if err := child.NewReader(&wire, MaxStream).Next(&heard); err != nil {
		t.Fatal(err)
	}
	return heard
}

func TestReleasesArriveAsTheyWere(t *testing.T) {
	want := []release.Desired{{
		Key: release.Key{Namespace: "shop", Name: "web"}, State: release.Installed, File: "helmfile.yaml", Stage: 2,
		Needs: []release.Key{{Namespace: "shop", Name: "db"}}, Labels: map[string]string{"a": "b"},
		Chart: release.Chart{Ref: "web", Repository: &release.Repository{Name: "r", URL: "https://charts.example", Password: "p"}},
		Values: map[string]any{
			"int": int64(1), "negative": int64(-7), "float": float64(1), "large": float64(1e6), "text": "1", "yes": true, "none": nil,
			"list": []any{int64(1), 1.5, nil, map[string]any{}}, "empty": map[string]any{}, "emptyList": []any{},
		},
		Options: release.Options{Timeout: 90 * time.Second, Labels: map[string]string{"x": "y"}},
	}}
	got, err := passed(t, Message{Answer: Loaded(want, []string{"one"})}).Answer.Open()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestErrorsArriveWithTheirCodes(t *testing.T) {
	answer := passed(t, Message{Answer: Failed(exit.With(exit.SecretsUnreadable, errors.New("no key")))}).Answer
	_, err := answer.Open()
	if exit.Of(err) != exit.SecretsUnreadable || err.Error() != "no key" {
		t.Errorf("got %v with %v", err, exit.Of(err))
	}
	broken := passed(t, Message{Answer: Loaded([]release.Desired{{Broken: errors.New("no such patch")}}, nil)}).Answer
	if got, err := broken.Open(); err != nil || fmt.Sprint(got[0].Broken) != "no such patch" {
		t.Errorf("got %v, %v", got, err)
	}
}
