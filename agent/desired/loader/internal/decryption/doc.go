// Package decryption has the agent decrypt the files of the repository, records why it failed, and warns if decrypted files are written to
// a disk.
//
// It may import secrets and broker.
package decryption
