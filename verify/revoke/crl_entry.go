package revoke

import (
	"time"

	"golang.org/x/crypto/cryptobyte"
	tag "golang.org/x/crypto/cryptobyte/asn1"
)

// The extensions of an entry (RFC 5280 section 5.3), contents in DER.
const (
	oidReason            = "\x55\x1d\x15" // 2.5.29.21
	oidHoldInstruction   = "\x55\x1d\x17" // 2.5.29.23
	oidInvalidityDate    = "\x55\x1d\x18" // 2.5.29.24
	oidCertificateIssuer = "\x55\x1d\x1d" // 2.5.29.29
)

// maxEntryExtensions bounds the extensions of one entry; three are defined that
// a list we accept can have.
const maxEntryExtensions = 8

// entry reads one of revokedCertificates and keeps it if it was asked about.
// Every entry must be sound, whoever it is about.
func (l *listReader) entry(content []byte) {
	if l.err != nil {
		return
	}
	s := cryptobyte.String(content)
	var serial, when cryptobyte.String
	var kind tag.Tag
	if !s.ReadASN1(&serial, tag.INTEGER) || !shortestInteger(serial) || !s.ReadAnyASN1(&when, &kind) {
		l.fail("an entry cannot be read")
		return
	}
	at, ok := readListTime(byte(kind), when)
	if !ok {
		l.fail("an entry has no time that DER allows")
		return
	}
	reason := 0
	if !s.Empty() {
		reason = l.reason(s)
	}
	key, asked := l.asked[string(serial)]
	if l.err != nil || !asked || reason == reasonRemoved {
		return
	}
	e := listEntry{at: at, reason: reason}
	if old, twice := l.out.entries[key]; !twice || e.worse(old) {
		l.out.entries[key] = e
	}
}

// reason reads the extensions of an entry, which are the rest of it.
func (l *listReader) reason(rest cryptobyte.String) int {
	var all cryptobyte.String
	if !rest.ReadASN1(&all, tag.SEQUENCE) || !rest.Empty() || !l.second {
		l.fail("something follows an entry")
		return 0
	}
	var room [maxEntryExtensions]listExtension
	n, why := readListExtensions(all, room[:])
	if why != "" {
		l.fail("extensions of an entry: " + why)
	}
	reason := 0
	for _, e := range room[:n] {
		switch string(e.id) {
		case oidReason:
			var ok bool
			if reason, ok = readReason(e.value); !ok {
				l.fail("an entry has a reason that is none")
			}
		case oidCertificateIssuer:
			l.fail("it speaks for other issuers")
		case oidHoldInstruction, oidInvalidityDate:
		default:
			if e.critical {
				l.fail("an entry has a critical extension that is unknown")
			}
		}
	}
	return reason
}

// readReason reads a CRLReason, an ENUMERATED of one byte.
func readReason(value []byte) (int, bool) {
	if len(value) != 3 || value[0] != byte(tag.ENUM) || value[1] != 1 {
		return 0, false
	}
	n := int(value[2])
	return n, n <= reasonLast && n != reasonUnused
}

// worse says whether e counts where the same serial number is listed twice: a
// key in wrong hands over any other reason, that over a hold, and the earlier
// time among equals.
func (e listEntry) worse(old listEntry) bool {
	if a, b := e.weight(), old.weight(); a != b {
		return a > b
	}
	return e.at.Before(old.at)
}

func (e listEntry) weight() int {
	switch e.reason {
	case reasonHold:
		return 0
	case reasonKeyCompromise, reasonCACompromise:
		return 2
	}
	return 1
}

// shortestInteger says whether b is an INTEGER in its shortest form (X.690 section 8.3.2).
func shortestInteger(b []byte) bool {
	if len(b) < 2 {
		return len(b) == 1
	}
	return !(b[0] == 0 && b[1] < 0x80 || b[0] == 0xff && b[1] >= 0x80)
}

// time reads a Time of the list itself.
func (l *listReader) time(end int64) time.Time {
	kind := l.next(end)
	if kind != derTime {
		kind = derUTCTime
	}
	t, ok := readListTime(kind, l.window(kind, end, maxListAlgorithm, "a time"))
	if !ok {
		l.fail("it has no time that DER allows")
	}
	return t
}

// readListTime reads the contents of a UTCTime or GeneralizedTime in the one form
// of each that RFC 5280 section 4.1.2.5 allows: seconds, Z and no fraction.
func readListTime(kind byte, b []byte) (time.Time, bool) {
	if kind == derUTCTime && len(b) != 13 || kind == derTime && len(b) != 15 || kind != derUTCTime && kind != derTime {
		return time.Time{}, false
	}
	for _, c := range b[:len(b)-1] {
		if c < '0' || c > '9' {
			return time.Time{}, false
		}
	}
	year := twoDigits(b)
	switch {
	case kind == derTime:
		year, b = 100*year+twoDigits(b[2:]), b[2:]
	case year < 50:
		year += 2000
	default:
		year += 1900
	}
	b = b[2:]
	month, day, hour, minute, second := time.Month(twoDigits(b)), twoDigits(b[2:]), twoDigits(b[4:]), twoDigits(b[6:]), twoDigits(b[8:])
	t := time.Date(year, month, day, hour, minute, second, 0, time.UTC)
	// time.Date would take the 31st of June for the 1st of July
	sound := b[10] == 'Z' && hour < 24 && minute < 60 && second < 60 && t.Month() == month && t.Day() == day
	return t, sound
}

// twoDigits reads two digits.
func twoDigits(b []byte) int { return 10*int(b[0]-'0') + int(b[1]-'0') }
