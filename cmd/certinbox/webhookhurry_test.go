package main

import (
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"
)

// shortHaste lets a test end soon; nothing is to come within it on any machine.
func shortHaste() haste {
	return haste{pause: 200 * time.Millisecond, body: time.Hour, drop: 200 * time.Millisecond, answer: time.Hour}
}

// hurriedServer serves with h and what is behind it, over HTTP/2 if two.
func hurriedServer(t *testing.T, h haste, two bool, behind http.HandlerFunc) *httptest.Server {
	s := httptest.NewUnstartedServer(hurried{behind, h})
	if s.EnableHTTP2 = two; two {
		s.StartTLS()
	} else {
		s.Start()
	}
	t.Cleanup(s.Close)
	return s
}

// TestSlowBody: a body that stops coming is an error of reading, and is answered.
func TestSlowBody(t *testing.T) {
	for _, two := range []bool{false, true} {
		read := make(chan error, 1)
		s := hurriedServer(t, shortHaste(), two, func(w http.ResponseWriter, r *http.Request) {
			_, err := io.ReadAll(r.Body)
			read <- err
			w.WriteHeader(http.StatusRequestTimeout)
		})
		body, stuck := io.Pipe()
		go stuck.Write([]byte("["))
		res, err := s.Client().Post(s.URL, "application/json", body)
		if err := <-read; !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("HTTP/2 %v: the body ended in %v", two, err)
		}
		if err != nil || res.StatusCode != http.StatusRequestTimeout || (res.ProtoMajor == 2) != two {
			t.Errorf("HTTP/2 %v: %v, %v", two, res, err)
		}
		stuck.Close()
	}
}

// TestBodyInAll: bytes that trickle in do not go on for ever.
func TestBodyInAll(t *testing.T) {
	h := shortHaste()
	h.body, h.pause = 300*time.Millisecond, time.Hour
	read := make(chan error, 1)
	s := hurriedServer(t, h, false, func(w http.ResponseWriter, r *http.Request) {
		_, err := io.Copy(io.Discard, r.Body)
		read <- err
	})
	body, trickle := io.Pipe()
	go func() {
		for {
			if _, err := trickle.Write([]byte(" ")); err != nil {
				return
			}
			time.Sleep(10 * time.Millisecond)
		}
	}()
	res, err := s.Client().Post(s.URL, "application/json", body)
	if err == nil {
		res.Body.Close()
	}
	body.Close()
	if err := <-read; !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("the body ended in %v", err)
	}
}

// TestJudgingIsNotCounted: between two reads and after the last one time may pass.
func TestJudgingIsNotCounted(t *testing.T) {
	t.Parallel()
	h := shortHaste()
	h.pause = 500 * time.Millisecond // the bytes have to be there
	for _, two := range []bool{false, true} {
		s := hurriedServer(t, h, two, func(w http.ResponseWriter, r *http.Request) {
			if _, err := r.Body.Read(make([]byte, 1)); err != nil {
				t.Errorf("HTTP/2 %v: %v", two, err)
			}
			time.Sleep(h.pause * 3 / 2)
			rest, err := io.ReadAll(r.Body)
			if time.Sleep(h.pause * 3 / 2); err != nil || len(rest) != 9 || r.Context().Err() != nil {
				t.Errorf("HTTP/2 %v: %q, %v, %v", two, rest, err, r.Context().Err())
			}
			io.WriteString(w, "done")
		})
		for range 2 { // on one connection
			res, err := s.Client().Post(s.URL, "application/json", strings.NewReader("0123456789"))
			if err != nil {
				t.Fatalf("HTTP/2 %v: %v", two, err)
			}
			if answer, err := io.ReadAll(res.Body); string(answer) != "done" || err != nil {
				t.Errorf("HTTP/2 %v: %q, %v", two, answer, err)
			}
			res.Body.Close()
		}
	}
}

// TestUnreadBody: who is answered before the end of the body cannot hold the
// connection open by sending nothing more.
func TestUnreadBody(t *testing.T) {
	s := hurriedServer(t, shortHaste(), false, func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusUnauthorized) })
	c, err := net.Dial("tcp", s.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	io.WriteString(c, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n[")
	answer, err := io.ReadAll(c)
	if !strings.HasPrefix(string(answer), "HTTP/1.1 401 ") || err != nil {
		t.Errorf("%q, %v", answer, err)
	}
}
