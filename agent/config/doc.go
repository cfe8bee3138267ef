// Package config reads the configuration of a command once, and validates it before anything else happens.
//
// Flags, the environment and a YAML file give the settings; [Load] returns one [Config], or one error that lists every problem. Every
// setting exists in all three: the flag --log-format, the variable HELMFILE_AGENT_LOG_FORMAT and the key logFormat are the same
// setting. The table in settings.go describes it once. A flag wins over the environment, the environment over the file, and the file
// over the default. No other package reads settings of the agent from the environment or from files.
//
// It may import packages exit, egress, release and config/internal/settings.
package config
