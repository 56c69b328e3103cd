package main

import (
	"errors"
	"io/fs"
	"syscall"

	"github.com/certinbox/certinbox/internal/config"
	"github.com/certinbox/certinbox/store"
)

// Exit statuses, those of sysexits.h where it has one.
const (
	exitOK       = 0
	exitNo       = 1  // refused; nothing found
	exitUsage    = 64 // EX_USAGE
	exitNoInput  = 66 // EX_NOINPUT
	exitInternal = 70 // EX_SOFTWARE
	exitIO       = 74 // EX_IOERR
	exitTemp     = 75 // EX_TEMPFAIL
	exitDenied   = 77 // EX_NOPERM
	exitConfig   = 78 // EX_CONFIG
)

// A failure ends the program with a status. Without an error, the command has
// said all there is to say.
type failure struct {
	status int
	err    error
	hint   string // what to try, "" for nothing
}

func (f *failure) Error() string {
	if f.err == nil {
		return ""
	}
	return f.err.Error()
}

func (f *failure) Unwrap() error { return f.err }

func fail(status int, err error) *failure { return &failure{status: status, err: err} }

// fromStore chooses the status for an error of the store.
func fromStore(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, store.ErrNotFound):
		return fail(exitNo, err)
	case errors.Is(err, fs.ErrPermission):
		return &failure{exitDenied, err, "run it as root, or as the user of the daemon: sudo -u certinbox certinbox ..."}
	case errors.Is(err, syscall.EROFS):
		return &failure{exitIO, err, "the disk is mounted read-only, or the systemd unit lets the daemon write elsewhere only: see ReadWritePaths= there"}
	case errors.Is(err, fs.ErrNotExist):
		return &failure{exitConfig, err, "the store is made when the daemon first starts; is store.path right?"}
	}
	return fail(exitIO, err)
}

// fromConfig chooses the status for an error of the configuration.
func fromConfig(err error) error {
	f := fail(exitConfig, err)
	if _, mistakes := errors.AsType[*config.Mistakes](err); mistakes {
		f.hint = "config.yaml.example explains every key"
	} else if errors.Is(err, fs.ErrNotExist) {
		f.hint = "copy config.yaml.example there, or name another file with --config"
	} else if errors.Is(err, fs.ErrPermission) {
		f.hint = "the user of the daemon has to read it: chmod 644 the file, and 755 the folders above it"
	}
	return f
}
