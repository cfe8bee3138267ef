package decryption

import (
	"log/slog"
	"os"
)

// warnIfOnDisk logs a warning if decrypted files are written to a disk.
func warnIfOnDisk(log *slog.Logger) {
	if dir := os.TempDir(); !inMemory(dir) {
		log.Warn("secrets are decrypted into a directory on a disk: mount memory there, or set TMPDIR", "dir", dir)
	}
}
