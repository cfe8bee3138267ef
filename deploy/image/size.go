package main

import (
	"fmt"
	"io"
	"text/tabwriter"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// size has the bytes that a node downloads for an image, and those that the image needs on its disk.
type size struct {
	compressed int64
	unpacked   int64
}

func sizeOf(image v1.Image) (size, error) {
	var total size
	manifest, err := image.Manifest()
	if err != nil {
		return total, err
	}
	total.compressed = manifest.Config.Size
	layers, err := image.Layers()
	if err != nil {
		return total, err
	}
	for _, layer := range layers {
		packed, unpacked, err := layerSize(layer)
		if err != nil {
			return total, err
		}
		total.compressed += packed
		total.unpacked += unpacked
	}
	return total, nil
}

func layerSize(layer v1.Layer) (packed, unpacked int64, err error) {
	if packed, err = layer.Size(); err != nil {
		return 0, 0, err
	}
	content, err := layer.Uncompressed()
	if err != nil {
		return 0, 0, err
	}
	defer content.Close()
	unpacked, err = io.Copy(io.Discard, content)
	return packed, unpacked, err
}

// printTable prints the images with their sizes. A megabyte is 10⁶ bytes, as in registries.
func printTable(out io.Writer, output string, list []built) error {
	table := tabwriter.NewWriter(out, 0, 0, 3, ' ', 0)
	fmt.Fprintln(table, "PLATFORM\tCOMPRESSED\tUNPACKED\tDIGEST")
	for _, b := range list {
		digest, err := b.image.Digest()
		if err != nil {
			return err
		}
		s, err := sizeOf(b.image)
		if err != nil {
			return err
		}
		fmt.Fprintf(table, "linux/%s\t%.1f MB\t%.1f MB\t%s\n", b.arch, megabytes(s.compressed), megabytes(s.unpacked), digest)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	fmt.Fprintf(out, "\n%s\n", output)
	for _, b := range list {
		fmt.Fprintln(out, billPath(output, b.arch))
	}
	return nil
}

// withinLimit fails the build if the image becomes too large, for example because of a new dependency. The limit is only for amd64,
// because the size of the code differs a little between platforms.
func withinLimit(list []built, limit int64) error {
	for _, b := range list {
		if b.arch != "amd64" || limit == 0 {
			continue
		}
		s, err := sizeOf(b.image)
		if err != nil {
			return err
		}
		if s.compressed > limit {
			return fmt.Errorf("the image for amd64 has %.1f MB compressed, more than %.1f MB", megabytes(s.compressed), megabytes(limit))
		}
	}
	return nil
}

func megabytes(bytes int64) float64 { return float64(bytes) / 1e6 }
