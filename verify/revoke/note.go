package revoke

import (
	"encoding/json"
	"errors"
	"io"
	"math/big"
	"os"
	"time"
)

// maxNote bounds the file of a note in bytes.
const maxNote = 4 << 10

// A note is what is remembered of an answer.
type note struct {
	List       bool      `json:"list"`
	Number     string    `json:"number,omitempty"` // of a list, hexadecimal
	ThisUpdate time.Time `json:"this_update"`
	NextUpdate time.Time `json:"next_update"`
	Fetched    time.Time `json:"fetched"`

	size int64     // of the answer; 0: it is not kept
	used time.Time // last
}

// readNote reads a note from its file. Any error means that there is none.
func readNote(path string) (*note, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxNote))
	if err != nil {
		return nil, err
	}
	return parseNote(b)
}

// parseNote reads a note of at most maxNote bytes.
func parseNote(b []byte) (*note, error) {
	n := &note{}
	if err := json.Unmarshal(b, n); err != nil {
		return nil, err
	}
	if _, err := n.number(); err != nil {
		return nil, err
	}
	return n, nil
}

// number returns the number of the list, nil if it has none.
func (n *note) number() (*big.Int, error) {
	if n.Number == "" {
		return nil, nil
	}
	number, ok := new(big.Int).SetString(n.Number, 16)
	if !ok {
		return nil, errors.New("damaged number")
	}
	return number, nil
}

// follows says whether n may take the place of old.
func (n *note) follows(old *note) bool {
	number, _ := n.number()
	before, _ := old.number()
	return (&list{number: number, thisUpdate: n.ThisUpdate}).replaces(&list{number: before, thisUpdate: old.ThisUpdate})
}
