// Package schema refuses a values schema for which Helm would open a file or send a request.
package schema
