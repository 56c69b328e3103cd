package collect

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"unicode"
	"unicode/utf8"
)

// A Log writes what people and machines read: one block of lines, or one JSON
// object, a message, and a line for everything else. Each goes out in one
// write, so blocks do not mix. It is safe for concurrent use.
type Log struct {
	mu    sync.Mutex // one write at a time
	out   io.Writer
	style atomic.Pointer[style]
	other *slog.Logger
}

// A style is how a Log looks at the moment.
type style struct {
	json  slog.Handler // nil: for people
	level slog.Level
}

// NewLog returns a Log. format is human or json, level debug, info, warn or
// error; anything else counts as human and info.
func NewLog(out io.Writer, format, level string) *Log {
	l := &Log{out: out}
	l.Configure(format, level)
	l.other = slog.New(&lineHandler{log: l})
	return l
}

// Configure changes format and level for what is logged from now on.
func (l *Log) Configure(format, level string) {
	var s style
	if err := s.level.UnmarshalText([]byte(level)); err != nil {
		s.level = slog.LevelInfo
	}
	if format == "json" {
		s.json = slog.NewJSONHandler(l, &slog.HandlerOptions{Level: s.level})
	}
	l.style.Store(&s)
}

// Logger returns where everything goes that is not a message.
func (l *Log) Logger() *slog.Logger { return l.other }

// Write writes p as a whole.
func (l *Log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.out.Write(p)
}

// message logs one message.
func (l *Log) message(r *record) {
	s := l.style.Load()
	if r.level() < s.level {
		return
	}
	if s.json != nil {
		if b, err := r.JSON(); err == nil {
			l.Write(append(b, '\n'))
			return
		}
	}
	l.Write([]byte(r.text()))
}

// A lineHandler writes a slog record as the Log looks at that moment: as JSON,
// or as one line for people: queue id, level unless it is info, message,
// key=value.
type lineHandler struct {
	log   *Log
	attrs []slog.Attr
	group string
}

// Enabled implements slog.Handler.
func (h *lineHandler) Enabled(_ context.Context, level slog.Level) bool {
	return level >= h.log.style.Load().level
}

// Handle implements slog.Handler.
func (h *lineHandler) Handle(ctx context.Context, r slog.Record) error {
	if s := h.log.style.Load(); s.json != nil {
		return s.json.Handle(ctx, h.flat(r))
	}
	var id string
	var rest bytes.Buffer
	one := func(a slog.Attr) bool {
		v := a.Value.Resolve().String()
		switch {
		case a.Key == "id":
			id = escape(v) + ": "
		case strings.ContainsAny(v, " =\"") || v == "":
			rest.WriteString(" " + a.Key + "=" + strconv.Quote(v))
		default:
			rest.WriteString(" " + a.Key + "=" + escape(v))
		}
		return true
	}
	for _, a := range h.attrs {
		one(a)
	}
	r.Attrs(func(a slog.Attr) bool {
		a.Key = h.group + a.Key
		return one(a)
	})
	level := map[slog.Level]string{slog.LevelDebug: "debug: ", slog.LevelWarn: "warning: ", slog.LevelError: "error: "}[r.Level]
	_, err := h.log.Write([]byte(id + level + escape(r.Message) + rest.String() + "\n"))
	return err
}

// flat is r with the attributes collected so far.
func (h *lineHandler) flat(r slog.Record) slog.Record {
	out := slog.NewRecord(r.Time, r.Level, r.Message, r.PC)
	out.AddAttrs(h.attrs...)
	r.Attrs(func(a slog.Attr) bool {
		a.Key = h.group + a.Key
		out.AddAttrs(a)
		return true
	})
	return out
}

// WithAttrs implements slog.Handler.
func (h *lineHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	next := *h
	next.attrs = append(append([]slog.Attr{}, h.attrs...), attrs...)
	for i := len(h.attrs); i < len(next.attrs); i++ {
		next.attrs[i].Key = h.group + next.attrs[i].Key
	}
	return &next
}

// WithGroup implements slog.Handler.
func (h *lineHandler) WithGroup(name string) slog.Handler {
	next := *h
	next.group += name + "."
	return &next
}

// maxEscaped bounds one piece of foreign text in the log.
const maxEscaped = 512

// escape makes foreign text safe for a terminal and for a line of its own:
// what is not printable stands there as an escape sequence.
func escape(s string) string {
	if len(s) > maxEscaped {
		s = s[:maxEscaped] + "..."
	}
	if plain(s) {
		return s
	}
	var b strings.Builder
	for len(s) > 0 {
		r, n := utf8.DecodeRuneInString(s)
		switch {
		case r == utf8.RuneError && n == 1:
			b.WriteString(`\x` + strconv.FormatUint(uint64(s[0])|0x100, 16)[1:])
		case r != '\\' && unicode.IsPrint(r):
			b.WriteRune(r)
		default:
			q := strconv.QuoteRuneToASCII(r)
			b.WriteString(q[1 : len(q)-1])
		}
		s = s[n:]
	}
	return b.String()
}

func plain(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' || s[i] == '\\' {
			return false
		}
	}
	return true
}
