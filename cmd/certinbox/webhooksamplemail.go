package main

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/big"
	"time"

	"github.com/certinbox/certinbox/internal/smime/cms/cmstest"
	"github.com/certinbox/certinbox/internal/testmail"
)

// A sampleMail is a message that is accepted, and the world in which it is.
type sampleMail struct {
	message           []byte
	sender, recipient string
	zone              []byte // for --dns
	anchors           []byte // PEM, for --anchors
}

// randomName is 128 bits in hexadecimal.
func randomName() string {
	var b [16]byte
	rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}

// newSampleMail makes a mail of Alice that was sent just before now, with keys of its
// own: CA, certificate and DKIM. The keys are forgotten, so that nobody can sign below
// the CA later.
func newSampleMail(now time.Time) (sampleMail, error) {
	s := sampleMail{sender: "alice@example.org", recipient: "secureme@example.com"}
	var keys [3]*rsa.PrivateKey
	for i := range keys {
		var err error
		if keys[i], err = rsa.GenerateKey(rand.Reader, 2048); err != nil {
			return s, err
		}
	}
	id := randomName()
	valid := func(p testmail.Profile, key *rsa.PrivateKey) testmail.Profile {
		p.Key, p.Serial = key, new(big.Int).SetBytes([]byte(randomName()[:16]))
		p.NotBefore, p.NotAfter = now.Add(-24*time.Hour), now.AddDate(0, 1, 0)
		return p
	}
	root := testmail.NewKeys().Root(valid(testmail.Profile{Name: "certinbox sample CA " + id[:8], Organisation: "throw-away"}, keys[0]))
	alice := root.Issue(valid(testmail.Profile{Name: "Alice Sample", Mailboxes: []string{s.sender}}, keys[1]))

	sent := now.Add(-time.Minute)
	content := testmail.Text("Please keep my certificate, so that you can write to me encrypted.", "", "Alice").Bytes()
	blob, err := cmstest.Blob{Content: content, Signers: []cmstest.Signer{{Key: alice.Key, Certificate: alice.Cert, Time: sent}}}.Build()
	if err != nil {
		return s, err
	}
	entity := testmail.MultipartSigned(content, blob)
	dkim := testmail.DKIM{Domain: "example.org", Selector: "s" + id[:8], Key: keys[2]}
	message := testmail.Message{Body: entity.Body, Fields: append([]string{
		"From: Alice Sample <" + s.sender + ">",
		"To: " + s.recipient,
		"Subject: My certificate",
		"Date: " + sent.UTC().Format(time.RFC1123Z),
		"Message-ID: <" + id + "@example.org>",
		"MIME-Version: 1.0",
	}, entity.Fields...)}
	s.message = dkim.Sign(message).Bytes()
	s.zone = []byte(testmail.Zone{}.Add(dkim.Name(), dkim.Record()).String())
	s.anchors = root.PEM()
	return s, nil
}

// sampleConfig is the configuration of the trial.
func sampleConfig(dir, listen, recipient string) []byte {
	quoted := func(s string) string { // a JSON string is one of YAML too
		b, _ := json.Marshal(s) // strings always encode
		return string(b)
	}
	return fmt.Appendf(nil, `collect: [%s]
milter:
  listen: %s
store:
  path: %s
webhook:
  listen:
    - listen: %s
  auth:
    - kind: header
      secret: %s
revocation:
  mode: "off" # the throw-away CA has nobody to ask
`, recipient, quoted("unix:"+dir+"/milter.sock"), quoted(dir+"/store"), quoted(listen), quoted("file:"+dir+"/token"))
}
