package main

import (
	"bytes"
	"crypto"
	"crypto/rsa"
	"os"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/certinbox/certinbox/internal/testmail"
)

// TestCorpusIsGenerated holds that the case files are what the recipes make,
// but for want, and that there is no file without a recipe.
func TestCorpusIsGenerated(t *testing.T) {
	dir := filepath.Join("..", "..", "..", "testdata", "cases")
	made := generate()
	for name, archive := range made {
		data, err := os.ReadFile(filepath.Join(dir, name+".txtar"))
		if err != nil {
			t.Error(err)
			continue
		}
		file := txtar.Parse(data)
		file.Files = withoutWant(file.Files)
		if !bytes.Equal(txtar.Format(file), txtar.Format(archive)) {
			t.Errorf("%s differs from its recipe: run go run ./internal/testmail/gen", name)
		}
	}
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(files) != len(made) {
		t.Errorf("%d files for %d recipes (%v)", len(files), len(made), err)
	}
}

func withoutWant(files []txtar.File) []txtar.File {
	var out []txtar.File
	for _, f := range files {
		if f.Name != "want" {
			out = append(out, f)
		}
	}
	return out
}

func TestFixedSaltHoldsForTheStandardLibrary(t *testing.T) {
	key := fixedSalt{testmail.NewKeys().Key("rsa1024", "pss").(*rsa.PrivateKey)}
	digest := make([]byte, 32)
	o := &rsa.PSSOptions{SaltLength: 20, Hash: crypto.SHA256}
	sig, err := key.Sign(nil, digest, o)
	if err != nil {
		t.Fatal(err)
	}
	if err := rsa.VerifyPSS(&key.PublicKey, crypto.SHA256, digest, sig, o); err != nil {
		t.Error(err)
	}
}
