package main

import "testing"

// TestPipeClient: a client is an address and nothing else.
func TestPipeClient(t *testing.T) {
	for in, want := range map[string]string{
		"192.0.2.1": "192.0.2.1", "::ffff:192.0.2.1": "192.0.2.1", "2001:db8::1": "2001:db8::1",
		"fe80::1%eth0": "fe80::1", "fe80::1%a\nb": "fe80::1", "unknown": "", "": "", "192.0.2.1\n": "",
	} {
		if got := clientAddress(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}
