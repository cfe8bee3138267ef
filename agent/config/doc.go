// Package config is everything the run was told, read once and validated before anything else happens.
//
// In go flags, the environment, and a YAML file; out comes one plain [Config], or one error that lists every problem at
// once. The same keys exist in all three sources: the flag --log-format, the variable HELMFILE_AGENT_LOG_FORMAT and the
// file's logFormat are one key, described once in the table in settings.go. A flag wins over the environment, the environment
// over the file, the file over the default. It is the only door to the environment and to mounted configuration files.
//
// It may import exit and no other room.
package config
