package config

import (
	"os"
	"path/filepath"
	"testing"
)

func TestDefaultMemory(t *testing.T) {
	for name, test := range map[string]struct {
		files map[string]string
		given int64
		want  int64
	}{
		"no cgroup":             {nil, 0, 512 << 20},
		"no limit":              {map[string]string{"sys/fs/cgroup/memory.max": "max\n"}, 0, 512 << 20},
		"a limit of version 2":  {map[string]string{"sys/fs/cgroup/memory.max": "1048576000\n"}, 0, 419430400},
		"a limit of version 1":  {map[string]string{"sys/fs/cgroup/memory/memory.limit_in_bytes": "1048576000\n"}, 0, 419430400},
		"no limit of version 1": {map[string]string{"sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n"}, 0, 512 << 20},
		"a small limit":         {map[string]string{"sys/fs/cgroup/memory.max": "134217728\n"}, 0, 128 << 20},
		"a limit of a cgroup above": {map[string]string{
			"proc/self/cgroup":                            "0::/pods/pod/container\n",
			"sys/fs/cgroup/pods/pod/memory.max":           "1048576000\n",
			"sys/fs/cgroup/pods/pod/container/memory.max": "max\n",
		}, 0, 419430400},
		"a named cgroup of version 1": {map[string]string{
			"proc/self/cgroup": "3:cpu:/other\n4:memory,blkio:/pod\n",
			"sys/fs/cgroup/memory/pod/memory.limit_in_bytes": "1048576000\n",
		}, 0, 419430400},
		"a setting": {map[string]string{"sys/fs/cgroup/memory.max": "1048576000\n"}, 1 << 30, 1 << 30},
	} {
		t.Run(name, func(t *testing.T) {
			root := t.TempDir()
			for file, content := range test.files {
				if err := os.MkdirAll(filepath.Dir(filepath.Join(root, file)), 0o700); err != nil {
					t.Fatal(err)
				}
				write(t, filepath.Join(root, file), content)
			}
			b := builder{command: Run, config: Config{LoaderMemory: test.given}}
			b.defaultMemory(root)
			if b.config.LoaderMemory != test.want {
				t.Errorf("got %d, want %d", b.config.LoaderMemory, test.want)
			}
		})
	}
}
