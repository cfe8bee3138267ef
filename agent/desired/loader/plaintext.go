package loader

import (
	"os"
)

// learnPlain is told of everything that was decrypted, before anybody uses it.
func (e *engine) learnPlain(plain []byte) {
	learnPlain(e.req.Mask, plain)
	e.onDisk.Do(func() {
		if dir := os.TempDir(); !inMemory(dir) {
			e.req.Log.Warn("secrets are decrypted into a directory on a disk: mount memory there, or set TMPDIR", "dir", dir)
		}
	})
}
