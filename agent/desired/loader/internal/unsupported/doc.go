// Package unsupported finds what the agent does not support in a helmfile: settings, binaries, commands, and values that sops has
// encrypted. Each message names the file, the release or line, the setting, the reason and an alternative. The kernel and package decryption
// enforce the security: the checks here make the messages.
//
// It may import desired/loader/internal/parts.
package unsupported
