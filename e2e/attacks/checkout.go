package attacks

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
)

// ShowChart is a chart in every hostile repository. It puts all values into a ConfigMap, where everyone can read them.
var ShowChart = map[string]string{
	"charts/show/Chart.yaml": "apiVersion: v2\nname: show\nversion: 1.0.0\n",
	"charts/show/templates/values.yaml": `apiVersion: v1
kind: ConfigMap
metadata: {name: "{{ .Release.Name }}"}
data:
  values: {{ toYaml .Values | quote }}
`,
}

// Write writes the hostile repository to a directory, with its placeholders replaced and its links made. A file that
// starts with "#!" is executable.
func (a Attack) Write(dir string, words *strings.Replacer) error {
	files := map[string]string{}
	for name, content := range a.Repo {
		files[name] = words.Replace(content)
	}
	maps.Copy(files, ShowChart)
	if err := WriteFiles(dir, files); err != nil {
		return err
	}
	for name, to := range a.Links {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			return err
		}
		if err := os.Symlink(words.Replace(to), path); err != nil {
			return err
		}
	}
	for name, size := range a.Sparse {
		if err := writeSparse(filepath.Join(dir, name), size); err != nil {
			return err
		}
	}
	return nil
}

// WriteFiles writes files to a directory. A content that starts with "#!" is executable.
func WriteFiles(dir string, files map[string]string) error {
	for name, content := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			return err
		}
		mode := os.FileMode(0o600)
		if strings.HasPrefix(content, "#!") {
			mode = 0o700
		}
		if err := os.WriteFile(path, []byte(content), mode); err != nil {
			return err
		}
	}
	return nil
}

func writeSparse(path string, size int64) error {
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		return err
	}
	if err := os.Truncate(path, size); err != nil {
		return fmt.Errorf("make a file of %d zeros: %w", size, err)
	}
	return nil
}
