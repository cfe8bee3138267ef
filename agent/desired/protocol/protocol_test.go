package protocol

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/helmfile-agent/helmfile-agent/agent/child"
	"github.com/helmfile-agent/helmfile-agent/agent/exit"
	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

// sendAndReceive returns what the agent receives when the loader sends the message.
func sendAndReceive(t *testing.T, sent Message) Message {
	t.Helper()
	var wire bytes.Buffer
	if err := child.NewWriter(&wire, Bounds).Send(sent); err != nil {
		t.Fatal(err)
	}
	var received Message
	if err := child.NewReader(&wire, Bounds).Next(&received); err != nil {
		t.Fatal(err)
	}
	return received
}

func TestReleasesArriveUnchanged(t *testing.T) {
	want := release.Desired{
		Key: release.Key{Namespace: "shop", Name: "web"}, State: release.Installed, File: "helmfile.yaml", Stage: 2,
		Needs: []release.Key{{Namespace: "shop", Name: "db"}}, Labels: map[string]string{"a": "b"},
		Chart: release.Chart{Ref: "web", Repository: &release.Repository{Name: "r", URL: "https://charts.example", Password: "p"}},
		Values: map[string]any{
			"int": int64(1), "negative": int64(-7), "float": float64(1), "large": float64(1e6), "text": "1", "yes": true, "none": nil,
			"list": []any{int64(1), 1.5, nil, map[string]any{}}, "empty": map[string]any{}, "emptyList": []any{},
		},
		Options: release.Options{Timeout: 90 * time.Second, Labels: map[string]string{"x": "y"}},
	}
	got := sendAndReceive(t, Message{Release: Pack(want)}).Release.Unpack()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	broken := sendAndReceive(t, Message{Release: Pack(release.Desired{Broken: errors.New("no such patch")})})
	if got := broken.Release.Unpack(); fmt.Sprint(got.Broken) != "no such patch" {
		t.Errorf("got %v", got)
	}
}

func TestAnswers(t *testing.T) {
	for name, test := range map[string]struct {
		answer *Answer
		want   string
		code   exit.Code
	}{
		"a success":                 {&Answer{Loaded: true}, "<nil>", exit.Converged},
		"a failure":                 {Failed(exit.With(exit.SecretsUnreadable, errors.New("no key"))), "no key", exit.SecretsUnreadable},
		"a failure with the code 0": {&Answer{Reason: "made up"}, "made up", exit.DesiredInvalid},
		"a code of another step":    {&Answer{Code: int(exit.Locked), Reason: "made up"}, "made up", exit.DesiredInvalid},
		"a code without a reason":   {&Answer{Code: 10}, "the process that reads the helmfile failed and gave no reason", exit.ConfigInvalid},
		"nothing":                   {&Answer{}, "the process that reads the helmfile failed and gave no reason", exit.DesiredInvalid},
		"a success with a reason":   {&Answer{Loaded: true, Reason: "made up"}, "made up", exit.DesiredInvalid},
	} {
		if err := sendAndReceive(t, Message{Answer: test.answer}).Answer.Err(); fmt.Sprint(err) != test.want || exit.Of(err) != test.code {
			t.Errorf("%s: got %v with %d", name, err, exit.Of(err))
		}
	}
}

func TestMessagesArriveUnchanged(t *testing.T) {
	for name, message := range map[string]Message{
		"a secret":             {Secret: "s3cret"},
		"a document":           {Secret: map[string]any{"password": "s3cret", "list": []any{"a", int64(1), nil}}},
		"a file of secrets":    {SecretFile: []byte("password: s3cret\n\xff\x00")},
		"a log line":           {Log: &LogLine{Level: 4, Message: "helmfile", Pairs: []string{"message", "no such file"}}},
		"the file being read":  {File: "apps/helmfile.yaml"},
		"the protection":       {Confined: "files"},
		"an answer with files": {Answer: &Answer{Loaded: true, SkippedFiles: []string{"a.yaml does not define the environment"}}},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(message, sendAndReceive(t, message)); diff != "" {
				t.Errorf("(-sent +received):\n%s", diff)
			}
		})
	}
}

// TestInputArrivesUnchanged fails for a field that is not sent.
func TestInputArrivesUnchanged(t *testing.T) {
	want := Input{
		Version: Version, Dir: "/run/checkout", Path: "apps", Environment: "production", Selectors: []string{"tier=web"},
		StateValuesSet: []string{"a=1"}, StateValuesFile: []string{"values.yaml"}, Namespace: "shop", KubeContext: "prod", Concurrency: 4,
		Workspace: "/run/loader", Charts: "/run/charts", Sandbox: "required", Readable: []string{"/etc/ssl"}, Proxy: 3128, Ports: []int{5000},
		Deadline: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), Memory: 1 << 30, CPU: time.Minute,
	}
	value := reflect.ValueOf(want)
	for i := range value.NumField() {
		if value.Field(i).IsZero() {
			t.Errorf("this test does not set the field %s", value.Type().Field(i).Name)
		}
	}
	var wire bytes.Buffer
	if err := child.NewWriter(&wire, child.Trusted).Send(want); err != nil {
		t.Fatal(err)
	}
	var got Input
	if err := child.NewReader(&wire, child.Trusted).Next(&got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-sent +received):\n%s", diff)
	}
}

// TestBounds checks that one message can contain a file of 16 MiB, and not much more.
func TestBounds(t *testing.T) {
	for size, allowed := range map[int]bool{16 << 20: true, 19 << 20: false} {
		var wire bytes.Buffer
		err := child.NewWriter(&wire, Bounds).Send(Message{SecretFile: make([]byte, size)})
		if (err == nil) != allowed {
			t.Errorf("%d bytes: got %v", size, err)
		}
	}
}

func TestMapKeysBecomeStrings(t *testing.T) {
	document := map[any]any{
		1:      "number",
		true:   []any{map[any]any{"a": "list"}, "text"},
		"text": map[string]any{"inner": map[any]any{2.5: nil}},
	}
	want := map[string]any{
		"1":    "number",
		"true": []any{map[string]any{"a": "list"}, "text"},
		"text": map[string]any{"inner": map[string]any{"2.5": nil}},
	}
	if diff := cmp.Diff(any(want), WithStringKeys(document)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for _, scalar := range []any{"text", 1, nil, true} {
		if got := WithStringKeys(scalar); got != scalar {
			t.Errorf("%v became %v", scalar, got)
		}
	}
	list := []any{map[any]any{1: "x"}}
	WithStringKeys(list)
	if _, unchanged := list[0].(map[any]any); !unchanged {
		t.Error("the document itself was changed")
	}
}

// manyReleases returns releases of about 26 MiB, like those of a large installation.
func manyReleases() []release.Desired {
	values := map[string]any{}
	for i := range 400 {
		values[fmt.Sprintf("key%d", i)] = []any{int64(i), true, "a text that makes the release larger, as long values do in most charts"}
	}
	var releases []release.Desired
	for i := range 800 {
		releases = append(releases, release.Desired{Key: release.Key{Namespace: "shop", Name: fmt.Sprint(i)}, Values: values})
	}
	return releases
}

// BenchmarkPipe measures how long it takes to send the releases of a large installation.
func BenchmarkPipe(b *testing.B) {
	releases := manyReleases()
	for b.Loop() {
		r, w, err := os.Pipe()
		if err != nil {
			b.Fatal(err)
		}
		go func() {
			out := child.NewWriter(w, Bounds)
			for _, want := range releases {
				if out.Send(Message{Release: Pack(want)}) != nil {
					break
				}
			}
			_ = w.Close() // the reader counts the releases
		}()
		in, n, size := child.NewReader(r, Bounds), 0, 0
		for {
			var m Message
			if err := in.Next(&m); err != nil {
				if !errors.Is(err, io.EOF) {
					b.Fatal(err)
				}
				break
			}
			n++
			size += in.Size()
		}
		if n != len(releases) {
			b.Fatalf("%d releases arrived", n)
		}
		b.SetBytes(int64(size))
		_ = r.Close() // read only
	}
}
