package store

import (
	"os"
	"sync"
	"syscall"
)

// A faultyDisk counts the steps of a realDisk; at the chosen one it fails, or
// kills the process. A write does half of its work first.
type faultyDisk struct {
	realDisk
	mu   sync.Mutex
	at   int // the step that goes wrong, from 1; 0 never
	kill bool
	err  error
	done int
	last string // what went wrong
}

func (d *faultyDisk) step(what string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.done++
	if d.done != d.at {
		return nil
	}
	d.last = what
	if d.kill {
		syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {} // it takes a moment
	}
	return &os.PathError{Op: what, Path: "test", Err: d.err}
}

func (d *faultyDisk) mkdir(path string, mode os.FileMode) error {
	if err := d.step("mkdir " + path); err != nil {
		return err
	}
	return d.realDisk.mkdir(path, mode)
}

func (d *faultyDisk) create(path string, mode os.FileMode, gid int) (sink, error) {
	if err := d.step("create " + path); err != nil {
		return nil, err
	}
	f, err := d.realDisk.create(path, mode, gid)
	return &faultySink{sink: f, d: d, path: path}, err
}

func (d *faultyDisk) rename(from, to string) error {
	if err := d.step("rename " + to); err != nil {
		return err
	}
	return d.realDisk.rename(from, to)
}

func (d *faultyDisk) remove(path string) error {
	if err := d.step("remove " + path); err != nil {
		return err
	}
	return d.realDisk.remove(path)
}

func (d *faultyDisk) removeAll(path string) error {
	if err := d.step("removeAll " + path); err != nil {
		return err
	}
	return d.realDisk.removeAll(path)
}

func (d *faultyDisk) syncDir(path string) error {
	if err := d.step("syncDir " + path); err != nil {
		return err
	}
	return d.realDisk.syncDir(path)
}

func (d *faultyDisk) syncFile(path string) error {
	if err := d.step("syncFile " + path); err != nil {
		return err
	}
	return d.realDisk.syncFile(path)
}

type faultySink struct {
	sink
	d    *faultyDisk
	path string
}

func (s *faultySink) Write(p []byte) (int, error) {
	n, err := s.sink.Write(p[:len(p)/2])
	if err != nil {
		return n, err
	}
	if err := s.d.step("write " + s.path); err != nil {
		return n, err
	}
	m, err := s.sink.Write(p[len(p)/2:])
	return n + m, err
}

func (s *faultySink) Sync() error {
	if err := s.d.step("sync " + s.path); err != nil {
		return err
	}
	return s.sink.Sync()
}

func (s *faultySink) Close() error {
	err := s.sink.Close()
	if err := s.d.step("close " + s.path); err != nil {
		return err
	}
	return err
}
