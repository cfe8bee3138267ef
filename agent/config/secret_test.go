package config

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"
	kyaml "sigs.k8s.io/yaml"
)

func TestSecretIsNeverPrinted(t *testing.T) {
	const password = "hunter2"
	c := Config{Repo: "https://git.example", GitUsername: password, GitPassword: password}
	printed := map[string]string{}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%10v", "%t"} {
		printed["secret "+verb] = fmt.Sprintf(verb, c.GitPassword)
		printed["config "+verb] = fmt.Sprintf(verb, c)
		printed["pointer "+verb] = fmt.Sprintf(verb, &c)
		printed["list "+verb] = fmt.Sprintf(verb, []Secret{password})
	}
	for name, marshal := range map[string]func(any) ([]byte, error){"json": json.Marshal, "yaml": yaml.Marshal, "kyaml": kyaml.Marshal} {
		out, err := marshal(c)
		printed[name] = string(out) + fmt.Sprint(err)
	}
	for name, handler := range map[string]func(*bytes.Buffer) slog.Handler{
		"slog json": func(b *bytes.Buffer) slog.Handler { return slog.NewJSONHandler(b, nil) },
		"slog text": func(b *bytes.Buffer) slog.Handler { return slog.NewTextHandler(b, nil) },
	} {
		var out bytes.Buffer
		slog.New(handler(&out)).Info("configuration", "password", c.GitPassword, "config", c, "pointer", &c)
		printed[name] = out.String()
	}
	for how, text := range printed {
		if strings.Contains(text, password) || strings.Contains(strings.ToLower(text), fmt.Sprintf("%x", password)) {
			t.Errorf("%s prints the secret: %s", how, text)
		}
	}
	if fmt.Sprintf("%v, %v", Secret(""), c.GitPassword) != ", "+stars {
		t.Error("an empty secret must print as an empty text, any other as stars")
	}
}
