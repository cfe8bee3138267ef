// Package secrets turns an encrypted file into plain values, and masks every value it is told of wherever text leaves the
// process. It is the only door to sops.
//
// It may import exit. Keys, paths and plaintext come in; plaintext and masked text go out. It writes no file. Child processes
// get plaintext through a socket: they need no keys, and this process knows what they read.
package secrets
