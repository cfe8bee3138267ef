package release

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestEncodeAndDecode(t *testing.T) {
	state := InstanceState{
		Marks:      []Mark{mark("shop", "lost")},
		Namespaces: []string{"data", "shop"},
		Needs:      map[string][]Key{"shop/lost": {{"data", "db"}}},
		Records:    map[string]Record{"shop/lost": {Revision: 3, Digest: "abc"}},
	}
	encoded, err := state.Encode()
	if err != nil {
		t.Fatal(err)
	}
	want := `{"version":1,"marks":[{"namespace":"shop","name":"lost","since":"2026-03-01T12:00:00.5Z","commit":"3f2a9c1","origin":"elsewhere",` +
		`"runs":3,"deployed":"2026-02-01T12:00:00.000000001Z"}],"namespaces":["data","shop"],"needs":{"shop/lost":[{"namespace":"data","name":"db"}]},"records":{"shop/lost":{"revision":3,"digest":"abc"}}}`
	if diff := cmp.Diff(want, encoded); diff != "" {
		t.Error(diff)
	}
	decoded, err := DecodeState(encoded)
	if diff := cmp.Diff(state, decoded); diff != "" || err != nil {
		t.Error(err, diff)
	}
}

func TestAnEmptyState(t *testing.T) {
	encoded, err := InstanceState{}.Encode()
	if err != nil || encoded != `{"version":1}` {
		t.Error(encoded, err)
	}
	decoded, err := DecodeState(encoded)
	if diff := cmp.Diff(InstanceState{}, decoded); diff != "" || err != nil {
		t.Error(err, diff)
	}
}

func TestUnreadableTextIsAnErrorAndAnEmptyState(t *testing.T) {
	for text, message := range map[string]string{
		"":                            "decode state: unexpected end of JSON input",
		"hello":                       "decode state: invalid character",
		"null":                        "decode state: version 0 is not supported: this agent supports version 1",
		"{}":                          "decode state: version 0 is not supported: this agent supports version 1",
		`{"version":2,"marks":[{}]}`:  "decode state: version 2 is not supported: this agent supports version 1",
		`{"version":"1"}`:             "decode state: json: cannot unmarshal string",
		`{"version":1,"marks":{}}`:    "decode state: json: cannot unmarshal object",
		`{"version":1,"namespaces":7`: "decode state: unexpected end of JSON input",
		`{"version":1,"marks":[{"since":"yesterday"}],"namespaces":["a"]}`: "decode state: parsing time",
		`{"version":1}{"version":1}`:                                       "decode state: invalid character",
	} {
		state, err := DecodeState(text)
		if err == nil || !strings.HasPrefix(err.Error(), message) {
			t.Errorf("%q: got %v, want %s", text, err, message)
		}
		if diff := cmp.Diff(InstanceState{}, state); diff != "" {
			t.Errorf("%q: %s", text, diff)
		}
	}
}

func TestALargeStateIsReduced(t *testing.T) {
	long := strings.Repeat("ü<", 200_000)
	for name, test := range map[string]struct {
		state    InstanceState
		retained string // marks, namespaces, needs
	}{
		"a state that fits":       {stateOfSize(1000, 1000, 1000), "1000 1000 1000"},
		"needs are dropped first": {stateOfSize(1000, 1000, 5000), "1000 1000 0"},
		"then the newest marks":   {stateOfSize(5000, 1000, 5000), "2500 1000 0"},
		"then namespaces":         {stateOfSize(5000, 100_000, 5000), "0 25000 0"},
		"one very long namespace": {InstanceState{Namespaces: []string{long}}, "0 0 0"},
		"one very long mark":      {InstanceState{Marks: []Mark{{Commit: long}}, Namespaces: []string{"a"}}, "0 1 0"},
		"all very long":           {InstanceState{Marks: []Mark{{Commit: long}}, Namespaces: []string{long}, Needs: map[string][]Key{long: {}}}, "0 0 0"},
	} {
		t.Run(name, func(t *testing.T) {
			got := encodeAndDecode(t, test.state)
			if retained := fmt.Sprint(len(got.Marks), len(got.Namespaces), len(got.Needs)); retained != test.retained {
				t.Errorf("got %s, want %s", retained, test.retained)
			}
			for i, mark := range got.Marks {
				if mark != test.state.Marks[i] {
					t.Fatalf("mark %d is %+v", i, mark)
				}
			}
		})
	}
}

func TestRecordsAreDroppedBeforeMarks(t *testing.T) {
	state := stateOfSize(1000, 0, 0)
	for i := range 10_000 {
		state.SetRecord(Key{"shop", fmt.Sprint("web", i)}, Record{Revision: 1, Digest: strings.Repeat("0", 64)})
	}
	if got := encodeAndDecode(t, state); len(got.Records) != 0 || len(got.Marks) != 1000 {
		t.Errorf("%d records and %d marks are left", len(got.Records), len(got.Marks))
	}
}

func TestEveryStateIsBounded(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 10 {
		encodeAndDecode(t, stateOfSize(random.IntN(10000), random.IntN(30000), random.IntN(10000)))
	}
}

func encodeAndDecode(t *testing.T, state InstanceState) InstanceState {
	t.Helper()
	encoded, err := state.Encode()
	if err != nil || len(encoded) > MaxStateBytes || !json.Valid([]byte(encoded)) {
		t.Fatalf("%d bytes, %v", len(encoded), err)
	}
	decoded, err := DecodeState(encoded)
	if err != nil {
		t.Fatal(err)
	}
	return decoded
}

// stateOfSize is a state with these numbers of parts. The oldest marks come first.
func stateOfSize(marks, namespaces, needs int) InstanceState {
	m := InstanceState{Needs: map[string][]Key{}}
	for i := range marks {
		m.Marks = append(m.Marks, mark("shop", fmt.Sprint("lost", i)))
		m.Marks[i].Since = m.Marks[i].Since.Add(time.Duration(i) * time.Second)
	}
	for i := range namespaces {
		m.Namespaces = append(m.Namespaces, fmt.Sprint("namespace", i))
	}
	for i := range needs {
		m.Needs[fmt.Sprint("shop/web", i)] = []Key{{"shop", "a-database"}, {"shop", "a-cache"}}
	}
	return m
}

func mark(namespace, name string) Mark {
	return Mark{
		Key: Key{namespace, name}, Since: time.Date(2026, 3, 1, 12, 0, 0, 5e8, time.UTC), Commit: "3f2a9c1", Origin: "elsewhere", Runs: 3,
		Deployed: time.Date(2026, 2, 1, 12, 0, 0, 1, time.UTC),
	}
}
