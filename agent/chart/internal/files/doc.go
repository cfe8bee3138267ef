// Package files reads local charts. It reads files only below the allowed directories. It reads each file once, because another process
// may change it at any time.
package files
