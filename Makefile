# All targets need only Go, git and make. They build all other tools from Go modules.
SHELL := /bin/bash
.SHELLFLAGS := -o pipefail -ec
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

# Without tags, helmfile's library vals links the clients of all secret stores; docs/binary-size.md has the sizes.
TAGS := custom_providers,sops,k8s,vault,aws,gcp,azure

# Builds and tests use the same flags, so that they share the build cache.
export CGO_ENABLED := 0
export GOFLAGS := -trimpath -tags=$(TAGS)

VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
COMMIT  := $(shell git rev-parse HEAD 2>/dev/null || echo unknown)
DATE    := $(shell git log -1 --format=%cI 2>/dev/null || echo unknown)
STRIP   := -s -w
STAMP   := $(STRIP) -X main.version=$(VERSION) -X main.commit=$(COMMIT) -X main.date=$(DATE)

# The cache of the linters is in Go's build cache, so that both are kept or removed together.
export GOLANGCI_LINT_CACHE := $(shell go env GOCACHE)/golangci-lint

# The commands that tests compare the agent with, the control plane for tests, and promtool for alerting rules.
TOOLS := bin/helm bin/helmfile bin/sops bin/age-keygen bin/controlplane bin/promtool

# The files that a node needs to run the agent's pods: an image for one architecture, with a fixed tag.
NODE := bin/controlplane bin/node bin/debian bin/pause bin/image.tar bin/helm bin/sops

# go build prints each package that it compiles. One line in a hundred is enough to show progress.
PROGRESS = awk -v what="$(notdir $@)" '/^[A-Za-z0-9_.~\/-]+$$/ { if (++n % 100 == 0) { printf "  %s: %d packages compiled\n", what, n; fflush() } next } /^go: downloading/ { if (++d % 100 == 0) { printf "  %s: %d modules downloaded\n", what, d; fflush() } next } { print; fflush() }'
BUILD = echo "building $@"; go build -v

.PHONY: help
help: ## Show this help
	@awk -F ':.*## ' '/^[a-z0-9\/_-]+:.*## / { printf "  %-17s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: build
build: bin/helmfile-agent ## Build bin/helmfile-agent

.PHONY: demo
demo: bin/helmfile-agent bin/helm bin/controlplane ## Run the agent on an embedded control plane and show what happens
	@go run ./e2e/demo

.PHONY: node
node: $(NODE) ## Build what the tests on a Kubernetes node need (root, Debian)

# A node needs root on Linux. Without these, the tests on a node are skipped, but never in continuous integration.
HAS_NODE := $(shell test "$$(uname -s) $$(id -u)" = "Linux 0" && echo yes)

.PHONY: node-or-not
node-or-not:
	@$(if $(HAS_NODE),,echo "skipping e2e/node: a Kubernetes node needs root on Linux"; test "$$CI" != true)

.PHONY: test
test: node-or-not lint bin $(if $(HAS_NODE),$(NODE)) ## Build everything and run every test
	@echo "testing"
	@go test -timeout 30m $(if $(HAS_NODE),./...,$$(go list ./... | grep -v /e2e/node))
	@cd deploy/image && go test ./...

# The race detector needs cgo. The binaries are static all the same, because the tests start themselves in a sandbox without the C library,
# and their resolver of names is Go's own, because glibc's cannot be linked statically.
RACE := GORACE=halt_on_error=1 CGO_ENABLED=1 GOFLAGS="-race -trimpath -tags=$(TAGS),netgo,osusergo"
RACE_LINK := -ldflags='-linkmode=external -extldflags=-static'

# Runs that change, correct, prune and destroy releases, that are interrupted, and that lose the lock.
SMOKE := ^Test(Quickstart|DriftStories|Prune|Destroy|Interrupted.*|Lease)$$

.PHONY: race
race: bin bin/race/helmfile-agent ## Run the unit tests and some tests on a control plane with the race detector (needs gcc; Debian's is installed)
	@echo "testing with the race detector"
	@$(RACE) go test $(RACE_LINK) -timeout 20m $(UNIT)
	@HELMFILE_AGENT_CONTROLPLANE=$(CURDIR)/bin/race/controlplane go test ./e2e -count=1 -timeout 15m -run '$(SMOKE)'

# The tests find every program beside the control plane.
bin/race/helmfile-agent: FORCE
	@.ci/compiler
	@mkdir -p bin/race; ln -sfn $(addprefix ../,$(notdir $(filter-out bin/promtool,$(TOOLS)))) bin/race/
	@export $(RACE); $(BUILD) $(RACE_LINK) -o $@ ./cmd/helmfile-agent 2>&1 | $(PROGRESS)

.PHONY: attacks
attacks: node-or-not bin $(if $(HAS_NODE),$(NODE)) ## Run all attacks with the sandbox, without it, and on a node (make test runs samples)
	@ALL_ATTACKS=1 go test ./e2e $(if $(HAS_NODE),./e2e/node) -p 1 -count=1 -timeout 60m -run '^TestEscapeAttempts'

.PHONY: check
check: lint test-unit ## Format, vet, lint and unit tests: what to run before each commit

# Packages whose tests need no program that the Makefile builds.
UNIT := ./agent/... ./cmd/... ./deploy/render ./e2e/attacks ./e2e/servers/...

.PHONY: test-unit
test-unit: ## Run the tests that need neither a control plane nor a node
	@go test $(UNIT)

# The tests that match RUN, as go test -run takes it; all by default.
RUN ?= .

.PHONY: test-e2e
test-e2e: bin ## Run the tests on a control plane: make test-e2e RUN=TestDrift
	@go test ./e2e -count=1 -timeout 30m -run '$(RUN)'

.PHONY: test-node
test-node: $(NODE) ## Run the tests on a Kubernetes node (root, Debian): make test-node RUN=TestPod
	@go test ./e2e/node -count=1 -timeout 30m -run '$(RUN)'

.PHONY: sweep
sweep: bin ## Let every request of a scenario go wrong, one at a time, and print what came of it; make test runs a sample
	@SWEEP=all go test ./e2e -count=1 -timeout 240m -v -run '^TestSweep$$' | grep -v -e '=== ' -e '--- PASS'

.PHONY: lint
lint: vet bin/golangci-lint bin/actionlint ## Check formatting, vet, linters, workflows, the direction of imports, and that generated files are current
	@for dir in $(MODULES); do echo "golangci-lint $$dir"; (cd $$dir && $(CURDIR)/bin/golangci-lint run ./...) || failed=1; done; test -z "$$failed"
	@bin/actionlint
	@go test ./agent -run '^Test(Imports|PurePackages)$$'
	@go test ./deploy/render -run '^TestGeneratedFilesAreCurrent$$'

# The modules with code of our own.
MODULES := . e2e/cluster/kubernetes deploy/image

.PHONY: vet
vet:
	@unformatted=$$(gofmt -l agent cmd deploy e2e); test -z "$$unformatted" || { echo "gofmt would change:"; echo "$$unformatted"; exit 1; }
	@for dir in $(MODULES); do go -C $$dir vet ./...; done

.PHONY: generate
generate: ## Write the generated files: table of settings, the chart's README and schema, deploy/, alert rules
	@go test ./agent/config -run '^TestConfigurationIsDocumented$$' -update
	@go test ./deploy/alerts -run '^TestRulesForAllAgentsAreTheChartsRules$$' -update
	@go test ./deploy/render -run '^TestGeneratedFilesAreCurrent$$' -update

.PHONY: bin
bin: bin/helmfile-agent $(TOOLS) ## Build the agent and every tool that the tests use

.PHONY: sizes
sizes: ## Count functions, files, packages and lines, as a Markdown table
	@go run ./e2e/sizes

# For each fuzz target; its seeds run as tests too.
FUZZTIME ?= 10s

.PHONY: fuzz
fuzz: ## Run each fuzz target for FUZZTIME
	@grep -ro --include='*_test.go' '^func Fuzz[A-Za-z0-9_]*' agent cmd | sort | while IFS=: read -r file target; do \
		echo "$${target#func } in $$(dirname $$file)"; \
		go test ./$$(dirname $$file) -run '^$$' -fuzz "^$${target#func }\$$" -fuzztime $(FUZZTIME); \
	done

.PHONY: vulnerabilities
vulnerabilities: bin/govulncheck ## Look for known vulnerabilities that the product's code reaches (needs vuln.go.dev)
	@bin/govulncheck ./agent/... ./cmd/...
	@cd deploy/image && $(CURDIR)/bin/govulncheck ./...

.PHONY: bench
bench: bin ## Measure whole runs with 10, 100 and 1,000 releases, compared with helmfile sync (slow)
	@go run ./e2e/bench

# Each row is the binary with other build tags. It shows how much a secret store adds.
SIZE_BASE := custom_providers
SIZES := none $(SIZE_BASE) $(SIZE_BASE),sops,k8s,vault $(SIZE_BASE),sops,k8s,vault,aws $(SIZE_BASE),sops,k8s,vault,gcp $(SIZE_BASE),sops,k8s,vault,azure $(TAGS) $(TAGS),onepassword $(TAGS),yandex

.PHONY: size
size: ## Measure the size of the binary with different build tags (slow)
	@mkdir -p bin
	@for tags in $(SIZES); do \
		GOFLAGS="-trimpath -tags=$$tags" go build -ldflags "$(STRIP)" -o bin/size ./cmd/helmfile-agent; \
		printf '| `%s` | %d | %d |\n' "$$tags" $$(( $$(stat -c %s bin/size) / 1000000 )) $$(( $$(gzip -c bin/size | wc -c) / 1000000 )); \
	done; rm -f bin/size

# The binary for the image has no version stamp of git, because the Dockerfile has no .git.
IMAGE   ?= ghcr.io/helmfile-agent/helmfile-agent
ARCHIVE := dist/helmfile-agent-$(VERSION).tar

.PHONY: image
image: dist/linux-amd64/helmfile-agent dist/linux-arm64/helmfile-agent ## Build the container image as an OCI archive, without Docker
	@go -C deploy/image run . archive -name $(IMAGE) -version $(VERSION) -commit $(COMMIT) -date $(DATE) \
		-limit 40000000 -output $(CURDIR)/$(ARCHIVE) $(foreach arch,amd64 arm64,$(arch)=$(CURDIR)/dist/linux-$(arch)/helmfile-agent)

.PHONY: image-dockerfile
image-dockerfile: image ## Build the Dockerfile with buildah and compare it with the image (root, Debian)
	@deploy/image/dockerfile.sh $(CURDIR)/$(ARCHIVE) $(VERSION) $(COMMIT) $(DATE)

ARCH := $(shell go env GOARCH)

bin/image.tar: dist/linux-$(ARCH)/helmfile-agent
	@go -C deploy/image run . archive -name $(IMAGE) -version e2e -commit $(COMMIT) -date $(DATE) \
		-output $(CURDIR)/$@ $(ARCH)=$(CURDIR)/dist/linux-$(ARCH)/helmfile-agent

bin/node: e2e/cluster/kubernetes/go.mod $(wildcard e2e/cluster/kubernetes/node/*.go)
	@cd e2e/cluster/kubernetes && $(BUILD) -ldflags "$(STRIP) $(KUBERNETES_STAMP)" -o $(CURDIR)/$@ ./node 2>&1 | $(PROGRESS)

bin/pause: $(wildcard e2e/node/pause/*.go)
	@$(BUILD) -ldflags "$(STRIP)" -o $@ ./e2e/node/pause 2>&1 | $(PROGRESS)

bin/debian: e2e/node/debian.sh
	@echo "unpacking $@"; e2e/node/debian.sh $@

.PHONY: clean
clean: ## Remove all build results
	rm -rf bin dist

# Go decides what is out of date. The agent's binary is built every time, because its version stamp may have changed.
.PHONY: FORCE
bin/helmfile-agent: FORCE
	@$(BUILD) -ldflags "$(STAMP)" -o $@ ./cmd/helmfile-agent 2>&1 | $(PROGRESS)

dist/linux-%/helmfile-agent: FORCE
	@export GOOS=linux GOARCH=$*; $(BUILD) -buildvcs=false -ldflags "$(STAMP)" -o $@ ./cmd/helmfile-agent 2>&1 | $(PROGRESS)

bin/helm: go.mod
	@$(BUILD) -ldflags "$(STRIP)" -o $@ helm.sh/helm/v3/cmd/helm 2>&1 | $(PROGRESS)

bin/helmfile: go.mod
	@$(BUILD) -ldflags "$(STRIP)" -o $@ github.com/helmfile/helmfile 2>&1 | $(PROGRESS)

bin/sops: go.mod
	@$(BUILD) -ldflags "$(STRIP)" -o $@ github.com/getsops/sops/v3/cmd/sops 2>&1 | $(PROGRESS)

bin/age-keygen: go.mod
	@$(BUILD) -ldflags "$(STRIP)" -o $@ filippo.io/age/cmd/age-keygen 2>&1 | $(PROGRESS)

# promtool is a separate module as well. The tag leaves out service discovery for clouds, which tests of rules do not need.
bin/promtool: deploy/alerts/promtool/go.mod
	@cd deploy/alerts/promtool && $(BUILD) -tags remove_all_sd -ldflags "$(STRIP)" -o $(CURDIR)/$@ github.com/prometheus/prometheus/cmd/promtool 2>&1 | $(PROGRESS)

# Each checker is a separate module, and its go.mod names the program. Its dependencies are not dependencies of the product.
CHECKERS := bin/golangci-lint bin/actionlint bin/govulncheck

$(CHECKERS): bin/%: .ci/tools/%/go.mod
	@cd .ci/tools/$* && $(BUILD) -ldflags "$(STRIP)" -o $(CURDIR)/$@ "$$(go list -f '{{.ImportPath}}' tool)" 2>&1 | $(PROGRESS)

# The control plane is a separate module, so its dependencies are not dependencies of the product. It contains no components of a
# node, because these take long to build.
KUBERNETES := $(shell awk '$$1 == "k8s.io/kubernetes" || $$2 == "k8s.io/kubernetes" { print $$NF }' e2e/cluster/kubernetes/go.mod)
KUBERNETES_STAMP := -X k8s.io/component-base/version.gitVersion=$(KUBERNETES)

bin/controlplane: e2e/cluster/kubernetes/go.mod $(wildcard e2e/cluster/kubernetes/controlplane/*.go)
	@cd e2e/cluster/kubernetes && $(BUILD) -ldflags "$(STRIP) $(KUBERNETES_STAMP)" -o $(CURDIR)/$@ ./controlplane 2>&1 | $(PROGRESS)
