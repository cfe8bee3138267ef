// Package secrets decrypts files with the keys that were given to the agent. It is the only package that uses sops.
//
// It may import exit. Keys, paths and ciphertext come in; plaintext goes out. It writes no file.
package secrets
