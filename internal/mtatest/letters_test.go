package mtatest

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/certinbox/certinbox/internal/smime/cms"
	"github.com/certinbox/certinbox/internal/testmail"
	"github.com/certinbox/certinbox/milter/miltertest"
)

// A letter is a mail and the certificate in it.
type letter struct {
	data        []byte
	certificate *x509.Certificate
}

func (l letter) fingerprint() string { return fingerprint(l.certificate.Raw) }

func fingerprint(der []byte) string {
	sum := sha256.Sum256(der)
	return hex.EncodeToString(sum[:])
}

// An author writes letters, each with a renewed certificate.
type author struct {
	address string
	letters []letter
	kept    int  // so many, from the first on, were answered with 250
	tried   bool // and the next was sent without such an answer
}

// fastWorld is a world whose domain signs with a key that costs little.
func fastWorld(t testing.TB) *world {
	w := newWorld(t)
	w.dkim.Key = w.keys.Key("ed25519", "dkim")
	w.zone = testmail.Zone{}.Add(w.dkim.Name(), w.dkim.Record())
	return w
}

// elsewhere is the same world with an empty store.
func (w *world) elsewhere() *world {
	other := *w
	other.dir = tempDir(w.t, "world")
	return &other
}

// author prepares an author's letters, one a minute in the last hours.
func (w *world) author(name string, letters int) *author {
	a := &author{address: name + "@example.org"}
	for i := range letters {
		at := *w
		at.now = w.now.Add(time.Duration(i)*time.Minute - 2*time.Hour)
		data := at.honest(name)
		a.letters = append(a.letters, letter{data, enclosed(w.t, data, a.address)})
	}
	return a
}

// enclosed finds the certificate of an address in a clear-signed mail.
func enclosed(t testing.TB, mail []byte, address string) *x509.Certificate {
	_, part, _ := bytes.Cut(mail, []byte("filename=\"smime.p7s\"\r\n\r\n"))
	text, _, _ := bytes.Cut(part, []byte("\r\n--"))
	blob, err := base64.StdEncoding.DecodeString(strings.ReplaceAll(string(text), "\r\n", ""))
	must(t, err)
	signed, err := cms.Parse(blob, cms.DefaultLimits())
	must(t, err)
	for _, c := range signed.Certificates {
		if c.X509 != nil && slices.Contains(c.X509.EmailAddresses, address) {
			return c.X509
		}
	}
	t.Fatalf("the mail of %s has no certificate of its author", address)
	return nil
}

// send sends the next letter over a connection of its own.
func (a *author) send(socket string) (miltertest.Result, error) {
	mta, err := miltertest.Dial("unix", socket, miltertest.Options{Timeout: hang})
	if err != nil {
		return miltertest.Result{}, err
	}
	defer mta.Close()
	a.tried = true
	res, err := mta.Send(miltertest.Message{ID: "4bLetter", From: a.address, To: []string{collectAddress}, Data: a.letters[a.kept].data})
	if res.Code == 250 && res.Seen { // also if the daemon died right after its answer
		a.kept++
		a.tried = false
	}
	return res, err
}

// A cabinet is a store seen from outside, as the programs see it that use what
// is in it.
type cabinet struct {
	t   testing.TB
	dir string
}

func (c cabinet) certs(name string) string { return filepath.Join(c.dir, "certs", name) }

// underWay counts the addresses whose Put has begun and not ended: their locks
// are there.
func (c cabinet) underWay() int {
	c.t.Helper()
	locks, err := os.ReadDir(filepath.Join(c.dir, "locks"))
	must(c.t, err)
	n := 0
	for _, l := range locks {
		if !strings.HasPrefix(l.Name(), ".") {
			n++
		}
	}
	return n
}

// intact fails the test for each file below certs/ that is not whole. What
// nobody looks for, since its name begins with a dot, may be there as long as
// the store has not been opened again.
func (c cabinet) intact(opened bool) {
	c.t.Helper()
	files, err := os.ReadDir(c.certs(""))
	must(c.t, err)
	for _, f := range files {
		if strings.HasPrefix(f.Name(), ".") {
			if opened {
				c.t.Errorf("certs/%s has been left behind", f.Name())
			}
			continue
		}
		if err := c.whole(f.Name(), opened); err != nil {
			c.t.Errorf("certs/%s: %v", f.Name(), err)
		}
	}
}

func (c cabinet) whole(name string, opened bool) error {
	b, err := os.ReadFile(c.certs(name))
	if err != nil {
		return err
	}
	address, ending := name, ""
	for _, e := range []string{".crt", ".json", ".chain.pem"} {
		if a, ok := strings.CutSuffix(name, e); ok {
			address, ending = a, e
		}
	}
	switch ending {
	case ".crt":
		leaf, err := certificates(b)
		if err == nil && (len(leaf) != 1 || !slices.Equal(leaf[0].EmailAddresses, []string{address})) {
			err = errors.New("is not one certificate of that address")
		}
		return err
	case ".chain.pem":
		_, err := certificates(b)
		return err
	case ".json":
		var says struct{ Address, SHA256 string }
		if err := json.Unmarshal(b, &says); err != nil || says.Address != address {
			return errors.Join(err, errors.New("does not tell of that address"))
		}
		if leaf, err := c.published(address); opened && (err != nil || fingerprint(leaf.Raw) != says.SHA256) {
			return errors.Join(err, errors.New("tells of another certificate than there is"))
		}
		return nil
	}
	return errors.New("is none of ours")
}

// certificates reads PEM to its end.
func certificates(b []byte) ([]*x509.Certificate, error) {
	var out []*x509.Certificate
	for {
		block, rest := pem.Decode(b)
		if block == nil {
			break
		}
		cert, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, err
		}
		out, b = append(out, cert), rest
	}
	if len(out) == 0 || len(b) > 0 {
		return nil, errors.New("is cut short")
	}
	return out, nil
}

func (c cabinet) published(address string) (*x509.Certificate, error) {
	b, err := os.ReadFile(c.certs(address + ".crt"))
	if err != nil {
		return nil, err
	}
	certs, err := certificates(b)
	if err != nil {
		return nil, err
	}
	return certs[0], nil
}

// has fails the test unless what an author was promised is there: every
// certificate that was answered with 250, and the newest of them published; or
// the one whose answer never came.
func (c cabinet) has(a *author) {
	c.t.Helper()
	for i := range a.kept {
		path := filepath.Join(c.dir, "entries", a.address, a.letters[i].fingerprint(), "certificate.crt")
		b, err := os.ReadFile(path)
		must(c.t, err)
		if certs, err := certificates(b); err != nil || !certs[0].Equal(a.letters[i].certificate) {
			c.t.Errorf("%s is not the certificate that was kept: %v", path, err)
		}
	}
	cert, err := c.published(a.address)
	switch {
	case a.kept == 0 && errors.Is(err, fs.ErrNotExist):
	case err != nil:
		c.t.Errorf("%s: %d letters were answered with 250, and: %v", a.address, a.kept, err)
	case a.kept > 0 && cert.Equal(a.letters[a.kept-1].certificate):
	case a.tried && cert.Equal(a.letters[a.kept].certificate):
	default:
		c.t.Errorf("%s: %d letters were answered with 250, and the published certificate is none of the newest", a.address, a.kept)
	}
}
