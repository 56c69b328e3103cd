package smime

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"strings"
	"testing"
)

// BenchmarkOpen stands beside the digest that everything signed costs anyway.
func BenchmarkOpen(b *testing.B) {
	text := strings.Repeat(strings.Repeat("x", 76)+"\r\n", 1<<20/78)
	blob := base64.StdEncoding.EncodeToString([]byte(text))
	var wrapped bytes.Buffer
	for ; len(blob) > 64; blob = blob[64:] {
		wrapped.WriteString(blob[:64] + "\r\n")
	}
	wrapped.WriteString(blob + "\r\n")
	for name, message := range map[string]string{
		"detached": strings.ReplaceAll(signedWith("--BB\n"+inner), "\n", "\r\n") + text +
			strings.ReplaceAll("\n--BB\n"+signature+"\n--BB--\n", "\n", "\r\n"),
		"opaque": "Content-Type: application/pkcs7-mime\r\nContent-Transfer-Encoding: base64\r\n\r\n" + wrapped.String(),
	} {
		whole := []byte(message)
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(whole)))
			for b.Loop() {
				h, body, err := ScanHeader(whole, DefaultHeaderLimits())
				if err != nil {
					b.Fatal(err)
				}
				if e := Open(h, body, DefaultLimits()); e.Form == Unsigned {
					b.Fatal(e.Detail)
				}
			}
		})
	}
	content := []byte(text)
	b.Run("digest", func(b *testing.B) {
		b.SetBytes(int64(len(content)))
		for b.Loop() {
			sha256.Sum256(content)
		}
	})
}
