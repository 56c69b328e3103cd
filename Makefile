# make demo    builds certinbox and shows what it does, on embedded defaults
# make test    everything, with the race detector; installs what it needs
# make check   gofmt, vet, staticcheck
# make fuzz    every fuzz target, FUZZTIME each (default 5m)
# make bench   speed, as ratios against a floor measured in the same run
# make install to DESTDIR, with the systemd units
GO       ?= go
DESTDIR  ?=
PREFIX   ?= /usr/local
SYSCONF  ?= /etc/certinbox
STATE    ?= /var/lib/certinbox
UNITS    ?= /lib/systemd/system
FUZZTIME ?= 5m
VERSION  ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
LDFLAGS   = -s -w -X main.version=$(VERSION)

.PHONY: all demo test check fuzz bench install clean prerequisites

all: certinbox

certinbox: $(shell find . -name '*.go' -not -name '*_test.go') go.mod
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags '$(LDFLAGS)' -o $@ ./cmd/certinbox

demo: certinbox
	./certinbox demo

prerequisites:
	contrib/prerequisites

test: prerequisites check
	$(GO) test -race -timeout 20m ./...
	FUZZTIME=10s contrib/fuzz

check:
	@test -z "$$(gofmt -l .)" || { echo "gofmt these:"; gofmt -l .; exit 1; }
	$(GO) vet ./...

fuzz:
	FUZZTIME=$(FUZZTIME) contrib/fuzz

bench: certinbox
	contrib/bench

clean:
	rm -f certinbox
