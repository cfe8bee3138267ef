# The image of helmfile-agent, to build with docker, podman or buildah. `make image` builds the same files without these
# tools, and `make image-dockerfile` checks that they are the same. docs/image.md says how to build the image reproducibly
# and behind a firewall.

ARG GO_IMAGE=docker.io/library/golang:1.26.8-alpine

FROM --platform=$BUILDPLATFORM ${GO_IMAGE} AS build
WORKDIR /src
COPY . .
# Both are optional. Without them, Go uses its defaults.
ARG GOPROXY
ARG GOSUMDB
# The same tags as in the Makefile; a test in deploy/image checks this.
ARG TAGS=custom_providers,sops,k8s,vault,aws,gcp,azure
ARG VERSION=dev
ARG COMMIT=unknown
ARG DATE=unknown
ARG TARGETARCH
RUN --mount=type=cache,target=/root/.cache/go-build --mount=type=cache,target=/go/pkg/mod \
    CGO_ENABLED=0 GOOS=linux GOARCH=$TARGETARCH go build -buildvcs=false -trimpath -tags=$TAGS \
      -ldflags "-s -w -X main.version=$VERSION -X main.commit=$COMMIT -X main.date=$DATE" \
      -o /out/helmfile-agent ./cmd/helmfile-agent && \
    CGO_ENABLED=0 go -C deploy/image run -trimpath . tree -binary /out/helmfile-agent /rootfs

FROM scratch
COPY --from=build /rootfs/ /
ENV PATH=/usr/local/bin \
    HOME=/tmp \
    SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt
WORKDIR /
USER 65532:65532
ENTRYPOINT ["/usr/local/bin/helmfile-agent"]
ARG VERSION=dev
ARG COMMIT=unknown
ARG DATE=unknown
LABEL org.opencontainers.image.title="helmfile-agent" \
      org.opencontainers.image.description="GitOps with Helm for users who are not cluster admins" \
      org.opencontainers.image.source="https://github.com/helmfile-agent/helmfile-agent" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$COMMIT" \
      org.opencontainers.image.created="$DATE"
