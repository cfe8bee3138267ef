package config

import (
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// FuzzSettings checks every value of every setting: no value makes the check panic, no message shows a
// secret, and accepted values are within the bounds that other packages rely on.
func FuzzSettings(f *testing.F) {
	for i, s := range allSettings {
		f.Add(uint(i), s.Default)
	}
	for i, value := range []string{"../x", "a=b,c", "-1", "1e99h", "100%", "1Pi", "Deployment.apps/shop/web:/spec/replicas", "*.example.org:443", "HEAD~1",
		"https://ada:hunter2@git.example.org/x?y#z", "::1/128", "key!=value", "\x00", "\xff"} {
		for j := range allSettings {
			f.Add(uint(j), value)
		}
		f.Add(uint(i), strings.Repeat(value, 100))
	}
	f.Fuzz(func(t *testing.T, which uint, value string) {
		s := allSettings[which%uint(len(allSettings))]
		var c Config
		if err := s.store(&c, []string{value}); err != nil {
			if s.Secret && len(value) > 3 && strings.Contains(err.Error(), value) {
				t.Errorf("the message shows the secret %s: %v", s.Name, err)
			}
			return
		}
		if problem := outOfBounds(s.Name, c); problem != "" {
			t.Errorf("%s accepts %q: %s", s.Name, value, problem)
		}
	})
}

// outOfBounds returns which bound an accepted value breaks.
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

// FuzzSplitRepo checks that no text contains a password after SplitRepo removed the credentials, and that a message about
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
