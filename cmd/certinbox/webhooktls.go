package main

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync/atomic"
	"time"

	"github.com/certinbox/certinbox/internal/config"
)

// A certificate is that of one listener, with its chain and key, as the files said
// when they were read last.
type certificate struct {
	at        string // the entry of the configuration
	file, key string
	current   atomic.Pointer[tls.Certificate]
}

// certificateOf names the files of entry i of webhook.listen.
func certificateOf(i int, l config.HTTPListener) *certificate {
	return &certificate{at: fmt.Sprintf("webhook.listen[%d]", i), file: l.Certificate, key: l.Key}
}

// read reads both files. On an error, which names the key of the configuration and
// the file, the certificate from before stays. One that nobody will take at now is
// taken, and told of.
func (c *certificate) read(tell func(string), now time.Time) error {
	for _, f := range []struct{ key, file string }{{"certificate", c.file}, {"key", c.key}} {
		info, err := os.Stat(f.file)
		switch {
		case err != nil:
			return fmt.Errorf("%s.%s: %w", c.at, f.key, err)
		case !info.Mode().IsRegular():
			return fmt.Errorf("%s.%s: %s is no regular file", c.at, f.key, f.file)
		case f.key == "key" && exposed(info):
			tell(fmt.Sprintf("%s.key: everybody can read %s: chmod 640 it", c.at, f.file))
		}
	}
	pair, err := tls.LoadX509KeyPair(c.file, c.key)
	if err != nil {
		if pathErr, ok := errors.AsType[*fs.PathError](err); ok && pathErr.Path == c.file {
			return fmt.Errorf("%s.certificate: %w", c.at, err)
		}
		return fmt.Errorf("%s: certificate %s and key %s: %w", c.at, c.file, c.key, err)
	}
	if leaf := pair.Leaf; leaf != nil && (now.Before(leaf.NotBefore) || now.After(leaf.NotAfter)) {
		tell(fmt.Sprintf("%s.certificate: %s is valid from %s to %s: clients will refuse it", c.at, c.file,
			leaf.NotBefore.UTC().Format(time.DateOnly), leaf.NotAfter.UTC().Format(time.DateOnly)))
	}
	c.current.Store(&pair)
	return nil
}

// get hands out the certificate for a handshake.
func (c *certificate) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	return c.current.Load(), nil
}

// exposed says whether everybody on this machine can read a file.
func exposed(info fs.FileInfo) bool { return info.Mode().Perm()&0o004 != 0 }
