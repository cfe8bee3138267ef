// Command image builds helmfile-agent's container image without a container tool: an OCI archive with an image and a
// software bill of materials for each platform.
//
// Only contents.go lists the content of the image. The Dockerfile gets its files from the same list (the command tree), and the
// command compare shows that both ways make the same image.
//
// It is a separate module, so that its libraries are not in the product's go.mod, and so that the certificates in the image have
// their own version. It does not import packages of the agent.
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"time"
)

const usage = `usage:
  image archive -name N -version V -commit C -date D -output FILE [-limit BYTES] amd64=BINARY [arm64=BINARY]
  image tree -binary BINARY DIRECTORY
  image compare ARCHITECTURE ARCHIVE-OR-LAYOUT ARCHIVE-OR-LAYOUT`

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "image:", err)
		os.Exit(1)
	}
}

func run(args []string, out io.Writer) error {
	if len(args) == 0 {
		return fmt.Errorf("the command is missing\n%s", usage)
	}
	switch args[0] {
	case "archive":
		return archiveCommand(args[1:], out)
	case "tree":
		return treeCommand(args[1:])
	case "compare":
		return compareCommand(args[1:], out)
	}
	return fmt.Errorf("unknown command %q\n%s", args[0], usage)
}

// Release has the labels of an image. The build knows nothing else, such as the time or the name of the machine.
type Release struct {
	Name    string    // repository, for instance ghcr.io/helmfile-agent/helmfile-agent
	Version string    // also the tag
	Commit  string    // the git revision
	Created string    // the commit's date as git prints it
	Date    time.Time // the same, as the date of every file
}

func archiveCommand(args []string, out io.Writer) error {
	var release Release
	var output string
	var limit int64
	flags := flag.NewFlagSet("archive", flag.ContinueOnError)
	flags.StringVar(&release.Name, "name", "", "the image's name, without a tag")
	flags.StringVar(&release.Version, "version", "", "the version, which becomes the tag")
	flags.StringVar(&release.Commit, "commit", "", "the commit's hash")
	flags.StringVar(&release.Created, "date", "", "the commit's date, RFC 3339")
	flags.StringVar(&output, "output", "", "the archive to write")
	flags.Int64Var(&limit, "limit", 0, "the most compressed bytes that an amd64 image may have; 0 for no limit")
	if err := flags.Parse(args); err != nil {
		return err
	}
	var err error
	if release.Date, err = time.Parse(time.RFC3339, release.Created); err != nil {
		return fmt.Errorf("the image gets the date of its commit, but the date is invalid: %w", err)
	}
	release.Date = release.Date.UTC()
	binaries, err := parseBinaries(flags.Args())
	if err != nil {
		return err
	}
	built, err := writeArchive(output, release, binaries)
	if err != nil {
		return fmt.Errorf("build %s: %w", output, err)
	}
	if err := printTable(out, output, built); err != nil {
		return err
	}
	return withinLimit(built, limit)
}

func treeCommand(args []string) error {
	flags := flag.NewFlagSet("tree", flag.ContinueOnError)
	binary := flags.String("binary", "", "the agent's binary")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() != 1 {
		return fmt.Errorf("tree takes one directory\n%s", usage)
	}
	return writeTree(flags.Arg(0), *binary)
}

func compareCommand(args []string, out io.Writer) error {
	if len(args) != 3 {
		return fmt.Errorf("compare takes an architecture and two images\n%s", usage)
	}
	return compare(out, args[0], args[1], args[2])
}
