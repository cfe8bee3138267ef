// Package files reads local charts. It reads each file once, and only below the directories that it is limited to, because another
// process may change the files meanwhile.
package files
