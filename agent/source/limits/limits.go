// Package limits bounds what a repository may contain, and refuses a download that exceeds the limits.
//
// It may import exit. Numbers, sizes and packs come in; errors with exit code SourceRefused go out.
package limits

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

// The names of the settings, for messages.
const (
	MaxFiles    = "gitMaxFiles"
	MaxSize     = "gitMaxSize"
	MaxFileSize = "gitMaxFileSize"
)

// TooManyFiles returns the error for a finding such as "the directory has at least 6 files".
func TooManyFiles(finding string, limit int) error {
	return exit.With(exit.SourceRefused, fmt.Errorf("%s, more than %d: remove some, or raise %s", finding, limit, MaxFiles))
}

// TooLarge returns the error for a finding such as "the files have at least 6 bytes". The setting is MaxSize or MaxFileSize.
func TooLarge(finding string, limit int64, setting string) error {
	return exit.With(exit.SourceRefused, fmt.Errorf("%s, more than %s: remove large files, or raise %s", finding, quantity(limit), setting))
}

// quantity formats a number of bytes like the values of the settings, for example 2Mi.
func quantity(n int64) string { return resource.NewQuantity(n, resource.BinarySI).String() }
