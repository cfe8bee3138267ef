package loader

import (
	"fmt"
	"regexp"
	"strings"
	"text/template/parse"
)

// runsCommand finds what would run a command of the repository's choice, and says what to do instead; line is 0 if
// there is none. It is a message to the user, and no wall: what a template puts together from pieces is not seen here. The kernel
// refuses to execute it.
func runsCommand(content string) (line int, what, instead string) {
	if at := execReference.FindStringIndex(content); at != nil {
		return lineAt(content, at[0]), "ref+exec://", "use a file or a secret store, such as ref+sops:// or ref+vault://"
	}
	if at, name := execCall(content); name != "" {
		return lineAt(content, at), "the template function " + name, "the agent runs no commands; write the value down, or read it with readFile or ref+"
	}
	return 0, "", ""
}

func lineAt(content string, at int) int { return 1 + strings.Count(content[:at], "\n") }

// execReference is a value that vals gets from a command, unless the line is a comment. vals reads the scheme in any case.
var execReference = regexp.MustCompile(`(?mi)^[^#\n]*?ref\+exec://`)

// execCall is the first call of a function that runs a command, in the whole text or in its parts: helmfile cuts state
// files at --- before it renders them, so a part may be a template where the whole is none.
func execCall(content string) (at int, name string) {
	if !strings.Contains(content, "exec") && !strings.Contains(content, "envExec") {
		return 0, ""
	}
	if at, name, ok := execCallIn(content); ok {
		return at, name
	}
	before := 0
	for _, part := range strings.Split(content, separator) {
		if at, name, ok := execCallIn(part); ok && name != "" {
			return before + at, name
		}
		before += len(part) + len(separator)
	}
	return 0, ""
}

// execCallIn is not ok if the text is no template: then helmfile cannot render it either.
func execCallIn(content string) (at int, name string, ok bool) {
	tree := parse.New("scan")
	tree.Mode = parse.SkipFuncCheck
	trees := map[string]*parse.Tree{}
	if _, err := tree.Parse(content, "", "", trees); err != nil {
		return 0, "", false
	}
	for _, defined := range trees {
		if call := findCall(defined.Root); call != nil {
			return int(call.Pos), call.Ident, true
		}
	}
	return 0, "", true
}

// findCall looks for the functions everywhere in a template's actions; text around them does not matter.
func findCall(node parse.Node) *parse.IdentifierNode {
	for _, child := range children(node) {
		if call, ok := child.(*parse.IdentifierNode); ok && (call.Ident == "exec" || call.Ident == "envExec") {
			return call
		}
		if call := findCall(child); call != nil {
			return call
		}
	}
	return nil
}

func children(node parse.Node) []parse.Node {
	switch n := node.(type) {
	case *parse.ListNode:
		if n == nil { // an else that is not there
			return nil
		}
		return n.Nodes
	case *parse.ActionNode:
		return []parse.Node{n.Pipe}
	case *parse.IfNode:
		return []parse.Node{n.Pipe, n.List, n.ElseList}
	case *parse.RangeNode:
		return []parse.Node{n.Pipe, n.List, n.ElseList}
	case *parse.WithNode:
		return []parse.Node{n.Pipe, n.List, n.ElseList}
	case *parse.TemplateNode:
		return []parse.Node{n.Pipe}
	case *parse.ChainNode:
		return []parse.Node{n.Node}
	case *parse.CommandNode:
		return n.Args
	case *parse.PipeNode:
		if n == nil { // a template that is given nothing
			return nil
		}
		var all []parse.Node
		for _, command := range n.Cmds {
			all = append(all, command)
		}
		return all
	default:
		return nil
	}
}

// refuseCommands is the error for a file that would run a command.
func refuseCommands(path, content string) error {
	if line, what, instead := runsCommand(content); line > 0 {
		return fmt.Errorf("%s:%d: %s is not supported: %s", path, line, what, instead)
	}
	return nil
}
