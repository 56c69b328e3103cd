package main

import (
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"strconv"
	"syscall"

	"github.com/certinbox/certinbox/internal/config"
)

// owner returns whom the store belongs to. It fails when there is no store yet.
func owner(path string) (uid, gid int, err error) {
	fi, err := os.Stat(path)
	if err != nil {
		return 0, 0, fromStore(fmt.Errorf("store: %w", err))
	}
	st, ok := fi.Sys().(*syscall.Stat_t)
	if !ok {
		return 0, 0, fail(exitInternal, fmt.Errorf("store: %s: its owner cannot be told", path))
	}
	return int(st.Uid), int(st.Gid), nil
}

// becomeOwner lets a command that root runs go on as the user of the daemon.
// What root wrote, the daemon could not read, and a link that the daemon's user
// laid could lead root out of the store.
func becomeOwner(c *config.Config) error {
	uid, gid, err := owner(c.Store.Path)
	if err != nil || os.Geteuid() == uid {
		return err
	}
	if os.Geteuid() != 0 {
		return fromStore(fmt.Errorf("store: %s belongs to user %s: %w", c.Store.Path, userName(uid), fs.ErrPermission))
	}
	var groups []int
	if u, err := user.LookupId(strconv.Itoa(uid)); err == nil {
		if n, err := strconv.Atoi(u.Gid); err == nil {
			gid = n
		}
		names, _ := u.GroupIds() // those that cannot be told are done without
		for _, name := range names {
			if n, err := strconv.Atoi(name); err == nil {
				groups = append(groups, n)
			}
		}
	}
	readers, err := groupID("store.group", c.Store.Group)
	if err != nil {
		return fail(exitConfig, err)
	}
	if readers > 0 { // the daemon may have it from its systemd unit alone
		groups = append(groups, readers)
	}
	for _, step := range []func() error{
		func() error { return syscall.Setgroups(groups) },
		func() error { return syscall.Setgid(gid) },
		func() error { return syscall.Setuid(uid) },
	} {
		if err := step(); err != nil {
			return &failure{exitDenied, fmt.Errorf("cannot become the owner of %s: %w", c.Store.Path, err), "run it as the user of the daemon: sudo -u certinbox certinbox ..."}
		}
	}
	return nil
}

// refuseRoot keeps root from running the daemon over the store of another user,
// who could not use it afterwards.
func refuseRoot(c *config.Config) error {
	uid, _, err := owner(c.Store.Path)
	if err != nil || os.Geteuid() != 0 || uid == 0 {
		return nil // a store that is not there yet becomes that of whoever starts first
	}
	name := userName(uid)
	return &failure{exitDenied, fmt.Errorf("store.path %s belongs to user %s, who could not use what root writes there", c.Store.Path, name),
		"start it with systemctl start certinbox, or as that user: sudo -u " + name + " certinbox serve"}
}

func userName(uid int) string {
	name := strconv.Itoa(uid)
	if u, err := user.LookupId(name); err == nil {
		return u.Username
	}
	return name
}
