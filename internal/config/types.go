package config

import (
	"errors"
	"fmt"
	"math"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

const day = 24 * time.Hour

// A Duration is written as number and unit, one or several: 90s, 1h30m, 7d.
type Duration time.Duration

var errDuration = errors.New("must be a time like 90s, 5m, 3h or 7d")

func (d *Duration) parse(text string) error {
	var days time.Duration
	rest := text
	if before, after, ok := strings.Cut(text, "d"); ok {
		n, err := strconv.ParseUint(before, 10, 16) // 65535 days at most, far from overflow
		if err != nil {
			return errDuration
		}
		days, rest = time.Duration(n)*day, after
	}
	var v time.Duration
	if rest != "" {
		var err error
		if v, err = time.ParseDuration(rest); err != nil || v < 0 || v > 65535*day {
			return errDuration
		}
	} else if days == 0 {
		if rest == text {
			return errDuration
		}
	}
	*d = Duration(days + v)
	return nil
}

// String returns d as it is written in the file.
func (d Duration) String() string {
	t := time.Duration(d)
	if t >= day && t%day == 0 {
		return strconv.FormatInt(int64(t/day), 10) + "d"
	}
	s := t.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// A Size is a number of bytes, written plain or with KiB, MiB or GiB.
type Size int64

func (s *Size) parse(text string) error {
	number, unit := text, int64(1)
	for _, u := range []struct {
		name string
		size int64
	}{{"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}} {
		if n, ok := strings.CutSuffix(text, u.name); ok {
			number, unit = strings.TrimRight(n, " "), u.size
		}
	}
	v, err := strconv.ParseInt(number, 10, 64)
	if err != nil || v < 0 || v > math.MaxInt64/unit {
		return errors.New("must be a number of bytes like 65536, 64KiB or 10MiB")
	}
	*s = Size(v * unit)
	return nil
}

// String returns s in the largest unit that leaves no rest.
func (s Size) String() string {
	for _, u := range []struct {
		name string
		size Size
	}{{"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}} {
		if s >= u.size && s%u.size == 0 {
			return strconv.FormatInt(int64(s/u.size), 10) + u.name
		}
	}
	return strconv.FormatInt(int64(s), 10)
}

// A FileMode is written in octal digits, quoted or not: 0660.
type FileMode uint32

func (m *FileMode) parse(text string) error {
	v, err := strconv.ParseUint(text, 8, 32)
	if err != nil || v == 0 || v > 0o777 {
		return errors.New("must be octal permissions like 0660")
	}
	*m = FileMode(v)
	return nil
}

// String returns m as it is written in the file.
func (m FileMode) String() string { return fmt.Sprintf("%04o", uint32(m)) }

// A Network is an IP address or a prefix in CIDR notation.
type Network netip.Prefix

func (n *Network) parse(text string) error {
	if a, err := netip.ParseAddr(text); err == nil && a.Zone() == "" {
		a = a.Unmap()
		*n = Network(netip.PrefixFrom(a, a.BitLen()))
		return nil
	}
	p, err := netip.ParsePrefix(text)
	if err != nil {
		return errors.New("must be an IP address or a network like 192.0.2.0/24 or 2001:db8::/32")
	}
	if p.Masked() != p {
		return fmt.Errorf("has bits beyond its prefix length: did you mean %s?", p.Masked())
	}
	*n = Network(p)
	return nil
}

// String returns n in CIDR notation.
func (n Network) String() string { return netip.Prefix(n).String() }
