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

func TestAMemoryIsReadAsItWasWritten(t *testing.T) {
	memory := Memory{
		Marks:      []Mark{mark("shop", "lost")},
		Namespaces: []string{"data", "shop"},
		Needs:      map[string][]Key{"shop/lost": {{"data", "db"}}},
		Records:    map[string]Record{"shop/lost": {Revision: 3, Digest: "abc"}},
	}
	encoded, err := memory.Encode()
	if err != nil {
		t.Fatal(err)
	}
	want := `{"version":1,"marks":[{"namespace":"shop","name":"lost","since":"2026-03-01T12:00:00.5Z","commit":"3f2a9c1","origin":"elsewhere",` +
		`"runs":3,"deployed":"2026-02-01T12:00:00.000000001Z"}],"namespaces":["data","shop"],"needs":{"shop/lost":[{"namespace":"data","name":"db"}]},"records":{"shop/lost":{"revision":3,"digest":"abc"}}}`
	if diff := cmp.Diff(want, encoded); diff != "" {
		t.Error(diff)
	}
	decoded, err := DecodeMemory(encoded)
	if diff := cmp.Diff(memory, decoded); diff != "" || err != nil {
		t.Error(err, diff)
	}
}

func TestAnEmptyMemory(t *testing.T) {
	encoded, err := Memory{}.Encode()
	if err != nil || encoded != `{"version":1}` {
		t.Error(encoded, err)
	}
	decoded, err := DecodeMemory(encoded)
	if diff := cmp.Diff(Memory{}, decoded); diff != "" || err != nil {
		t.Error(err, diff)
	}
}

func TestWhatIsNotUnderstoodIsAnEmptyMemory(t *testing.T) {
	for text, says := range map[string]string{
		"":                            "decode memory: unexpected end of JSON input",
		"hello":                       "decode memory: invalid character",
		"null":                        "decode memory: version 0, and this agent knows version 1 only",
		"{}":                          "decode memory: version 0, and this agent knows version 1 only",
		`{"version":2,"marks":[{}]}`:  "decode memory: version 2, and this agent knows version 1 only",
		`{"version":"1"}`:             "decode memory: json: cannot unmarshal string",
		`{"version":1,"marks":{}}`:    "decode memory: json: cannot unmarshal object",
		`{"version":1,"namespaces":7`: "decode memory: unexpected end of JSON input",
		`{"version":1,"marks":[{"since":"yesterday"}],"namespaces":["a"]}`: "decode memory: parsing time",
		`{"version":1}{"version":1}`:                                       "decode memory: invalid character",
	} {
		memory, err := DecodeMemory(text)
		if err == nil || !strings.HasPrefix(err.Error(), says) {
			t.Errorf("%q: got %v, want %s", text, err, says)
		}
		if diff := cmp.Diff(Memory{}, memory); diff != "" {
			t.Errorf("%q: %s", text, diff)
		}
	}
}

func TestAMemoryIsBounded(t *testing.T) {
	long := strings.Repeat("ü<", 200_000)
	for name, test := range map[string]struct {
		memory Memory
		kept   string // marks, namespaces, needs
	}{
		"what fits":               {huge(1000, 1000, 1000), "1000 1000 1000"},
		"needs go first":          {huge(1000, 1000, 5000), "1000 1000 0"},
		"then the youngest marks": {huge(5000, 1000, 5000), "2500 1000 0"},
		"then namespaces":         {huge(5000, 100_000, 5000), "0 25000 0"},
		"one huge namespace":      {Memory{Namespaces: []string{long}}, "0 0 0"},
		"one huge mark":           {Memory{Marks: []Mark{{Commit: long}}, Namespaces: []string{"a"}}, "0 1 0"},
		"all of them huge":        {Memory{Marks: []Mark{{Commit: long}}, Namespaces: []string{long}, Needs: map[string][]Key{long: {}}}, "0 0 0"},
	} {
		t.Run(name, func(t *testing.T) {
			got := bounded(t, test.memory)
			if kept := fmt.Sprint(len(got.Marks), len(got.Namespaces), len(got.Needs)); kept != test.kept {
				t.Errorf("got %s, want %s", kept, test.kept)
			}
			for i, mark := range got.Marks {
				if mark != test.memory.Marks[i] {
					t.Fatalf("mark %d is %+v", i, mark)
				}
			}
		})
	}
}

func TestRecordsAreForgottenBeforeMarks(t *testing.T) {
	memory := huge(1000, 0, 0)
	for i := range 10_000 {
		memory.Note(Key{"shop", fmt.Sprint("web", i)}, Record{Revision: 1, Digest: strings.Repeat("0", 64)})
	}
	if got := bounded(t, memory); len(got.Records) != 0 || len(got.Marks) != 1000 {
		t.Errorf("%d records and %d marks are left", len(got.Records), len(got.Marks))
	}
}

func TestAnyMemoryIsBounded(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 10 {
		bounded(t, huge(random.IntN(10000), random.IntN(30000), random.IntN(10000)))
	}
}

func bounded(t *testing.T, memory Memory) Memory {
	t.Helper()
	encoded, err := memory.Encode()
	if err != nil || len(encoded) > MemoryLimit || !json.Valid([]byte(encoded)) {
		t.Fatalf("%d bytes, %v", len(encoded), err)
	}
	decoded, err := DecodeMemory(encoded)
	if err != nil {
		t.Fatal(err)
	}
	return decoded
}

// huge is a memory of that many things, the oldest marks first.
func huge(marks, namespaces, needs int) Memory {
	m := Memory{Needs: map[string][]Key{}}
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
