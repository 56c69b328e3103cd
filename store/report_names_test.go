package store

import (
	"encoding/json"
	"testing"
)

// TestMentions: an address is found as people and as encoding/json write it, and not
// as a part of another.
func TestMentions(t *testing.T) {
	const alice, sales = "alice@example.com", "r&d@example.com"
	for _, tc := range []struct {
		address, text string
		want          bool
	}{
		{alice, alice, true},
		{alice, "From: Alice <Alice@Example.com>", true},
		{alice, "line\nalice@example.com.\n", true},
		{alice, "smtp.mailfrom=alice@example.com;", true},
		{alice, "alice@example.com.au", false},
		{alice, "alice@example.commerce", false},
		{alice, "malice@example.com", false},
		{alice, "first.alice@example.com", false},
		{alice, "", false},
		{sales, "<r&d@example.com>", true},
		{sales, "d@example.com", false},
	} {
		quoted, err := json.Marshal(map[string]string{"text": tc.text})
		if err != nil {
			t.Fatal(err)
		}
		for _, text := range []string{tc.text, string(quoted)} {
			if got := mentions([]byte(text), tc.address); got != tc.want {
				t.Errorf("%s in %s: %v", tc.address, text, got)
			}
		}
	}
}
