package unsupported

import (
	"fmt"
	"regexp"
	"strings"
	"text/template/parse"

	"github.com/helmfile-agent/helmfile-agent/agent/desired/loader/internal/parts"
)

// checkCommands refuses a file that runs a command: with a template function, or with a reference. This check is only for the message.
// It does not find what a template puts together, but the kernel refuses to execute that.
func checkCommands(path, content string) error {
	if at := execReference.FindStringIndex(content); at != nil {
		return fmt.Errorf("%s:%d: %s", path, parts.LineAt(content, at[0]), ExecReference)
	}
	if line, name := findExecCall(content); line > 0 {
		return fmt.Errorf("%s:%d: the template function %s is not supported: the agent runs no commands; write down the value, or read it with readFile or ref+",
			path, line, name)
	}
	return nil
}

// ExecReference is the message about a value that comes from a command.
const ExecReference = "ref+exec:// is not supported: " + noCommands

const noCommands = "the agent runs no external commands; use a file or a secret store, such as ref+sops:// or ref+vault://"

// execReference matches a reference to a command, except in a comment. vals accepts the scheme in upper and lower case.
var execReference = regexp.MustCompile(`(?mi)^[^#\n]*?ref\+exec://`)

// findExecCall returns the line and the name of the first template function that runs a command; line 0 if there is none. It parses the
// whole file, and then each part, because a part can be a template although the whole file is none.
func findExecCall(content string) (line int, name string) {
	if !strings.Contains(content, "exec") && !strings.Contains(content, "envExec") {
		return 0, ""
	}
	if call, err := parseExecCall(content); err == nil {
		return lineOf(call, content, 0)
	}
	split := parts.Split(content)
	for i, part := range split {
		if call, err := parseExecCall(part); err == nil && call != nil {
			return lineOf(call, part, parts.LinesBefore(split, i))
		}
	}
	return 0, ""
}

func lineOf(call *parse.IdentifierNode, text string, before int) (line int, name string) {
	if call == nil {
		return 0, ""
	}
	return before + parts.LineAt(text, int(call.Pos)), call.Ident
}

// parseExecCall returns an error if the text is not a template. Then helmfile cannot render it either.
func parseExecCall(content string) (*parse.IdentifierNode, error) {
	tree := parse.New("scan")
	tree.Mode = parse.SkipFuncCheck
	defined := map[string]*parse.Tree{}
	if _, err := tree.Parse(content, "", "", defined); err != nil {
		return nil, err
	}
	var first *parse.IdentifierNode
	for _, template := range defined {
		if call := execCallIn(template.Root); call != nil && (first == nil || call.Pos < first.Pos) {
			first = call
		}
	}
	return first, nil
}

// execCallIn returns the first call below a node of a template.
func execCallIn(node parse.Node) *parse.IdentifierNode {
	for _, child := range children(node) {
		if call, ok := child.(*parse.IdentifierNode); ok && (call.Ident == "exec" || call.Ident == "envExec") {
			return call
		}
		if call := execCallIn(child); call != nil {
			return call
		}
	}
	return nil
}

func children(node parse.Node) []parse.Node {
	switch n := node.(type) {
	case *parse.ListNode:
		if n == nil { // there is no else
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
		if n == nil { // the template has no argument
			return nil
		}
		var commands []parse.Node
		for _, command := range n.Cmds {
			commands = append(commands, command)
		}
		return commands
	default:
		return nil
	}
}
