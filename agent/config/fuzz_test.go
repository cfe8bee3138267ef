package config

import (
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// FuzzSettings states what holds for every value of every setting: no value makes the check panic, no message shows a
// secret, and what is accepted lies within the bounds that the other packages rely on.
func FuzzSettings(f *testing.F) {
	for i, k := range keys {
		f.Add(uint(i), k.fallback)
	}
	for i, value := range []string{"../x", "a=b,c", "-1", "1e99h", "100%", "1Pi", "Deployment.apps/shop/web:/spec/replicas", "*.example.org:443", "HEAD~1",
		"https://ada:hunter2@git.example.org/x?y#z", "::1/128", "key!=value", "\x00", "\xff"} {
		for j := range keys {
			f.Add(uint(j), value)
		}
		f.Add(uint(i), strings.Repeat(value, 100))
	}
	f.Fuzz(func(t *testing.T, which uint, value string) {
		k := keys[which%uint(len(keys))]
		var c Config
		if err := k.set(&c, []string{value}); err != nil {
			if k.secret && len(value) > 3 && strings.Contains(err.Error(), value) {
				t.Errorf("the message shows the secret %s: %v", k.name, err)
			}
			return
		}
		if problem := outOfBounds(k.name, c); problem != "" {
			t.Errorf("%s accepts %q: %s", k.name, value, problem)
		}
	})
}

// outOfBounds says which bound a configuration breaks after the setting was accepted.
func outOfBounds(name string, c Config) string {
	bounds := map[string]bool{
		"path":          c.Path == "" || filepath.IsLocal(c.Path) && filepath.Clean(c.Path) == c.Path,
		"timeout":       c.Timeout > 0,
		"concurrency":   c.Concurrency >= 1 && c.Concurrency <= 64,
		"pruneGrace":    c.PruneGrace >= 0,
		"pruneMaxShare": c.PruneMaxShare >= 0 && c.PruneMaxShare <= 100,
		"gitMaxFiles":   c.GitMaxFiles >= 1,
		"gitMaxSize":    c.GitMaxSize >= 1 && c.GitMaxSize <= maxSize.Value(),
		"loaderMemory":  c.LoaderMemory >= 1 && c.LoaderMemory <= maxSize.Value(),
		"loaderTime":    c.LoaderTime >= time.Second,
		"instance":      c.Instance != "" && len(c.Instance) <= 52,
		"namespace":     len(c.Namespace) <= 63,
		"ref":           !strings.ContainsAny(c.Ref, " \n\x00~^:") && !strings.HasPrefix(c.Ref, "-"),
	}
	for _, pair := range c.StateValuesSet {
		bounds["stateValuesSet"] = strings.Index(pair, "=") > 0 && !strings.Contains(pair, ",")
	}
	for _, rule := range c.DriftIgnore {
		for _, pointer := range rule.Paths {
			bounds["driftIgnore"] = len(pointer) > 1 && pointer[0] == '/'
		}
	}
	if fine, bounded := bounds[name]; bounded && !fine {
		return "it is out of bounds"
	}
	return ""
}

// FuzzSplitRepo states that no text is left with a password after the credentials were taken out, and that a message about
// it shows none.
func FuzzSplitRepo(f *testing.F) {
	for _, repo := range []string{"https://ada:hunter2@git.example.org/team/config", "https://token@host/x", "ssh://git@host:22/x", "git@host:path",
		"/srv/git", "https://a:b%zz@host/x", "https://ada:p@ss@host/x", "https://host/x?token=hunter2", "file:///x", "https://[::1", ""} {
		f.Add(repo)
	}
	f.Fuzz(func(t *testing.T, repo string) {
		clean, _, _ := SplitRepo(repo)
		if _, name, word := SplitRepo(clean); word != "" || name != "" && name != stars && !strings.HasPrefix(clean, "ssh://") {
			t.Errorf("%q is left with credentials: %q", repo, clean)
		}
		if u, err := url.Parse(clean); scheme.MatchString(clean) && err == nil && u.User != nil {
			if _, left := u.User.Password(); left {
				t.Errorf("%q is left with a password: %q", repo, clean)
			}
		}
		if at := strings.LastIndex(repo, "@"); scheme.MatchString(repo) && at > 0 {
			secret := repo[len(scheme.FindString(repo)):at]
			if len(secret) > len(stars) && !strings.Contains(repo[at:], secret) && strings.Contains(redact(repo), secret) {
				t.Errorf("%q is shown as %q", repo, redact(repo))
			}
		}
	})
}

// FuzzPasswordInFile states that no message about a file shows the password in it, however the password breaks the file.
func FuzzPasswordInFile(f *testing.F) {
	for _, password := range []string{"hunter2", "*hunter2", "[hunter2]", "{hunter2: x}", `"hunter2`, "!!int hunter2", "&hunter2 x", "hunter2: x", "|hunter2", "%hunter2", "- hunter2", "\thunter2"} {
		f.Add(password)
	}
	f.Fuzz(func(t *testing.T, password string) {
		if strings.ContainsAny(password, "\n\r\u0085\u2028\u2029") || len(password) < 6 {
			return // the next line is another setting, and what is shorter occurs in every message
		}
		_, wrong := parseFile("agent.yaml", []byte("gitPassword: "+password+"\nref: main\n"))
		if err := wrong.err(); err != nil && strings.Contains(err.Error(), password) {
			t.Errorf("the message shows the password: %v", err)
		}
	})
}

// FuzzFile states that no file makes the reader panic, and that a setting that is not a list has one value.
func FuzzFile(f *testing.F) {
	for _, content := range []string{"", "repo: https://git.example.org/x\n", "a: *b\n", "[", "---\n---\n", "selector:\n  - app=web\n", "timeout: {}\n", "<<: {repo: x}\n", "a: &a [*a]\n"} {
		f.Add([]byte(content))
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		given, _ := parseFile("agent.yaml", content)
		for _, s := range given {
			if len(s.values) != 1 && s.kind != list {
				t.Errorf("%s has %d values", s.name, len(s.values))
			}
		}
	})
}
