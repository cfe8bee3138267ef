//go:build !linux

package desired

import (
	"syscall"
	"time"
)

const drain = time.Second

func ownGroup() *syscall.SysProcAttr { return nil }

// kill ends the loader; its children notice that their parent is gone.
func (l *Loader) kill() {
	select {
	case <-l.ended:
	default:
		_ = l.process.Process.Kill() // it may have ended meanwhile
	}
}

func hideMemory() {}
