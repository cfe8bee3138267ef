package render

import (
	"fmt"
	"strings"

	"gopkg.in/yaml.v3"
)

// value is a row of the README's table: a key of values.yaml with its default and its meaning.
type value struct{ key, fallback, meaning string }

// chapter has the values under one heading.
type chapter struct {
	heading string
	values  []value
}

const (
	headingMark = "## "
	meaningMark = "# -- "
)

// chapters reads the comments of values.yaml: `## ` begins a chapter, `# -- ` explains the key below. A key that neither has
// an explanation nor consists of keys that have one is an error.
func chapters(file []byte) ([]chapter, error) {
	var document yaml.Node
	if err := yaml.Unmarshal(file, &document); err != nil {
		return nil, fmt.Errorf("read values.yaml: %w", err)
	}
	var all []chapter
	top := document.Content[0]
	// The parser attributes the comments above the first key to the whole document.
	top.Content[0].HeadComment = strings.Join([]string{document.HeadComment, top.HeadComment, top.Content[0].HeadComment}, "\n")
	for i := 0; i < len(top.Content); i += 2 {
		name, node := top.Content[i], top.Content[i+1]
		if heading := headingOf(name); heading != "" {
			all = append(all, chapter{heading: heading})
		}
		if len(all) == 0 {
			return nil, fmt.Errorf("values.yaml:%d: %s is not in a chapter: write a comment `## …` above it", name.Line, name.Value)
		}
		values, err := explained("", name, node)
		if err != nil {
			return nil, err
		}
		last := &all[len(all)-1]
		last.values = append(last.values, values...)
	}
	return all, nil
}

func headingOf(name *yaml.Node) string {
	for line := range strings.Lines(name.HeadComment) {
		if heading, ok := strings.CutPrefix(strings.TrimSpace(line), headingMark); ok {
			return heading
		}
	}
	return ""
}

func explained(prefix string, name, node *yaml.Node) ([]value, error) {
	key, meaning := prefix+name.Value, meaningOf(name)
	var values []value
	if meaning != "" {
		fallback, err := inOneLine(node)
		if err != nil {
			return nil, err
		}
		values = append(values, value{key, fallback, meaning})
	}
	if hasMeanings(node) || meaning == "" && node.Kind == yaml.MappingNode {
		for i := 0; i < len(node.Content); i += 2 {
			inner, err := explained(key+".", node.Content[i], node.Content[i+1])
			if err != nil {
				return nil, err
			}
			values = append(values, inner...)
		}
	}
	if len(values) == 0 {
		return nil, fmt.Errorf("values.yaml:%d: %s has no explanation: write a comment `# -- …` above it", name.Line, key)
	}
	return values, nil
}

func hasMeanings(node *yaml.Node) bool {
	if node.Kind != yaml.MappingNode {
		return false
	}
	for i := 0; i < len(node.Content); i += 2 {
		if meaningOf(node.Content[i]) != "" || hasMeanings(node.Content[i+1]) {
			return true
		}
	}
	return false
}

// meaningOf returns the comment after the mark, in one line.
func meaningOf(name *yaml.Node) string {
	_, text, found := strings.Cut("\n"+name.HeadComment, "\n"+meaningMark)
	if !found {
		return ""
	}
	var words []string
	for line := range strings.Lines(text) {
		words = append(words, strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(line), "#")))
	}
	return strings.TrimSpace(strings.Join(words, " "))
}
