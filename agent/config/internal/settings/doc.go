// Package settings describes the settings of the agent and reads them from flags, from the environment and from a YAML file.
//
// A [Table] lists the settings. Its methods return one [Entry] for each setting that a source gives, with the values as they were
// written, and one [Problem] for each mistake. The package does not know what the values mean: package config checks and uses them.
//
// It may import package exit.
package settings
