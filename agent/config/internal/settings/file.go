package settings

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

// FromFile reads the file that the entry of the setting config names. It returns nothing if the name is empty.
func (t Table) FromFile(config Entry) (entries []Entry, problems Problems) {
	name := config.Values[0]
	if name == "" {
		return nil, nil
	}
	content, err := os.ReadFile(name)
	if err != nil {
		return nil, Problems{{config.Source.Text, fmt.Sprintf("%q cannot be read: %v", name, WithoutPath(err))}}
	}
	return t.parseFile(name, content)
}

func (t Table) parseFile(name string, content []byte) (entries []Entry, problems Problems) {
	f := fileParser{table: t, name: name}
	decoder := yaml.NewDecoder(bytes.NewReader(content))
	var document, second yaml.Node
	switch err := decoder.Decode(&document); {
	case errors.Is(err, io.EOF): // the file is empty
		return nil, nil
	case err != nil:
		return nil, Problems{f.syntaxProblem(err)}
	}
	f.readMapping(document.Content[0])
	if err := decoder.Decode(&second); err == nil {
		f.refuse(&second, "begins a second document: write everything in one document, and remove the ---")
	} else if !errors.Is(err, io.EOF) {
		f.problems = append(f.problems, f.syntaxProblem(err))
	}
	return f.entries, f.problems
}

// fileParser collects the entries and the problems of a file.
type fileParser struct {
	table    Table
	name     string
	entries  []Entry
	problems Problems
}

func (f *fileParser) refuse(node *yaml.Node, what string) {
	f.problems = append(f.problems, Problem{f.line(node), what})
}

func (f *fileParser) line(node *yaml.Node) string { return fmt.Sprintf("%s:%d", f.name, node.Line) }

var yamlLine = regexp.MustCompile(`^yaml: (?:line (\d+): )?`)

// syntaxProblem gives an error of the parser the form of all other problems. It replaces one message that would quote a value,
// perhaps a password.
func (f *fileParser) syntaxProblem(err error) Problem {
	where, message := f.name, err.Error()
	if match := yamlLine.FindStringSubmatch(message); match != nil {
		message = message[len(match[0]):]
		if line, err := strconv.Atoi(match[1]); err == nil {
			where += fmt.Sprintf(":%d", line+lineOffset(message))
		}
	}
	if strings.Contains(message, "unknown anchor") {
		message = "a value that begins with * refers to an anchor that does not exist: put the value in quotes"
	}
	return Problem{where, "is not YAML: " + message}
}

// lineOffset corrects the line number of a message. The YAML library has two stages: its scanner counts lines from 1, its parser
// from 0. Only messages of the parser begin with these words.
func lineOffset(message string) int {
	if strings.HasPrefix(message, "did not find expected") {
		return 1
	}
	return 0
}

func (f *fileParser) readMapping(node *yaml.Node) {
	switch {
	case node.Kind == yaml.ScalarNode && node.ShortTag() == "!!null": // the file has only comments
		return
	case node.Kind != yaml.MappingNode:
		f.refuse(node, "is not a mapping: write one `key: value` per line")
		return
	}
	firstLines := map[string]int{}
	for i := 0; i < len(node.Content); i += 2 {
		key, value := node.Content[i], node.Content[i+1]
		if first, repeated := firstLines[key.Value]; repeated {
			f.refuse(key, fmt.Sprintf("repeats the key %q of line %d: remove one of them", key.Value, first))
			continue
		}
		firstLines[key.Value] = key.Line
		f.readKey(key, value)
	}
}

func (f *fileParser) readKey(key, value *yaml.Node) {
	s, known := f.table.find(func(s Setting) bool { return s.Name == key.Value && !s.NotInFile })
	if !known {
		f.refuse(key, fmt.Sprintf("%q is not a known key: %s", key.Value, f.table.didYouMean(key.Value, Setting.key)))
		return
	}
	values, err := s.decode(value)
	if err != nil {
		f.refuse(value, fmt.Sprintf("%s %v", s.Name, err))
		return
	}
	f.entries = append(f.entries, Entry{s, values, Source{FileRank, f.line(key) + ": " + s.Name}})
}

// key is the setting's key in the file; empty if the file cannot have it.
func (s Setting) key() string {
	if s.NotInFile {
		return ""
	}
	return s.Name
}

// decode returns the values as they are written in the file: 1.10 remains 1.10.
func (s Setting) decode(value *yaml.Node) ([]string, error) {
	if s.Kind != List {
		item, err := s.decodeScalar(value)
		return []string{item}, err
	}
	value = resolveAlias(value)
	if value.Kind != yaml.SequenceNode {
		return nil, errors.New("needs a list: write one `- item` per line")
	}
	items := []string{}
	for _, node := range value.Content {
		item, err := s.decodeScalar(node)
		if err != nil {
			return nil, err
		}
		items = append(items, item)
	}
	return items, nil
}

// yamlTypeWords has the types of YAML scalars in words.
var yamlTypeWords = map[string]string{"!!str": "a text", "!!bool": "true or false", "!!int": "a number", "!!float": "a number",
	"!!timestamp": "a date"}

// accepted has the YAML types that each kind accepts, and what a message says about them. A text may look like a number, such as a
// commit or a version.
var accepted = map[Kind]struct {
	types string
	what  string
}{
	Text:     {"!!str !!int !!float !!timestamp", "a text, in quotes"},
	List:     {"!!str !!int !!float !!timestamp", "texts in its list, in quotes"},
	Duration: {"!!str !!int !!float", "a duration: write it like 90s, 10m or 1h30m"},
	Number:   {"!!int", "a whole number, without quotes"},
	Toggle:   {"!!bool", "true or false, without quotes"},
}

func (s Setting) decodeScalar(value *yaml.Node) (string, error) {
	value = resolveAlias(value)
	has, scalar := yamlTypeWords[value.ShortTag()]
	switch {
	case value.ShortTag() == "!!null":
		return "", errors.New("has no value: write one, or remove the line")
	case value.Kind == yaml.SequenceNode:
		has = "a list"
	case value.Kind == yaml.MappingNode:
		has = "a mapping"
	case !scalar:
		has = "a value with a YAML tag"
	case strings.Contains(accepted[s.Kind].types, value.ShortTag()):
		return value.Value, nil
	}
	return "", fmt.Errorf("has %s, but needs %s", has, accepted[s.Kind].what)
}

// resolveAlias returns the node that an alias (*name) stands for, or the node itself.
func resolveAlias(node *yaml.Node) *yaml.Node {
	if node.Kind == yaml.AliasNode {
		return node.Alias
	}
	return node
}
