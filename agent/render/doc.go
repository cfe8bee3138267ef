// Package render executes the templates of charts in child processes of this binary ([Main]), which the kernel confines: a template
// that needs too much memory or time ends its process, and fails only its own release.
//
// [Pool.Render] takes a chart whose dependencies Helm has processed, and answers with the text of each template. [Substitute] gives
// them to Helm in place of the templates, so that Helm's engine in the agent only copies texts.
//
// It may import broker, child, egress and sandbox.
package render
