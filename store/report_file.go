package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// A file of the ring is one line and then the JSON and the text:
//
//	certinbox-report 1 UNIXNANO BYTES-OF-JSON BYTES-OF-TEXT CRC-32 "REFERENCE"
//
// The checksum finds what a crash left half done.
const reportMagic = "certinbox-report 1"

func encodeReport(s Stored) []byte {
	const rest = 64 // the numbers and what is between
	b := make([]byte, 0, len(reportMagic)+rest+len(s.Reference)+len(s.JSON)+len(s.Text))
	b = fmt.Appendf(b, "%s %d %d %d ", reportMagic, s.At.UnixNano(), len(s.JSON), len(s.Text))
	sum := len(b)
	b = fmt.Appendf(b, "%08x %q\n", 0, s.Reference)
	body := len(b)
	b = append(b, s.JSON...)
	b = append(b, s.Text...)
	copy(b[sum:], fmt.Sprintf("%08x", crc32.ChecksumIEEE(b[body:])))
	return b
}

func decodeReport(b []byte) (Stored, error) {
	head, body, _ := bytes.Cut(b, []byte("\n"))
	rest, ok := strings.CutPrefix(string(head), reportMagic+" ")
	if !ok {
		return Stored{}, ErrNotFound
	}
	var at int64
	var json, text int
	var sum uint32
	var ref string
	if _, err := fmt.Sscanf(rest, "%d %d %d %x %q", &at, &json, &text, &sum, &ref); err != nil ||
		json < 0 || text < 0 || json > len(body) || text != len(body)-json || sum != crc32.ChecksumIEEE(body) {
		return Stored{}, ErrNotFound
	}
	return Stored{Reference: ref, At: time.Unix(0, at), JSON: body[:json], Text: string(body[json:])}, nil
}

// readReport reads and decodes a file of the ring, as readShared does.
func readReport(path string) (Stored, error) {
	b, err := readShared(path)
	if err != nil {
		return Stored{}, err
	}
	return decodeReport(b)
}

// readShared reads a file of the ring while nobody writes it in place. A writer
// that does not come to an end is errBusy.
func readShared(path string) ([]byte, error) {
	f, err := openFile(path, os.O_RDONLY, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if err := await(context.Background(), path, func() error { return tryFlock(f, syscall.LOCK_SH) }); err != nil {
		return nil, err
	}
	return readFile(f, MaxReport+1024)
}

// writeReport puts content under path: in place, as long as that disturbs
// nobody, else aside and then over it. In place no inode comes and goes: on ext4
// without a journal a new one is dear while others were removed a moment ago.
func writeReport(path string, content []byte, at time.Time) error {
	done, err := writeInPlace(path, content)
	if err == nil && !done {
		err = writeAside(path, content)
	}
	if err != nil {
		return err
	}
	// The kernel stamps files by the tick; the order of a burst matters too. If
	// another report came to this path meanwhile, that is of this moment as well.
	if err := os.Chtimes(path, at, at); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}

// writeInPlace says false, and has changed nothing, when somebody else reads or
// writes the file, when it was removed since it was opened, when it has other
// names, as copies of backups do, or when it cannot be opened for writing.
func writeInPlace(path string, content []byte) (done bool, err error) {
	f, err := openFile(path, os.O_WRONLY|os.O_CREATE, 0o600)
	if err != nil {
		return false, nil
	}
	defer func() {
		if cerr := f.Close(); err == nil {
			err = cerr
		}
	}()
	if err := tryFlock(f, syscall.LOCK_EX); errors.Is(err, errBusy) {
		return false, nil
	} else if err != nil {
		return false, err
	}
	fi, err := f.Stat()
	if err != nil {
		return false, err
	}
	if links(fi) != 1 {
		return false, nil
	}
	_, err = f.WriteAt(content, 0)
	if err == nil && fi.Size() > int64(len(content)) {
		err = f.Truncate(int64(len(content)))
	}
	if err != nil {
		os.Remove(path) // half of one: nothing counts it, and on a full disk every block counts
	}
	return true, err
}

// writeAside writes a file of its own and renames it, whatever is there.
func writeAside(path string, content []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".report-") // several writers may be at the same name
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		os.Remove(f.Name())
	}
	return err
}
