package main

import (
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// imageOf makes the image of one platform. The program is in a separate layer, so that two versions share the other one.
func imageOf(release Release, arch, binary string) (v1.Image, error) {
	base, err := baseEntries()
	if err != nil {
		return nil, err
	}
	program, err := programEntries(binary)
	if err != nil {
		return nil, err
	}
	image, err := mutate.ConfigFile(ociImage(), configFile(release, arch))
	if err != nil {
		return nil, err
	}
	for _, part := range []struct {
		what    string
		entries []entry
	}{{"certificates, user, /tmp", base}, {"helmfile-agent", program}} {
		layer, err := layerOf(part.entries, release.Date)
		if err != nil {
			return nil, err
		}
		history := v1.History{CreatedBy: "make image", Comment: part.what, Created: v1.Time{Time: release.Date}}
		if image, err = mutate.Append(image, mutate.Addendum{Layer: layer, History: history}); err != nil {
			return nil, err
		}
	}
	return mutate.Annotations(image, labels(release)).(v1.Image), nil
}

func ociImage() v1.Image {
	return mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON)
}

func configFile(release Release, arch string) *v1.ConfigFile {
	return &v1.ConfigFile{
		Architecture: arch,
		OS:           "linux",
		Created:      v1.Time{Time: release.Date},
		RootFS:       v1.RootFS{Type: "layers"},
		Config: v1.Config{
			User:       user,
			Entrypoint: []string{"/usr/local/bin/helmfile-agent"},
			WorkingDir: "/",
			Env: []string{
				"PATH=/usr/local/bin",
				"HOME=/tmp",
				"SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt",
			},
			Labels: labels(release),
		},
	}
}

// labels returns the labels with OCI's own keys. They are in the configuration, for docker inspect, and in the annotations of the
// manifest, for registries.
func labels(release Release) map[string]string {
	return map[string]string{
		"org.opencontainers.image.title":       "helmfile-agent",
		"org.opencontainers.image.description": "GitOps with Helm for users who are not cluster admins",
		"org.opencontainers.image.source":      "https://github.com/helmfile-agent/helmfile-agent",
		"org.opencontainers.image.licenses":    "Apache-2.0",
		"org.opencontainers.image.version":     release.Version,
		"org.opencontainers.image.revision":    release.Commit,
		"org.opencontainers.image.created":     release.Created,
	}
}
