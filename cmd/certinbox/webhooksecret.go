package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/certinbox/certinbox/internal/config"
	"github.com/certinbox/certinbox/webhook"
)

// shortSecret is how many bytes a secret should have at least.
const shortSecret = 16

// readCredentials reads the secrets that webhook.auth names, and tells of problems
// that stop nothing. No text says anything of a secret but its length. The list is
// to be used only without an error.
func readCredentials(list []config.Credential, tell func(string)) ([]webhook.Credential, error) {
	var out []webhook.Credential
	var errs []error
	for i, c := range list {
		read, err := readCredential(i, c, tell)
		out, errs = append(out, read), append(errs, err)
	}
	return out, errors.Join(errs...)
}

// readCredential reads the secret of entry i of webhook.auth.
func readCredential(i int, c config.Credential, tell func(string)) (webhook.Credential, error) {
	at := fmt.Sprintf("webhook.auth[%d].secret", i)
	secret, err := configuredSecret(at, c.Secret, tell)
	if err == nil && len(secret) < shortSecret {
		tell(fmt.Sprintf("%s has %d characters only: openssl rand -hex 24 makes a good one", at, len(secret)))
	}
	return webhook.Credential{Kind: c.Kind, Header: c.Header, User: c.User, Secret: secret,
		Relay: slices.Contains(c.Opens, "relay"), Check: slices.Contains(c.Opens, "check")}, err
}

// errUnset: a variable of the environment is not there.
var errUnset = errors.New("is not set in the environment")

// configuredSecret reads one secret from where the configuration says: 1 to
// maxSecret bytes of printable ASCII, which is what can stand in a header field. The
// line end behind it is not part of it.
func configuredSecret(at, source string, tell func(string)) ([]byte, error) {
	kind, name, err := config.SecretSource(source)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", at, err)
	}
	var secret []byte
	if kind == "env" {
		value, set := os.LookupEnv(name)
		if !set {
			return nil, fmt.Errorf("%s: %s %w", at, name, errUnset)
		}
		secret = []byte(value)
	} else if secret, err = secretFile(at, name, tell); err != nil {
		return nil, err
	}
	secret = bytes.TrimRight(secret, "\r\n")
	if len(secret) == 0 || len(secret) > maxSecret {
		return nil, fmt.Errorf("%s: %s has %d bytes, and needs 1 to %d", at, source, len(secret), maxSecret)
	}
	if i := bytes.IndexFunc(secret, func(r rune) bool { return r < ' ' || r > '~' }); i >= 0 {
		return nil, fmt.Errorf("%s: %s has a control character or one beyond ASCII at its byte %d: it is to be one line", at, source, i+1)
	}
	return secret, nil
}

// secretFile reads a file, and no more of it than a secret may have.
func secretFile(at, name string, tell func(string)) ([]byte, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", at, err)
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s: %s is no regular file", at, name)
	}
	if exposed(info) {
		tell(fmt.Sprintf("%s: everybody can read %s: chmod 640 it", at, name))
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", at, err)
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxSecret+3)) // CR LF, and one too many
	if err != nil {
		return nil, fmt.Errorf("%s: %w", at, err)
	}
	return text, nil
}
