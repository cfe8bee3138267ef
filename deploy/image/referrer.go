package main

import (
	"bytes"
	"encoding/json"
	"io"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

const emptyMediaType = "application/vnd.oci.empty.v1+json"

// appendBill attaches a bill of materials to an image as OCI 1.1 describes: as an artifact whose subject is the image. A registry lists
// it as a referrer of the image, and oras, cosign and Trivy find it there. A layout has no such list, so index.json names the
// artifact, as the specification requires.
func appendBill(path layout.Path, image v1.Image, bill []byte, release Release) error {
	subject, err := descriptorOf(image)
	if err != nil {
		return err
	}
	nothing, err := appendBlob(path, emptyMediaType, []byte("{}"))
	if err != nil {
		return err
	}
	content, err := appendBlob(path, sbomMediaType, bill)
	if err != nil {
		return err
	}
	created := map[string]string{"org.opencontainers.image.created": release.Created}
	manifest, err := json.Marshal(v1.Manifest{
		SchemaVersion: 2,
		MediaType:     types.OCIManifestSchema1,
		ArtifactType:  sbomMediaType,
		Config:        nothing,
		Layers:        []v1.Descriptor{content},
		Subject:       &subject,
		Annotations:   created,
	})
	if err != nil {
		return err
	}
	artifact, err := appendBlob(path, types.OCIManifestSchema1, manifest)
	if err != nil {
		return err
	}
	artifact.ArtifactType, artifact.Annotations = sbomMediaType, created
	return path.AppendDescriptor(artifact)
}

func appendBlob(path layout.Path, kind types.MediaType, content []byte) (v1.Descriptor, error) {
	digest, size, err := v1.SHA256(bytes.NewReader(content))
	if err != nil {
		return v1.Descriptor{}, err
	}
	err = path.WriteBlob(digest, io.NopCloser(bytes.NewReader(content)))
	return v1.Descriptor{MediaType: kind, Size: size, Digest: digest}, err
}
