package config

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

// fromFile are the settings given in the file, if one was named.
func fromFile(file setting) (given []setting, wrong problems) {
	name := file.values[0]
	if name == "" {
		return nil, nil
	}
	content, err := os.ReadFile(name)
	if err != nil {
		return nil, problems{{file.from.text, fmt.Sprintf("%q cannot be read: %v", name, cause(err))}}
	}
	return parseFile(name, content)
}

func parseFile(name string, content []byte) (given []setting, wrong problems) {
	f := reader{name: name}
	decoder := yaml.NewDecoder(bytes.NewReader(content))
	var document, second yaml.Node
	switch err := decoder.Decode(&document); {
	case errors.Is(err, io.EOF): // an empty file says nothing
		return nil, nil
	case err != nil:
		return nil, problems{f.syntax(err)}
	}
	f.mapping(document.Content[0])
	if err := decoder.Decode(&second); err == nil {
		f.refuse(&second, "begins a second document: keep everything in one, and remove the ---")
	} else if !errors.Is(err, io.EOF) {
		f.wrong = append(f.wrong, f.syntax(err))
	}
	return f.given, f.wrong
}

// reader collects what a file says, and what is wrong with it.
type reader struct {
	name  string
	given []setting
	wrong problems
}

func (f *reader) refuse(at *yaml.Node, why string) {
	f.wrong = append(f.wrong, problem{f.line(at), why})
}

func (f *reader) line(at *yaml.Node) string { return fmt.Sprintf("%s:%d", f.name, at.Line) }

var yamlLine = regexp.MustCompile(`^yaml: (?:line (\d+): )?`)

// syntax gives a parser's error the form of all others. One of its messages would quote a value, perhaps a password.
func (f *reader) syntax(err error) problem {
	where, message := f.name, err.Error()
	if found := yamlLine.FindStringSubmatch(message); found != nil {
		message = message[len(found[0]):]
		if line, err := strconv.Atoi(found[1]); err == nil {
			where += fmt.Sprintf(":%d", line+missed(message))
		}
	}
	if strings.Contains(message, "unknown anchor") {
		message = "a value that begins with * refers to an anchor that does not exist: put the value in quotes"
	}
	return problem{where, "is not YAML: " + message}
}

// missed is by how many lines the parser, other than its scanner, falls short when it names the line where what it could not
// read begins: it counts that one from 0.
func missed(message string) int {
	if strings.HasPrefix(message, "did not find expected") {
		return 1
	}
	return 0
}

func (f *reader) mapping(node *yaml.Node) {
	switch {
	case node.Kind == yaml.ScalarNode && node.ShortTag() == "!!null": // only comments
		return
	case node.Kind != yaml.MappingNode:
		f.refuse(node, "is not a mapping: write one `key: value` per line")
		return
	}
	lines := map[string]int{}
	for i := 0; i < len(node.Content); i += 2 {
		name, value := node.Content[i], node.Content[i+1]
		if first, again := lines[name.Value]; again {
			f.refuse(name, fmt.Sprintf("repeats the key %q of line %d: keep one of them", name.Value, first))
			continue
		}
		lines[name.Value] = name.Line
		f.entry(name, value)
	}
}

func (f *reader) entry(name, value *yaml.Node) {
	k, known := find(func(k key) bool { return k.name == name.Value && !k.noFile })
	if !known {
		f.refuse(name, fmt.Sprintf("%q is not a known key: %s", name.Value, didYouMean(name.Value, key.inFile)))
		return
	}
	values, err := k.decode(value)
	if err != nil {
		f.refuse(value, fmt.Sprintf("%s %v", k.name, err))
		return
	}
	f.given = append(f.given, setting{k, values, origin{fileRank, f.line(name) + ": " + k.name}})
}

// inFile is the key's name in the file, empty if it cannot be there.
func (k key) inFile() string {
	if k.noFile {
		return ""
	}
	return k.name
}

// decode is the values as they were written: 1.10 stays 1.10.
func (k key) decode(value *yaml.Node) ([]string, error) {
	if k.kind != list {
		item, err := k.decodeScalar(value)
		return []string{item}, err
	}
	value = target(value)
	if value.Kind != yaml.SequenceNode {
		return nil, errors.New("needs a list: write one `- item` per line")
	}
	items := []string{}
	for _, node := range value.Content {
		item, err := k.decodeScalar(node)
		if err != nil {
			return nil, err
		}
		items = append(items, item)
	}
	return items, nil
}

// found names, in words for people, the types that YAML gives a scalar.
var found = map[string]string{"!!str": "a text", "!!bool": "true or false", "!!int": "a number", "!!float": "a number",
	"!!timestamp": "a date"}

// wanted are the types that a kind of key takes. A text may look like a number, as a commit or a version does.
var wanted = map[kind]struct {
	types string
	what  string
}{
	text:     {"!!str !!int !!float !!timestamp", "a text, in quotes"},
	list:     {"!!str !!int !!float !!timestamp", "texts in its list, in quotes"},
	duration: {"!!str !!int !!float", "a duration: write it like 90s, 10m or 1h30m"},
	number:   {"!!int", "a whole number, without quotes"},
	toggle:   {"!!bool", "true or false, without quotes"},
}

func (k key) decodeScalar(value *yaml.Node) (string, error) {
	value = target(value)
	has, scalar := found[value.ShortTag()]
	switch {
	case value.ShortTag() == "!!null":
		return "", errors.New("has no value: give one, or remove the line")
	case value.Kind == yaml.SequenceNode:
		has = "a list"
	case value.Kind == yaml.MappingNode:
		has = "a mapping"
	case !scalar:
		has = "a value with a tag of its own"
	case strings.Contains(wanted[k.kind].types, value.ShortTag()):
		return value.Value, nil
	}
	return "", fmt.Errorf("has %s, but needs %s", has, wanted[k.kind].what)
}

// target is the node that an alias (*name) stands for, or the node itself.
func target(node *yaml.Node) *yaml.Node {
	if node.Kind == yaml.AliasNode {
		return node.Alias
	}
	return node
}
