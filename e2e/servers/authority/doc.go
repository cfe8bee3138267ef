// Package authority makes a certificate authority for one test: its servers listen on loopback addresses only.
//
// It imports the standard library alone. Keys live in memory; whoever needs files writes them.
package authority
