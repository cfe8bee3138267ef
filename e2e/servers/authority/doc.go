// Package authority creates a certificate authority for one test, whose servers listen only on loopback addresses.
//
// It imports only the standard library. Keys are in memory; callers write files if they need them.
package authority
