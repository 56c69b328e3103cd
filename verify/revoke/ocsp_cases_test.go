package revoke

import (
	"bytes"
	"math/big"
	"time"

	"github.com/certinbox/certinbox/internal/testmail"
	"github.com/certinbox/certinbox/verify"
)

func (w *ocspWorld) answerCases() map[string]ocspCase {
	at := testmail.Instant()
	reason := func(n int) func(*testmail.OCSPAnswer) {
		return func(a *testmail.OCSPAnswer) { a.Status, a.Reason = "revoked", n }
	}
	hash := func(want, name string) ocspCase {
		c := w.says(want, func(a *testmail.OCSPAnswer) { a.Hash = name })
		c.hash = name
		return c
	}
	timed := func(want string, this, next time.Duration, end time.Time) ocspCase {
		c := w.says(want, func(a *testmail.OCSPAnswer) {
			a.ThisUpdate, a.NextUpdate, a.NoNextUpdate = at.Add(this), at.Add(next), next == 0
		})
		c.next, c.untimely = end, want != verify.Good
		return c
	}
	several := func(want string, answers ...testmail.OCSPAnswer) ocspCase {
		for i := range answers {
			answers[i].Cert = w.leaf
		}
		return ocspCase{want: want, der: w.answered(w.ca, func(o *testmail.OCSPResponse) { o.Answers = answers })}
	}
	older := testmail.OCSPAnswer{ThisUpdate: at.Add(-2 * time.Hour), NextUpdate: at.Add(5 * time.Hour)}
	newer := testmail.OCSPAnswer{ThisUpdate: at.Add(-time.Hour), NextUpdate: at.Add(3 * time.Hour)}
	const hour, day = time.Hour, 24 * time.Hour
	return map[string]ocspCase{
		"good":                       w.says(verify.Good, func(*testmail.OCSPAnswer) {}),
		"unknown":                    w.says(verify.Unknown, func(a *testmail.OCSPAnswer) { a.Status = "unknown" }),
		"revoked":                    w.says(verify.Revoked, reason(0)),
		"revoked, key compromised":   {want: verify.Revoked, reason: 1, der: w.says("", reason(1)).der},
		"hold":                       {want: verify.Hold, reason: 6, der: w.says("", reason(6)).der},
		"revoked, removed from list": {want: verify.Revoked, reason: 8, der: w.says("", reason(8)).der},
		"revoked, reason of none":    w.says(verify.Revoked, reason(7)),
		"revoked, reason 100":        w.says(verify.Revoked, reason(100)),

		"another serial": w.says("about another certificate", func(a *testmail.OCSPAnswer) { a.Cert = w.sibling }),
		"another name hash": w.says("of another issuer", func(a *testmail.OCSPAnswer) {
			a.NameHash = bytes.Repeat([]byte{1}, 20)
		}),
		"another key hash": w.says("of another issuer", func(a *testmail.OCSPAnswer) { a.KeyHash = bytes.Repeat([]byte{1}, 20) }),
		"another issuer":   w.says("of another issuer", func(a *testmail.OCSPAnswer) { a.Issuer = w.stranger }),
		"same name, another key": w.says("of another issuer", func(a *testmail.OCSPAnswer) {
			a.Issuer = w.twin
		}),
		"empty hashes":   w.says("of another issuer", func(a *testmail.OCSPAnswer) { a.NameHash, a.KeyHash = []byte{}, []byte{} }),
		"CertID SHA-256": hash(verify.Good, "sha256"),
		"CertID SHA-384": hash("a hash other than", "sha384"),
		"CertID MD5":     hash("a hash other than", "md5"),
		"second of three": several(verify.Good, testmail.OCSPAnswer{Serial: big.NewInt(1), Status: "revoked"},
			testmail.OCSPAnswer{}, testmail.OCSPAnswer{Serial: big.NewInt(-2)}),
		"no answers":           several("about another certificate"),
		"good and revoked":     several(verify.Revoked, testmail.OCSPAnswer{}, testmail.OCSPAnswer{Status: "revoked"}),
		"revoked and good":     several(verify.Revoked, testmail.OCSPAnswer{Status: "revoked"}, testmail.OCSPAnswer{}),
		"hold and unknown":     withReason(several(verify.Hold, testmail.OCSPAnswer{Status: "unknown"}, testmail.OCSPAnswer{Status: "revoked", Reason: 6}), 6),
		"good and unknown":     several(verify.Unknown, testmail.OCSPAnswer{}, testmail.OCSPAnswer{Status: "unknown"}),
		"good, good and newer": withNext(several(verify.Good, older, newer), newer.NextUpdate),
		"good, good and older": withNext(several(verify.Good, newer, older), newer.NextUpdate),
		"stale and good":       several(verify.Good, testmail.OCSPAnswer{Status: "revoked", NextUpdate: at.Add(-time.Minute)}, testmail.OCSPAnswer{}),

		"begins in four minutes":   timed(verify.Good, 4*time.Minute, day, at.Add(day)),
		"begins in six minutes":    timed("begins in the future", 6*time.Minute, day, time.Time{}),
		"ends now":                 timed("stale", -hour, -1, time.Time{}), // cut to a second before
		"ended a second ago":       timed("stale", -hour, -time.Second, time.Time{}),
		"ends in a second":         timed(verify.Good, -hour, time.Second, at.Add(time.Second)),
		"ends before it begins":    timed("before it begins", 0, -hour, time.Time{}),
		"ends when it begins":      timed("before it begins", 2*time.Minute, 2*time.Minute, time.Time{}),
		"no end":                   timed(verify.Good, -23*hour, 0, at.Add(hour)),
		"no end, a day old":        timed("stale", -24*hour, 0, time.Time{}),
		"ends in a month":          timed(verify.Good, -9*day, 30*day, at.Add(day)),
		"ends in a month, old":     timed("stale", -10*day, 30*day, time.Time{}),
		"ends in the year 9999":    timed(verify.Good, -hour, 200*365*day, at.Add(10*day-hour)),
		"begins in a distant past": timed("stale", -250*365*day, 30*day, time.Time{}),
		"revoked, but stale": {want: "stale", untimely: true, der: w.says("", func(a *testmail.OCSPAnswer) {
			a.Status, a.NextUpdate = "revoked", at.Add(-time.Minute)
		}).der},
		"produced in the future": {want: "produced in the future", untimely: true, der: w.answered(w.ca, func(o *testmail.OCSPResponse) {
			o.Produced = at.Add(6 * time.Minute)
		})},
	}
}
