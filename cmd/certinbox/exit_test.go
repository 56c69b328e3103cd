package main

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"syscall"
	"testing"

	"github.com/certinbox/certinbox/store"
)

// TestFromStore: each kind of trouble has its status, and says what to do.
func TestFromStore(t *testing.T) {
	for _, tt := range []struct {
		err    error
		status int
		hint   string
	}{
		{store.ErrNotFound, exitNo, ""},
		{fs.ErrPermission, exitDenied, "sudo -u certinbox"},
		{&fs.PathError{Op: "open", Path: "/x", Err: syscall.EACCES}, exitDenied, "sudo -u certinbox"},
		{syscall.EROFS, exitIO, "ReadWritePaths="},
		{fs.ErrNotExist, exitConfig, "store.path"},
		{syscall.EIO, exitIO, ""},
	} {
		f, ok := errors.AsType[*failure](fromStore(fmt.Errorf("store: %w", tt.err)))
		if !ok || f.status != tt.status || !strings.Contains(f.hint, tt.hint) || tt.hint == "" && f.hint != "" {
			t.Errorf("%v: %+v", tt.err, f)
		}
	}
	if fromStore(nil) != nil {
		t.Error("nothing went wrong, and yet")
	}
}
