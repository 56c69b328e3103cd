package main

import (
	"errors"
	"io"
	"net/http"
	"os"
	"time"
)

// A haste says how long a client may take. Judging is not counted.
type haste struct {
	pause  time.Duration // for the next bytes of a body
	body   time.Duration // for all of them
	drop   time.Duration // for the rest of a body that is not read
	answer time.Duration // to take the answer
}

// maxBodyTime is the body of the usual haste.
const maxBodyTime = 10 * time.Minute

func usualHaste() haste {
	return haste{pause: 30 * time.Second, body: maxBodyTime, drop: 5 * time.Second, answer: time.Minute}
}

// Hurried cuts slow clients off: those who send a body too slowly get an error of
// reading, those who do not take the answer lose it.
type hurried struct {
	http.Handler
	haste
}

func (h hurried) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	control := http.NewResponseController(w)
	b := &hurriedBody{ReadCloser: r.Body, haste: h.haste, control: control, left: h.body, ended: r.Body == http.NoBody}
	control.SetReadDeadline(time.Time{}) // a writer without deadlines has no socket
	control.SetWriteDeadline(time.Time{})
	defer b.end()
	r = r.WithContext(r.Context()) // a copy: the server looks at its own body later
	r.Body = b
	h.Handler.ServeHTTP(hurriedWriter{w, h.haste, control}, r)
}

// A hurriedBody has a deadline while it is read, and none in between: an event is
// judged then, and HTTP/2 would end the stream.
type hurriedBody struct {
	io.ReadCloser
	haste
	control *http.ResponseController
	left    time.Duration // for what is still to come
	ended   bool
}

func (b *hurriedBody) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, os.ErrDeadlineExceeded
	}
	began := time.Now()
	b.control.SetReadDeadline(began.Add(min(b.pause, b.left)))
	n, err := b.ReadCloser.Read(p)
	b.control.SetReadDeadline(time.Time{})
	b.left -= time.Since(began)
	b.ended = b.ended || errors.Is(err, io.EOF)
	return n, err
}

// end gives the server a short time to drop what the handler has not read.
func (b *hurriedBody) end() {
	if !b.ended {
		b.control.SetReadDeadline(time.Now().Add(b.drop))
	}
}

// A hurriedWriter gives the client a time to take what is written.
type hurriedWriter struct {
	http.ResponseWriter
	haste
	control *http.ResponseController
}

func (w hurriedWriter) Write(p []byte) (int, error) {
	w.control.SetWriteDeadline(time.Now().Add(w.answer))
	return w.ResponseWriter.Write(p)
}

// Unwrap is for http.ResponseController.
func (w hurriedWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
