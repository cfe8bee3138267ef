package main

import (
	"io/fs"
	"os"
)

// user is the user of the agent. It is not root. Distroless images use the same number, so many policies allow it.
const user = "65532:65532"

// entry is one file, directory or link of the image. Everything belongs to root, so that the agent cannot change its own files.
type entry struct {
	path    string // without a leading slash
	mode    fs.FileMode
	link    string // the target of a symbolic link
	content []byte
}

// baseEntries returns the files that a process needs from an operating system: certificates, users and a writable directory. Parents
// come before their children.
func baseEntries() ([]entry, error) {
	certificates, err := rootCertificates()
	if err != nil {
		return nil, err
	}
	return []entry{
		directory("etc", 0o755),
		file("etc/group", 0o644, []byte("nonroot:x:65532:\n")),
		file("etc/passwd", 0o644, []byte("nonroot:x:65532:65532:nonroot:/tmp:/sbin/nologin\n")),
		directory("etc/ssl", 0o755),
		directory("etc/ssl/certs", 0o755),
		file("etc/ssl/certs/ca-certificates.crt", 0o644, certificates),
		directory("tmp", 0o777|fs.ModeSticky),
	}, nil
}

// programEntries returns the agent under its three names, because helmfile runs helm and kustomize, and the agent acts as both.
func programEntries(binary string) ([]entry, error) {
	content, err := os.ReadFile(binary)
	if err != nil {
		return nil, err
	}
	return []entry{
		directory("usr", 0o755),
		directory("usr/local", 0o755),
		directory("usr/local/bin", 0o755),
		link("usr/local/bin/helm", "helmfile-agent"),
		file("usr/local/bin/helmfile-agent", 0o755, content),
		link("usr/local/bin/kustomize", "helmfile-agent"),
	}, nil
}

func directory(path string, mode fs.FileMode) entry {
	return entry{path: path, mode: fs.ModeDir | mode}
}

func file(path string, mode fs.FileMode, content []byte) entry {
	return entry{path: path, mode: mode, content: content}
}

func link(path, target string) entry {
	return entry{path: path, mode: fs.ModeSymlink | 0o777, link: target}
}
