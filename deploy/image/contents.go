package main

import (
	"io/fs"
	"os"
)

// user is whom the agent runs as: not root, and the number that distroless images use too, which policies know.
const user = "65532:65532"

// entry is one file, directory or link of the image. Everything belongs to root, so that the agent cannot change itself.
type entry struct {
	path    string // without a leading slash
	mode    fs.FileMode
	link    string // where a symbolic link leads
	content []byte
}

// baseEntries is what a process needs of an operating system, and the agent of its surroundings: whom to trust, who it
// is, and where to write. Parents stand before their children.
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

// programEntries is the agent under its three names: helmfile runs helm and kustomize, and the agent answers as both.
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
