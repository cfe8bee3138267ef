package protocol

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
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
	if err := child.NewWriter(&wire, Bounds).Send(said); err != nil {
		t.Fatal(err)
	}
	var heard Message
	if err := child.NewReader(&wire, Bounds).Next(&heard); err != nil {
		t.Fatal(err)
	}
	return heard
}

func TestReleasesArriveAsTheyWere(t *testing.T) {
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
	got := passed(t, Message{Release: Pack(want)}).Release.Unpack()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	broken := passed(t, Message{Release: Pack(release.Desired{Broken: errors.New("no such patch")})})
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
		if err := passed(t, Message{Answer: test.answer}).Answer.Err(); fmt.Sprint(err) != test.want || exit.Of(err) != test.code {
			t.Errorf("%s: got %v with %d", name, err, exit.Of(err))
		}
	}
}

// large are releases of about 26 MiB, as a large installation has them.
func large() []release.Desired {
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

// BenchmarkPipe measures what a load waits for its releases.
func BenchmarkPipe(b *testing.B) {
	releases := large()
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
			_ = w.Close() // the reader counts
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
