package revoke

import (
	"bytes"
	"errors"
	"testing"

	"github.com/certinbox/certinbox/internal/testmail"
)

// FuzzReadResponse: whatever comes, it is refused with words of ours, or it is
// one of the answers that somebody who may has signed.
func FuzzReadResponse(f *testing.F) {
	w, at := newOCSPWorld(), testmail.Instant()
	var genuine [][]byte
	for _, c := range w.cases() {
		if len(c.der) <= 8<<10 {
			f.Add(c.der)
		}
		if b, err := readBasic(c.der); err == nil && c.isAnswer() {
			genuine = append(genuine, b.signed)
		}
	}
	f.Fuzz(func(t *testing.T, der []byte) {
		r, err := readResponse(der, w.leaf.Cert, w.ca.Cert, at)
		var answer *answerError
		if err != nil {
			if !errors.As(err, &answer) || r != (response{}) {
				t.Errorf("%+v with the error %v", r, err)
			}
			return
		}
		b, err := readBasic(der)
		if err != nil {
			t.Fatalf("an answer that cannot be read: %v", err)
		}
		for _, signed := range genuine {
			if bytes.Equal(b.signed, signed) {
				return
			}
		}
		t.Errorf("an answer that nobody has signed: %+v", r)
	})
}
