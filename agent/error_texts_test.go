package agent

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestErrorTextsAreDocumented checks docs/error-texts.md: it names each file that looks for words in an error's text, and the files and
// tests that it names exist.
func TestErrorTextsAreDocumented(t *testing.T) {
	content, err := os.ReadFile("../docs/error-texts.md")
	if err != nil {
		t.Fatal(err)
	}
	document := string(content)
	for _, root := range []string{"../agent", "../cmd"} {
		err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() || filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_test.go") {
				return err
			}
			file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
			if name := strings.TrimPrefix(path, "../"); err == nil && matchesErrorTexts(file) && !strings.Contains(document, "`"+name+"`") {
				t.Errorf("%s looks for words in an error's text: add it to docs/error-texts.md, with a test that provokes the error", name)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range regexp.MustCompile("`([^` ]+\\.go)`").FindAllStringSubmatch(document, -1) {
		if _, err := os.Stat(filepath.Join("..", name[1])); err != nil {
			t.Errorf("docs/error-texts.md names %s: %v", name[1], err)
		}
	}
	for _, test := range regexp.MustCompile("`([^` ]+): (Test\\w+)`").FindAllStringSubmatch(document, -1) {
		if !hasTest(t, test[1], test[2]) {
			t.Errorf("docs/error-texts.md names %s of %s, which does not exist", test[2], test[1])
		}
	}
}

// matchesErrorTexts finds calls such as strings.Contains(err.Error(), "words"). Helpers of tests may look for any words.
func matchesErrorTexts(file *ast.File) bool {
	found := false
	if slices.ContainsFunc(file.Imports, func(i *ast.ImportSpec) bool { return i.Path.Value == `"testing"` }) {
		return false
	}
	ast.Inspect(file, func(node ast.Node) bool {
		call, ok := node.(*ast.CallExpr)
		if !ok || len(call.Args) < 2 {
			return true
		}
		function, ok := call.Fun.(*ast.SelectorExpr)
		if !ok || !looksForWords[function.Sel.Name] || !isCallOf(call.Args[0], "Error") {
			return true
		}
		library, ok := function.X.(*ast.Ident)
		found = found || ok && library.Name == "strings"
		return true
	})
	return found
}

var looksForWords = map[string]bool{"Contains": true, "HasPrefix": true, "HasSuffix": true, "Cut": true, "CutPrefix": true, "CutSuffix": true, "Index": true, "EqualFold": true}

// isCallOf recognizes the call of a method.
func isCallOf(expression ast.Expr, method string) bool {
	call, ok := expression.(*ast.CallExpr)
	if !ok {
		return false
	}
	function, ok := call.Fun.(*ast.SelectorExpr)
	return ok && function.Sel.Name == method
}

func hasTest(t *testing.T, dir, name string) bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("..", dir, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(source), "func "+name+"(") {
			return true
		}
	}
	return false
}
