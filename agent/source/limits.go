package source

import (
	"fmt"

	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/helmfile-agent/helmfile-agent/agent/exit"
)

// Limits bound what a repository may bring. A limit of 0 allows nothing.
type Limits struct {
	Files    int   // files, links and directories of the checkout
	Size     int64 // bytes of all files of the checkout, and bytes of the download
	FileSize int64 // bytes of one file
}

// historyFactor is how much more than one checkout a download may bring. A few refs need the whole history, in which most
// objects are older versions of files.
const historyFactor = 20

// The settings that change the limits.
const (
	maxFiles    = "gitMaxFiles"
	maxSize     = "gitMaxSize"
	maxFileSize = "gitMaxFileSize"
)

func tooMany(what string, limit int) error {
	return exit.With(exit.SourceRefused, fmt.Errorf("%s, more than %d: remove some, or raise %s", what, limit, maxFiles))
}

func tooLarge(what string, limit int64, setting string) error {
	return exit.With(exit.SourceRefused, fmt.Errorf("%s, more than %s: remove large files, or raise %s", what, quantity(limit), setting))
}

// quantity is a number of bytes as the settings spell it.
func quantity(n int64) string { return resource.NewQuantity(n, resource.BinarySI).String() }
