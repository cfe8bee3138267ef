package loader

import (
	"os"
)

// warnOfDisk is called when something was decrypted. The agent has made it known to the mask.
func (e *engine) warnOfDisk() {
	e.onDisk.Do(func() {
		if dir := os.TempDir(); !inMemory(dir) {
			e.req.log.Warn("secrets are decrypted into a directory on a disk: mount memory there, or set TMPDIR", "dir", dir)
		}
	})
}
