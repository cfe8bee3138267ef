package main

import (
	"bytes"
	"crypto/sha256"
	"debug/buildinfo"
	"encoding/hex"
	"fmt"
	"os"
	"runtime/debug"
	"strings"

	"github.com/CycloneDX/cyclonedx-go"
)

const sbomMediaType = "application/vnd.cyclonedx+json"

// billOf lists the modules that the linker put into this binary. It reads them from the binary, because go.mod has more modules and
// binaries of other platforms have other ones. The format is CycloneDX, in a version that scanners support.
func billOf(release Release, arch, binary string) ([]byte, error) {
	info, err := buildinfo.ReadFile(binary)
	if err != nil {
		return nil, err
	}
	if built := setting(info, "GOARCH"); built != arch {
		return nil, fmt.Errorf("%s is built for %s, not for %s", binary, built, arch)
	}
	content, err := os.ReadFile(binary)
	if err != nil {
		return nil, err
	}
	digest := sha256.Sum256(content)
	bill := cyclonedx.NewBOM()
	bill.SerialNumber = serialNumber(digest)
	bill.Metadata = &cyclonedx.Metadata{
		Timestamp: release.Created,
		Component: agentComponent(release, info, digest),
	}
	bill.Components = moduleComponents(info)
	var out bytes.Buffer
	encoder := cyclonedx.NewBOMEncoder(&out, cyclonedx.BOMFileFormatJSON).SetPretty(true).SetEscapeHTML(false)
	if err := encoder.EncodeVersion(bill, cyclonedx.SpecVersion1_6); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

func setting(info *debug.BuildInfo, key string) string {
	for _, s := range info.Settings {
		if s.Key == key {
			return s.Value
		}
	}
	return ""
}

// serialNumber returns a UUID from the binary's digest (version 8, "vendor-specific"). With a random one, two builds would differ.
func serialNumber(digest [sha256.Size]byte) string {
	digest[6] = digest[6]&0x0f | 0x80
	digest[8] = digest[8]&0x3f | 0x80
	return fmt.Sprintf("urn:uuid:%x-%x-%x-%x-%x", digest[0:4], digest[4:6], digest[6:8], digest[8:10], digest[10:16])
}

func agentComponent(release Release, info *debug.BuildInfo, digest [sha256.Size]byte) *cyclonedx.Component {
	c := component(cyclonedx.ComponentTypeApplication, info.Main.Path, release.Version)
	c.Hashes = &[]cyclonedx.Hash{{Algorithm: cyclonedx.HashAlgoSHA256, Value: hex.EncodeToString(digest[:])}}
	c.Licenses = &cyclonedx.Licenses{{License: &cyclonedx.License{ID: "Apache-2.0"}}}
	c.Properties = &[]cyclonedx.Property{
		{Name: "golang:commit", Value: release.Commit},
		{Name: "golang:GOOS", Value: setting(info, "GOOS")},
		{Name: "golang:GOARCH", Value: setting(info, "GOARCH")},
		{Name: "golang:tags", Value: setting(info, "-tags")},
	}
	return &c
}

// moduleComponents returns every module, and Go's own library under the name that vulnerability databases use.
func moduleComponents(info *debug.BuildInfo) *[]cyclonedx.Component {
	list := []cyclonedx.Component{
		component(cyclonedx.ComponentTypeLibrary, "stdlib", strings.TrimPrefix(info.GoVersion, "go")),
	}
	for _, module := range info.Deps {
		list = append(list, moduleComponent(module))
	}
	return &list
}

// moduleComponent lists the module that was compiled. For a replaced module this is the replacement, with the original module as its
// ancestor.
func moduleComponent(module *debug.Module) cyclonedx.Component {
	compiled := module
	if module.Replace != nil {
		compiled = module.Replace
	}
	c := component(cyclonedx.ComponentTypeLibrary, compiled.Path, compiled.Version)
	if compiled.Sum != "" {
		c.Properties = &[]cyclonedx.Property{{Name: "golang:sum", Value: compiled.Sum}}
	}
	if module.Replace != nil {
		replaced := component(cyclonedx.ComponentTypeLibrary, module.Path, module.Version)
		replaced.BOMRef = ""
		c.Pedigree = &cyclonedx.Pedigree{
			Ancestors: &[]cyclonedx.Component{replaced},
			Notes:     fmt.Sprintf("replaces %s %s in go.mod", module.Path, module.Version),
		}
	}
	return c
}

func component(kind cyclonedx.ComponentType, path, version string) cyclonedx.Component {
	url := packageURL(path, version)
	return cyclonedx.Component{BOMRef: url, Type: kind, Name: path, Version: version, PackageURL: url}
}

// packageURL names a module as vulnerability databases do. The specification requires Go's paths in lower case.
func packageURL(path, version string) string {
	return "pkg:golang/" + strings.ToLower(path) + "@" + strings.ReplaceAll(version, "+", "%2B")
}
