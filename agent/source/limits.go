package source

import (
	"fmt"

	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/helmfile-agent/helmfile-agent/agent/exit"
)

// Limits are the largest number and sizes of files that the agent accepts. A limit of 0 accepts no files.
type Limits struct {
	Files    int   // files, links and directories of the checkout
	Size     int64 // bytes of all files of the checkout, and bytes of the download
	FileSize int64 // bytes of one file
}

// historyFactor is how many times the limits of a checkout the unpacked download may have. Some refs need the whole history, and most
// objects of a history are older versions of files.
const historyFactor = 20

// The names of the settings, for messages.
const (
	maxFiles    = "gitMaxFiles"
	maxSize     = "gitMaxSize"
	maxFileSize = "gitMaxFileSize"
)

func tooMany(finding string, limit int) error {
	return exit.With(exit.SourceRefused, fmt.Errorf("%s, more than %d: remove some, or raise %s", finding, limit, maxFiles))
}

func tooLarge(finding string, limit int64, setting string) error {
	return exit.With(exit.SourceRefused, fmt.Errorf("%s, more than %s: remove large files, or raise %s", finding, quantity(limit), setting))
}

// quantity formats a number of bytes like the values of the settings, for example 2Mi.
func quantity(n int64) string { return resource.NewQuantity(n, resource.BinarySI).String() }
