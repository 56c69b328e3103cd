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

# Postfix, Sendmail and OpenDKIM start as root only; the tests that run them do
# so by sudo where the caller is not, with a build cache of their own.
MTATEST   = ./internal/mtatest
AS_ROOT   = $(shell [ "$$(id -u)" = 0 ] || echo sudo env PATH="$$PATH" GOFLAGS=-buildvcs=false \
	GOCACHE=$(CURDIR)/.cache/go-root GOMODCACHE="$$($(GO) env GOMODCACHE)")

test: prerequisites check
	$(GO) test -race -timeout 20m $$($(GO) list ./... | grep -v /internal/mtatest$$)
	$(AS_ROOT) $(GO) test -race -count=1 -timeout 20m $(MTATEST)
	FUZZTIME=10s contrib/fuzz

check:
	@test -z "$$(gofmt -l .)" || { echo "gofmt these:"; gofmt -l .; exit 1; }
	$(GO) vet ./...
	$(GO) tool -modfile=contrib/tools/go.mod staticcheck ./...

fuzz:
	FUZZTIME=$(FUZZTIME) contrib/fuzz

bench: certinbox
	contrib/bench

clean:
	rm -f certinbox

# The system user, the reading group and the state directory are made only when
# installing onto this machine (no DESTDIR); a package does that in its scripts.
install: certinbox
	install -d -m 755 $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(UNITS) $(DESTDIR)/usr/lib/sysusers.d $(DESTDIR)$(SYSCONF)
	install -m 755 certinbox $(DESTDIR)$(PREFIX)/bin/certinbox
	install -d -m 755 $(DESTDIR)$(PREFIX)/share/man/man5 $(DESTDIR)$(PREFIX)/share/man/man8
	install -m 644 doc/man/*.5 $(DESTDIR)$(PREFIX)/share/man/man5/
	install -m 644 doc/man/*.8 $(DESTDIR)$(PREFIX)/share/man/man8/
	install -d -m 755 $(DESTDIR)$(PREFIX)/share/doc/certinbox
	install -m 644 LICENSE NOTICE README.md CHANGELOG.md $(DESTDIR)$(PREFIX)/share/doc/certinbox/
	sed 's|@PREFIX@|$(PREFIX)|; s|@SYSCONF@|$(SYSCONF)|; s|@STATE@|$(STATE)|' contrib/systemd/certinbox.service > $(DESTDIR)$(UNITS)/certinbox.service
	chmod 644 $(DESTDIR)$(UNITS)/certinbox.service
	install -m 644 contrib/systemd/certinbox.socket $(DESTDIR)$(UNITS)/certinbox.socket
	install -m 644 contrib/systemd/certinbox.sysusers $(DESTDIR)/usr/lib/sysusers.d/certinbox.conf
	test -e $(DESTDIR)$(SYSCONF)/config.yaml || { \
		sed '/^store:/,/^$$/{s/group: ""/group: certinbox-read/;s|path: .*|path: $(STATE)|;}' config.yaml.example > $(DESTDIR)$(SYSCONF)/config.yaml && \
		chmod 644 $(DESTDIR)$(SYSCONF)/config.yaml; }
ifeq ($(DESTDIR),)
	getent group certinbox-read >/dev/null || groupadd --system certinbox-read
	getent passwd certinbox >/dev/null || useradd --system --user-group --home-dir $(STATE) --shell /usr/sbin/nologin certinbox
	usermod -a -G certinbox-read certinbox
	chmod 644 $(SYSCONF)/config.yaml
	install -d -m 711 -o certinbox -g certinbox $(STATE)
	-systemctl daemon-reload
endif
	@echo
	@echo "Next: edit $(SYSCONF)/config.yaml (collect), then"
	@echo "  certinbox check-config --config $(SYSCONF)/config.yaml && systemctl enable --now certinbox.socket certinbox.service"
	@echo "and give the address to your MTA as the README shows."
