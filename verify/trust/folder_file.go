package trust

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/certinbox/certinbox/internal/smime/cms"
)

// A folderFile is a file of one certificate in a Folder:
//
//	# domains: .example.com example.net
//	# exclusive: false
//	# allow_missing_eku: false
//	# allow_subject_address: false
//	# added: 2026-03-02T12:00:00Z
//	# from: "company-root.cer"
//	-----BEGIN CERTIFICATE-----
//
// The first four stand in every anchor and nowhere else; "any" is a domain of
// its own. The words are those of the configuration.
type folderFile struct {
	certificate *x509.Certificate
	settings    Source // of an anchor
	added       time.Time
	from        string
}

// anyDomain is what the file says for no limit.
const anyDomain = "any"

// formatFolderFile writes the file of c; s is nil for what is no anchor.
func formatFolderFile(c *x509.Certificate, s *Source, at time.Time, from string) []byte {
	var b bytes.Buffer
	if s != nil {
		domains := strings.Join(s.Domains, " ")
		if s.Domains == nil {
			domains = anyDomain
		}
		fmt.Fprintf(&b, "# domains: %s\n# exclusive: %t\n# allow_missing_eku: %t\n# allow_subject_address: %t\n",
			domains, s.Exclusive, s.AllowMissingEKU, s.AllowSubjectAddress)
	}
	fmt.Fprintf(&b, "# added: %s\n# from: %s\n", at.UTC().Format(time.RFC3339), printable(from))
	b.Write(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})) // to memory: it cannot fail
	return b.Bytes()
}

// parseFolderFile reads a file under its name, strictly: a limit that cannot be
// read must not become no limit.
func parseFolderFile(path string, data []byte, anchor bool) (folderFile, error) {
	var k folderFile
	head, block := data, []byte(nil)
	if i := bytes.Index(data, []byte("-----BEGIN")); i >= 0 {
		head, block = data[:i], data[i:]
	}
	settings, err := parseSettings(string(head))
	if err != nil {
		return k, err
	}
	if err := k.apply(settings, anchor); err != nil {
		return k, err
	}
	p, rest := pem.Decode(block)
	if p == nil || p.Type != "CERTIFICATE" || len(p.Headers) > 0 || len(bytes.TrimSpace(rest)) > 0 ||
		bytes.Count(block, []byte("-----BEGIN")) != 1 {
		return k, errors.New("does not hold exactly one CERTIFICATE block")
	}
	if k.certificate, err = cms.ParseCertificate(p.Bytes); err != nil {
		return k, fmt.Errorf("the certificate cannot be read: %s", limit(err.Error()))
	}
	if filepath.Base(path) != Fingerprint(k.certificate)+".pem" {
		return k, errors.New("holds another certificate than its name says")
	}
	return k, nil
}

// parseSettings reads the comment lines before the certificate.
func parseSettings(head string) (map[string]string, error) {
	settings := map[string]string{}
	number := 0
	for line := range strings.Lines(head) {
		number++
		line, ended := strings.CutSuffix(line, "\n")
		key, value, ok := strings.Cut(strings.TrimPrefix(line, "# "), ": ")
		switch {
		case !ended || !ok || !strings.HasPrefix(line, "# "):
			return nil, fmt.Errorf("line %d is damaged: want \"# key: value\"", number)
		case settings[key] != "":
			return nil, fmt.Errorf("line %d repeats %s", number, printable(key))
		case value == "":
			return nil, fmt.Errorf("line %d: %s is empty", number, printable(key))
		}
		settings[key] = value
	}
	return settings, nil
}

// apply takes the settings over. One that is missing, unknown or unreadable is
// an error.
func (k *folderFile) apply(settings map[string]string, anchor bool) error {
	want := []string{"added", "from"}
	if anchor {
		want = append(want, "domains", "exclusive", "allow_missing_eku", "allow_subject_address")
	}
	for key := range settings {
		if !slices.Contains(want, key) {
			return fmt.Errorf("the line %s is not understood", printable(key))
		}
	}
	for _, key := range want {
		if settings[key] == "" {
			return fmt.Errorf("the line %q is missing", "# "+key+":")
		}
	}
	var err error
	if k.added, err = time.Parse(time.RFC3339, settings["added"]); err != nil {
		return errors.New("the line \"# added:\" holds no time")
	}
	if k.from, err = strconv.Unquote(settings["from"]); err != nil {
		return errors.New("the line \"# from:\" holds no quoted name")
	}
	if !anchor {
		return nil
	}
	for key, flag := range map[string]*bool{"exclusive": &k.settings.Exclusive, "allow_missing_eku": &k.settings.AllowMissingEKU,
		"allow_subject_address": &k.settings.AllowSubjectAddress} {
		switch settings[key] {
		case "true":
			*flag = true
		case "false":
		default:
			return fmt.Errorf("the line %q is neither true nor false", "# "+key+":")
		}
	}
	if settings["domains"] == anyDomain {
		if k.settings.Exclusive {
			return errors.New("any domain cannot be exclusive")
		}
		return nil
	}
	domains := strings.Split(settings["domains"], " ")
	if slices.Contains(domains, anyDomain) {
		return errors.New("any stands beside other domains")
	}
	k.settings.Domains, err = DomainList(domains)
	return err
}
