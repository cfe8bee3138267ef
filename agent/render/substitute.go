package render

import (
	"fmt"
	"strconv"
	"strings"

	"helm.sh/helm/v3/pkg/chart"
)

// Substitute replaces the templates of a chart and its dependencies by texts that Helm's engine copies to the same places. The function
// that it returns gives the chart its own templates back.
func Substitute(c *chart.Chart, rendered []File) (restore func(), err error) {
	var texts []*chart.File
	for _, file := range rendered {
		name, inside := strings.CutPrefix(string(file.Name), c.ChartFullPath()+"/")
		if !inside {
			return nil, fmt.Errorf("the template %q lies outside of the chart", file.Name)
		}
		texts = append(texts, &chart.File{Name: name, Data: literal(file.Data)})
	}
	restore = takeTemplates(c)
	c.Templates = texts
	return restore, nil
}

// takeTemplates removes all templates, and returns what puts them back.
func takeTemplates(c *chart.Chart) (restore func()) {
	own := c.Templates
	c.Templates = nil
	var dependencies []func()
	for _, dependency := range c.Dependencies() {
		dependencies = append(dependencies, takeTemplates(dependency))
	}
	return func() {
		c.Templates = own
		for _, restore := range dependencies {
			restore()
		}
	}
}

// literal is a template of that text. It is one constant, whatever the text is, so that it takes little memory to parse.
func literal(text []byte) []byte {
	if !strings.Contains(string(text), "{{") {
		return text
	}
	return []byte("{{" + strconv.Quote(string(text)) + "}}")
}
