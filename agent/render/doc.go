// Package render executes the templates of charts in confined child processes of this binary ([Main]). A template that needs too much
// memory or time ends its process, and only its own release fails.
//
// [Pool.Render] gets a chart whose dependencies Helm has processed, and returns the text of each template. [Substitute] replaces the
// templates of the chart by these texts, so that Helm's engine in the agent only copies them.
//
// It may import packages broker, child, egress and sandbox.
package render
