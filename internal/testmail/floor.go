package testmail

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"slices"
	"syscall"
	"time"
)

// Floor returns the bare cryptography in the judgement of a first message of size
// bytes whose keys are all RSA 2048: two SHA-256 passes over it, four verifications,
// three small hashes. It panics if a signature does not verify.
func (k *Keys) Floor(size int) func() {
	key := k.Key("rsa2048", "floor").(*rsa.PrivateKey)
	body, small := make([]byte, size), make([]byte, 1<<10)
	digest := sha256.Sum256(small)
	signature := must(rsa.SignPKCS1v15(nil, key, crypto.SHA256, digest[:]))
	return func() {
		sha256.Sum256(body)
		sha256.Sum256(body)
		for range 3 {
			sha256.Sum256(small)
		}
		for range 4 {
			if err := rsa.VerifyPKCS1v15(&key.PublicKey, crypto.SHA256, digest[:], signature); err != nil {
				panic(err)
			}
		}
	}
}

// CPU is the processor time that this process takes for n calls of f, at least a
// microsecond.
func CPU(n int, f func()) time.Duration {
	before := used()
	for range n {
		f()
	}
	return max(used()-before, time.Microsecond)
}

func used() time.Duration {
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
		panic(err)
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}

// Median returns the middle of at least one ratio; it sorts them.
func Median(ratios []float64) float64 {
	slices.Sort(ratios)
	return ratios[len(ratios)/2]
}
