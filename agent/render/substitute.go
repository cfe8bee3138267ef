package render

import (
	"fmt"
	"strconv"
	"strings"

	"helm.sh/helm/v3/pkg/chart"
)

// Substitute replaces the templates of a chart and its dependencies by their rendered texts. Helm's engine copies these and returns the
// same files. The returned function restores the original templates.
func Substitute(c *chart.Chart, rendered []File) (restore func(), err error) {
	var texts []*chart.File
	for _, file := range rendered {
		name, inside := strings.CutPrefix(string(file.Name), c.ChartFullPath()+"/")
		if !inside {
			return nil, fmt.Errorf("the template %q is outside of the chart", file.Name)
		}
		texts = append(texts, &chart.File{Name: name, Data: literal(file.Data)})
	}
	restore = removeTemplates(c)
	c.Templates = texts
	return restore, nil
}

// removeTemplates removes all templates, and returns a function that restores them.
func removeTemplates(c *chart.Chart) (restore func()) {
	original := c.Templates
	c.Templates = nil
	var dependencies []func()
	for _, dependency := range c.Dependencies() {
		dependencies = append(dependencies, removeTemplates(dependency))
	}
	return func() {
		c.Templates = original
		for _, restore := range dependencies {
			restore()
		}
	}
}

// literal is a template that renders as the text. It is one constant, so that parsing it needs little memory.
func literal(text []byte) []byte {
	if !strings.Contains(string(text), "{{") {
		return text
	}
	return []byte("{{" + strconv.Quote(string(text)) + "}}")
}
