// Package references controls vals, the library with which helmfile resolves references such as ref+vault://. It replaces or guards the
// providers that cannot work in the loader, and sends resolved values to the agent's mask.
//
// It may import desired/loader/internal/decryption.
package references
