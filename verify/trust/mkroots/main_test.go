package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/certinbox/certinbox/verify/trust"
)

// TestWrite makes the embedded bundle from itself, and nothing from what is in doubt.
func TestWrite(t *testing.T) {
	doubtful := "-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----\n"
	plain := string(trust.Embedded())
	plain = plain[strings.Index(plain, "-----BEGIN"):]
	plain = plain[:strings.Index(plain, "# label=")]
	for title, c := range map[string]struct{ data, version, date, says string }{
		"as it is":           {string(trust.Embedded()), "", "2026-10-28", ""},
		"the same version":   {string(trust.Embedded()), "NSS builtins 2.92", "2026-10-28", ""},
		"another version":    {string(trust.Embedded()), "NSS builtins 2.93", "2026-10-28", "-version"},
		"no version":         {plain, "", "2026-10-28", "-version"},
		"no date":            {string(trust.Embedded()), "", "", "-date"},
		"no day":             {string(trust.Embedded()), "", "2026-10-40", "-date"},
		"something in doubt": {plain + doubtful, "x", "2026-10-28", "1 problem"},
		"no list":            {"hello", "x", "2026-10-28", "neither PEM"},
	} {
		t.Run(title, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "list")
			if err := os.WriteFile(file, []byte(c.data), 0o600); err != nil {
				t.Fatal(err)
			}
			var out, told bytes.Buffer
			err := write(&out, &told, file, c.version, c.date)
			if c.says == "" {
				if err != nil || !bytes.Equal(out.Bytes(), trust.Embedded()) || told.Len() > 0 {
					t.Errorf("%v, %d bytes, %s", err, out.Len(), told.String())
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), c.says) || out.Len() > 0 {
				t.Errorf("%v, %d bytes; it should say %q", err, out.Len(), c.says)
			}
		})
	}
	if err := write(&bytes.Buffer{}, &bytes.Buffer{}, filepath.Join(t.TempDir(), "absent"), "x", "2026-10-28"); err == nil {
		t.Error("an absent file is no error")
	}
}
