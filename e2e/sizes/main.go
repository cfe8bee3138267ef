// Command sizes counts functions, files and lines of the product, without tests, as Markdown tables. It is what `make sizes` runs.
package main

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/scanner"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

func main() {
	if err := run([]string{"agent", "cmd"}); err != nil {
		fmt.Fprintln(os.Stderr, "sizes:", err)
		os.Exit(1)
	}
}

func run(roots []string) error {
	var counted counts
	for _, root := range roots {
		if err := filepath.WalkDir(root, counted.visit); err != nil {
			return fmt.Errorf("count %s: %w", root, err)
		}
	}
	fmt.Print(counted.summary(), "\n", counted.perPackage())
	return nil
}

// counts are the sizes of all files that were visited.
type counts struct {
	files     []file
	functions []function
}

type file struct {
	pkg         string
	test        bool
	lines, code int // code is without empty lines and comments
}

type function struct {
	name  string
	lines int
}

func (c *counts) visit(path string, entry fs.DirEntry, err error) error {
	switch {
	case err != nil:
		return err
	case entry.IsDir() && entry.Name() == "testdata":
		return filepath.SkipDir
	case entry.IsDir() || filepath.Ext(path) != ".go":
		return nil
	}
	source, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	test := strings.HasSuffix(path, "_test.go")
	c.files = append(c.files, file{filepath.Dir(path), test, bytes.Count(source, []byte("\n")), codeLines(source)})
	if test {
		return nil
	}
	return c.addFunctions(path, source)
}

func (c *counts) addFunctions(path string, source []byte) error {
	set := token.NewFileSet()
	parsed, err := parser.ParseFile(set, path, source, parser.SkipObjectResolution)
	if err != nil {
		return err
	}
	for _, declaration := range parsed.Decls {
		if f, ok := declaration.(*ast.FuncDecl); ok {
			lines := set.Position(f.End()).Line - set.Position(f.Pos()).Line + 1
			c.functions = append(c.functions, function{fmt.Sprintf("%s: %s", path, f.Name.Name), lines})
		}
	}
	return nil
}

// codeLines counts the lines with a token on them. A text over several lines counts with all of them.
func codeLines(source []byte) int {
	set := token.NewFileSet()
	at := set.AddFile("", set.Base(), len(source))
	var s scanner.Scanner
	s.Init(at, source, nil, 0) // without comments
	lines := map[int]bool{}
	for {
		pos, kind, text := s.Scan()
		if kind == token.EOF {
			return len(lines)
		}
		if kind == token.SEMICOLON && text == "\n" { // the end of a line, not a token in it
			continue
		}
		for i := range strings.Count(text, "\n") + 1 {
			lines[at.Line(pos)+i] = true
		}
	}
}

func (c *counts) summary() string {
	functions := slices.Clone(c.functions)
	slices.SortFunc(functions, func(a, b function) int { return a.lines - b.lines })
	var fileLines []int
	packages := map[string]bool{}
	for _, f := range c.files {
		if !f.test {
			fileLines = append(fileLines, f.lines)
			packages[f.pkg] = true
		}
	}
	slices.Sort(fileLines)
	longest := functions[len(functions)-1]
	return fmt.Sprintf(`| | number | median | 90th percentile | maximum |
|---|---|---|---|---|
| functions, in lines | %d | %d | %d | %d (%s) |
| files, in lines | %d | %d | %d | %d |
| packages | %d | | | |
`, len(functions), functions[len(functions)/2].lines, functions[len(functions)*9/10].lines, longest.lines, longest.name,
		len(fileLines), fileLines[len(fileLines)/2], fileLines[len(fileLines)*9/10], fileLines[len(fileLines)-1], len(packages))
}

// perPackage has the largest packages first.
func (c *counts) perPackage() string {
	type row struct {
		pkg                             string
		files, lines, code, tests, long int
	}
	byName := map[string]*row{}
	var rows []*row
	for _, f := range c.files {
		r := byName[f.pkg]
		if r == nil {
			r = &row{pkg: f.pkg}
			byName[f.pkg], rows = r, append(rows, r)
		}
		if f.test {
			r.tests += f.lines
			continue
		}
		r.files, r.lines, r.code, r.long = r.files+1, r.lines+f.lines, r.code+f.code, max(r.long, f.lines)
	}
	slices.SortFunc(rows, func(a, b *row) int { return b.code - a.code })
	var text strings.Builder
	text.WriteString("| package | lines of code | with comments and empty lines | files | longest file | lines of tests |\n|---|---|---|---|---|---|\n")
	for _, r := range rows {
		fmt.Fprintf(&text, "| `%s` | %d | %d | %d | %d | %d |\n", r.pkg, r.code, r.lines, r.files, r.long, r.tests)
	}
	return text.String()
}
