package dns

import (
	"container/list"
	"sync"
	"time"
)

// Bounds of what is kept: strangers choose the names and the answers.
const (
	maxKept        = time.Hour // an answer lives no longer, whatever its TTL
	maxAnswers     = 4096
	maxAnswerBytes = 4 << 10 // a larger answer is used once and not kept
)

// cache keeps answers with records until their TTL ends; of too many, the one
// used longest ago goes.
type cache struct {
	now func() time.Time

	mu     sync.Mutex
	byName map[string]*list.Element
	used   *list.List // of *kept, the latest used first
}

type kept struct {
	name    string
	records []string
	until   time.Time
}

func newCache(now func() time.Time) *cache {
	return &cache{now: now, byName: make(map[string]*list.Element), used: list.New()}
}

// get returns the records of name if an answer is kept and still lives.
func (c *cache) get(name string) ([]string, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.byName[name]
	if e == nil {
		return nil, false
	}
	k := e.Value.(*kept)
	if !c.now().Before(k.until) {
		c.remove(e)
		return nil, false
	}
	c.used.MoveToFront(e)
	return k.records, true
}

// put keeps an answer to a question put at asked, if it may be kept at all:
// the lack of a record and answers with TTL 0 are not.
func (c *cache) put(name string, t txt, asked time.Time) {
	size := 0
	for _, r := range t.records {
		size += len(r) + 16 // a string's header counts: a record may be empty
	}
	if len(t.records) == 0 || t.ttl <= 0 || size > maxAnswerBytes {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if e := c.byName[name]; e != nil {
		c.remove(e)
	}
	c.byName[name] = c.used.PushFront(&kept{name, t.records, asked.Add(min(t.ttl, maxKept))})
	if c.used.Len() > maxAnswers {
		c.remove(c.used.Back())
	}
}

func (c *cache) remove(e *list.Element) {
	c.used.Remove(e)
	delete(c.byName, e.Value.(*kept).name)
}
