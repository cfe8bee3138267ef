#!/usr/bin/env bash
# Builds the Dockerfile twice for each platform with Debian's buildah, without a daemon and without a registry, and compares the result
# with `make image`: dockerfile.sh ARCHIVE VERSION COMMIT DATE
#
# The base image of the Go stage consists of this machine's Go, busybox-static and certificates. The build uses Go's caches of
# this machine, so it takes as long as `go build`.
set -euo pipefail
shopt -s inherit_errexit
archive=$1 version=$2 commit=$3 date=$4
here=$(cd "$(dirname "$0")" && pwd)
source=$(cd "$here/../.." && pwd)

for tool in buildah busybox; do
	command -v $tool >/dev/null || { echo "$tool is missing: apt-get install buildah busybox-static" >&2; exit 1; }
done

scratch=$(mktemp -d "${TMPDIR:-/var/tmp}/image-dockerfile.XXXXXX")
trap 'rm -rf "$scratch"' EXIT
buildah="buildah --root $scratch/storage --runroot $scratch/run --storage-driver vfs"

# go_image makes a base image with the parts of golang:alpine that the Dockerfile needs: a shell and Go, at their usual paths.
go_image() {
	local container
	container=$($buildah from scratch)
	$buildah copy --quiet "$container" "$(go env GOROOT)" /usr/local/go >/dev/null
	$buildah copy --quiet "$container" "$(command -v busybox)" /bin/sh >/dev/null
	$buildah copy --quiet "$container" /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt >/dev/null
	$buildah config --env PATH=/usr/local/go/bin:/bin --env GOPATH=/go --env HOME=/root --env GOTOOLCHAIN=local "$container"
	mkdir -p "$scratch/tmp" && chmod 1777 "$scratch/tmp"
	$buildah copy --quiet "$container" "$scratch/tmp" /tmp >/dev/null
	$buildah commit --quiet --rm "$container" "$1" >/dev/null
}

# build NAME ARCHITECTURE builds an image and prints its digest. Debian's buildah does not set BUILDPLATFORM.
build() {
	$buildah build --quiet --isolation chroot --no-cache --pull-never --platform "linux/$2" --timestamp "$(date -d "$date" +%s)" \
		--build-arg GO_IMAGE=localhost/go --build-arg BUILDPLATFORM="linux/$(go env GOARCH)" \
		--build-arg GOPROXY="$(go env GOPROXY)" --build-arg GOSUMDB="$(go env GOSUMDB)" \
		--build-arg VERSION="$version" --build-arg COMMIT="$commit" --build-arg DATE="$date" \
		--volume "$(go env GOMODCACHE):/go/pkg/mod" --volume "$(go env GOCACHE):/root/.cache/go-build" \
		--tag "localhost/agent:$1" "$source" >/dev/null
	$buildah push --quiet "localhost/agent:$1" "oci:$scratch/$1"
	grep -o 'sha256:[0-9a-f]*' "$scratch/$1/index.json"
}

echo "base image from $(go version)"
go_image localhost/go
for arch in amd64 arm64; do
	first=$(build "first-$arch" $arch)
	second=$(build "second-$arch" $arch)
	echo "linux/$arch built from the Dockerfile: $first"
	[ "$first" = "$second" ] || { echo "built once more: $second" >&2; exit 1; }
	echo "built once more: the same digest"
	go -C "$here" run . compare $arch "$archive" "$scratch/first-$arch"
done
