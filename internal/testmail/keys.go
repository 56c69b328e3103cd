package testmail

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/sha256"
	"io"
	"math/big"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"
)

// Keys makes keys out of a kind and a name, and remembers them, since RSA keys
// take a while. It is safe for concurrent use.
type Keys struct {
	mu   sync.Mutex
	made map[string]crypto.Signer
}

// NewKeys returns an empty set.
func NewKeys() *Keys { return &Keys{made: map[string]crypto.Signer{}} }

// Key returns the key of a kind ("rsa1024" and other sizes in steps of two
// bits, "p224", "p256", "p384", "p521", "ed25519") and name. The same arguments
// give the same key, in every process.
func (k *Keys) Key(kind, name string) crypto.Signer {
	k.mu.Lock()
	defer k.mu.Unlock()
	id := kind + "/" + name
	if s, ok := k.made[id]; ok {
		return s
	}
	s := newKey(kind, rand.NewChaCha8(sha256.Sum256([]byte(id))))
	k.made[id] = s
	return s
}

func newKey(kind string, seed io.Reader) crypto.Signer {
	switch kind {
	case "p224":
		return ecKey(elliptic.P224(), seed)
	case "p256":
		return ecKey(elliptic.P256(), seed)
	case "p384":
		return ecKey(elliptic.P384(), seed)
	case "p521":
		return ecKey(elliptic.P521(), seed)
	case "ed25519":
		return ed25519.NewKeyFromSeed(read(seed, ed25519.SeedSize))
	}
	bits, err := strconv.Atoi(strings.TrimPrefix(kind, "rsa"))
	if err != nil || bits < 256 {
		panic("testmail: unknown kind of key " + strconv.Quote(kind))
	}
	return rsaKey(bits, seed)
}

func read(r io.Reader, n int) []byte {
	b := make([]byte, n)
	must(io.ReadFull(r, b))
	return b
}

// A deterministicEC signs as RFC 6979 says, whatever source of randomness
// its caller has.
type deterministicEC struct{ *ecdsa.PrivateKey }

func (d deterministicEC) Sign(_ io.Reader, digest []byte, o crypto.SignerOpts) ([]byte, error) {
	return d.PrivateKey.Sign(nil, digest, o)
}

func ecKey(c elliptic.Curve, seed io.Reader) crypto.Signer {
	b := read(seed, (c.Params().BitSize+7)/8)
	b[0] = 0 // below the order of every curve used
	return deterministicEC{must(ecdsa.ParseRawPrivateKey(c, b))}
}

// rsaKey searches primes itself: the standard library makes keys from its own
// randomness only, and none below 1024 bits.
func rsaKey(bits int, seed io.Reader) *rsa.PrivateKey {
	for {
		p, q := prime(bits/2, seed), prime(bits/2, seed)
		n := new(big.Int).Mul(p, q)
		one := big.NewInt(1)
		phi := new(big.Int).Mul(new(big.Int).Sub(p, one), new(big.Int).Sub(q, one))
		d := new(big.Int).ModInverse(big.NewInt(65537), phi)
		if d == nil || n.BitLen() != bits {
			continue
		}
		key := &rsa.PrivateKey{PublicKey: rsa.PublicKey{N: n, E: 65537}, D: d, Primes: []*big.Int{p, q}}
		key.Precompute()
		return key
	}
}

// prime returns a prime with its two top bits set, so that a product of two
// has exactly twice the bits.
func prime(bits int, seed io.Reader) *big.Int {
	for {
		b := read(seed, (bits+7)/8)
		p := new(big.Int).SetBytes(b)
		p.Rsh(p, uint(len(b)*8-bits))
		p.SetBit(p, bits-1, 1).SetBit(p, bits-2, 1).SetBit(p, 0, 1)
		if p.ProbablyPrime(0) {
			return p
		}
	}
}

// RawRSA computes EMSA-PKCS1-v1_5 over a SHA-256 digest with any size of key,
// also those that crypto/rsa refuses.
func RawRSA(key *rsa.PrivateKey, digest []byte) []byte {
	prefix := []byte{0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20}
	size := (key.N.BitLen() + 7) / 8
	em := make([]byte, size)
	em[1] = 1
	tail := append(prefix, digest...)
	for i := 2; i < size-len(tail)-1; i++ {
		em[i] = 0xff
	}
	copy(em[size-len(tail):], tail)
	s := new(big.Int).Exp(new(big.Int).SetBytes(em), key.D, key.N)
	return s.FillBytes(make([]byte, size))
}
