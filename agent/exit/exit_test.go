package exit

import (
	"context"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"regexp"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestOf(t *testing.T) {
	boom := errors.New("boom")
	for name, test := range map[string]struct {
		err  error
		want Code
	}{
		"no error is converged":                      {nil, Converged},
		"a code on a nil error":                      {With(Forbidden, nil), Converged},
		"an error without a code is unexpected":      {boom, Unexpected},
		"an error with a code":                       {With(Locked, boom), Locked},
		"a wrapped error with a code":                {fmt.Errorf("take the lock: %w", With(Locked, boom)), Locked},
		"a joined error with a code":                 {errors.Join(boom, With(Locked, boom)), Locked},
		"the outermost code counts":                  {With(DesiredInvalid, fmt.Errorf("load: %w", With(SecretsUnreadable, boom))), DesiredInvalid},
		"an expired context without a code":          {fmt.Errorf("clone: %w", context.DeadlineExceeded), Deadline},
		"a code replaces that of an expired context": {With(SourceUnreachable, context.DeadlineExceeded), SourceUnreachable},
		"a cancelled context is not a deadline":      {context.Canceled, Unexpected},
		"an error with the code converged":           {With(Converged, boom), Converged},
	} {
		t.Run(name, func(t *testing.T) {
			if got := Of(test.err); got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}

func TestACodeDoesNotChangeTheError(t *testing.T) {
	boom := errors.New("boom")
	withCode := With(Forbidden, fmt.Errorf("list secrets: %w", boom))
	if withCode.Error() != "list secrets: boom" || !errors.Is(withCode, boom) {
		t.Errorf("the code changed the error: %v", withCode)
	}
	if With(Forbidden, nil) != nil {
		t.Error("With must return nil for a nil error")
	}
}

func TestTable(t *testing.T) {
	kebab := regexp.MustCompile(`^[a-z]+(-[a-z]+)*$`)
	names := map[string]bool{}
	last := Code(-1)
	for _, row := range Table {
		switch {
		case row.Code <= last:
			t.Errorf("%d comes after %d: codes must ascend and be unique", row.Code, last)
		case row.Code == 2:
			t.Error("a Go panic exits with 2")
		case row.Code > 255:
			t.Errorf("%d is not a valid exit status", row.Code)
		case !kebab.MatchString(row.Name) || names[row.Name]:
			t.Errorf("the name %q of %d is not kebab-case or not unique", row.Name, row.Code)
		case row.Meaning == "" || row.Retry == "":
			t.Errorf("%d is not explained", row.Code)
		case row.Code.String() != row.Name:
			t.Errorf("%d is printed as %q", row.Code, row.Code)
		}
		names[row.Name], last = true, row.Code
	}
	if got := Code(99).String(); got != "unknown" {
		t.Errorf("a code that is not in the table is printed as %q", got)
	}
}

// TestNumbersNeverChange repeats the numbers, so that a new row cannot change them by accident.
func TestNumbersNeverChange(t *testing.T) {
	want := map[Code]string{
		0: "converged", 1: "unexpected",
		10: "config-invalid", 11: "source-unreachable", 12: "source-refused", 13: "not-trusted", 14: "desired-invalid",
		15: "secrets-unreadable", 16: "cluster-unreachable", 17: "forbidden", 18: "releases-failed", 19: "prune-refused",
		20: "locked", 21: "deadline",
		143: "terminated",
	}
	got := map[Code]string{}
	for _, row := range Table {
		got[row.Code] = row.Name
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestEveryConstantIsInTheTable(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "exit.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	inTable := map[string]bool{}
	constants := map[string]bool{}
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.ValueSpec:
			if kind, ok := n.Type.(*ast.Ident); ok && kind.Name == "Code" {
				constants[n.Names[0].Name] = true
			}
		case *ast.CompositeLit:
			if n.Type == nil && len(n.Elts) > 0 { // a row
				inTable[n.Elts[0].(*ast.Ident).Name] = true
			}
		}
		return true
	})
	if len(constants) < 2 {
		t.Fatal("found no constants in exit.go")
	}
	if diff := cmp.Diff(constants, inTable); diff != "" {
		t.Errorf("constants (-) and table (+) differ:\n%s", diff)
	}
}
