package mtatest

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/certinbox/certinbox/internal/testmail"
	"github.com/certinbox/certinbox/milter/miltertest"
)

// TestPostfixPipe delivers through the pipe transport of a real Postfix: what is
// good is kept, the others hear why in the bounce, and after the queue nobody
// does.
func TestPostfixPipe(t *testing.T) {
	w := newWorld(t)
	w.zone.Add("s1._domainkey.down.example", testmail.TempError)
	config, store := w.config("unix:"+filepath.Join(w.dir, "unused.sock"), `recipient_delimiter: "+"`)
	nobody, err := user.Lookup("nobody")
	must(t, err)
	uid, _ := strconv.Atoi(nobody.Uid)
	gid, _ := strconv.Atoi(nobody.Gid)
	must(t, os.Mkdir(store, 0o711))
	must(t, os.Chown(store, uid, gid))
	bin, zone := Build(t), WriteFile(t, "zone", w.zone.String())

	const delivery = "%s unix - n n - 2 pipe flags=R user=%s null_sender= " +
		"argv=%s pipe --config %s --dns %s %s--rcpt=${recipient} --sender=${sender} --client=${client_address} --id=${queue_id}"
	entry := func(name, user, more string) Service {
		return Service{Entry: fmt.Sprintf(delivery, name, user, bin, config, zone, more)}
	}
	addr := FreeAddr(t)
	p := StartPostfix(t, map[string]string{
		"virtual_mailbox_domains":                               "example.com example.org down.example", // bounces come to the mailbox
		"recipient_delimiter":                                   "+",
		"certinbox_destination_recipient_limit":                 "1",
		"after_destination_recipient_limit":                     "1",
		"certinbox_destination_concurrency_limit":               "2",
		"stranger_destination_recipient_limit":                  "1",
		"certinbox_destination_concurrency_failed_cohort_limit": "0", // a deferred one must not hold up others
		"transport_maps": "inline:{{secureme@example.com=certinbox:} {nobody@example.com=certinbox:} " +
			"{secureme+after@example.com=after:} {secureme+stranger@example.com=stranger:} }",
	}, Service{Addr: addr}, entry("certinbox", "nobody", ""), entry("after", "nobody", "--after-queue "), entry("stranger", "daemon", ""))
	s := DialSMTP(t, addr)
	send := func(from string, message []byte, to string) {
		t.Helper()
		if a := s.Send(from, message, to); a.Code != 250 {
			t.Fatal(a)
		}
	}
	logged := func(texts ...string) {
		t.Helper()
		await(t, fmt.Sprintf("Postfix to log %q", texts), func() bool {
			for line := range strings.Lines(p.Log()) {
				ok := true
				for _, text := range texts {
					ok = ok && strings.Contains(line, text)
				}
				if ok {
					return true
				}
			}
			return false
		})
	}

	send("alice@example.org", w.honest("alice"), collectAddress)
	logged("to=<"+collectAddress+">", "relay=certinbox", "dsn=2.0.0", "status=sent")
	w.kept(store, "alice@example.org")

	// Refused: the bounce has the advice and the queue id, and nothing of the log.
	spoof := w.dkim.Sign(w.signed("bob", "alice@example.org")).Bytes()
	send("bob@example.org", spoof, collectAddress)
	logged("relay=certinbox", "dsn=5.7.1", "status=bounced")
	bounce := strings.Join(strings.Fields(p.Delivered(1)[0]), " ")
	for text, want := range map[string]bool{
		"Status: 5.7.1": true, "Send from the address in your certificate.": true, "(cert-address; ref ": true,
		"Certificate: subject": false, "took=": false, store: false,
	} {
		if strings.Contains(bounce, text) != want {
			t.Errorf("the bounce has %q: %v, want %v\n%s", text, !want, want, bounce)
		}
	}
	_, after, _ := strings.Cut(bounce, "cert-address; ref ")
	ref, _, _ := strings.Cut(after, ")")
	if out, err := exec.Command(bin, "why", "--config", config, ref).CombinedOutput(); err != nil || !strings.Contains(string(out), "via=pipe client=127.0.0.1 sender=<bob@example.org>") {
		t.Errorf("why %s: %v\n%s", ref, err, out)
	}

	// A null sender is a bounce, and no bounce answers it.
	send("", w.honest("carol"), collectAddress)
	logged("relay=certinbox", "dsn=5.7.1", "null sender")

	// Not an address of ours.
	send("dora@example.org", w.honest("dora"), "nobody@example.com")
	logged("to=<nobody@example.com>", "dsn=5.1.1", "status=bounced", "not an address that collects certificates")

	// The DNS of the sender is down: deferred.
	down := w.dkim
	down.Domain = "down.example"
	m := w.signed("erin", "erin@down.example")
	send("erin@down.example", down.Sign(m).Bytes(), collectAddress)
	logged("relay=certinbox", "dsn=4.4.3", "status=deferred", "DNS of the sending domain did not answer")

	// After the queue: kept or swallowed, never bounced.
	send("frank@example.org", w.honest("frank"), "secureme+after@example.com")
	logged("to=<secureme+after@example.com>", "relay=after", "status=sent")
	w.kept(store, "frank@example.org")
	delivered := strings.Count(p.Log(), "relay=after")
	send("bob@example.org", spoof, "secureme+after@example.com")
	await(t, "the second delivery after the queue", func() bool { return strings.Count(p.Log(), "relay=after") > delivered })
	if n := strings.Count(p.Log(), "status=bounced"); n != 3 {
		t.Errorf("%d bounced, want those three that were not after the queue", n)
	}

	// As somebody else than the store's owner: nobody's fault but ours.
	send("gil@example.org", w.honest("gil"), "secureme+stranger@example.com")
	logged("relay=stranger", "dsn=4.3.0", "status=deferred", "as the owner of store.path")
	if _, err := os.Stat(filepath.Join(store, "certs", "gil@example.org.crt")); err == nil {
		t.Error("kept although the store is somebody else's")
	}
	s.Quit()
}

// TestPipesBesideTheDaemon: pipes and the daemon keep in one store at once, and a
// pipe that is killed leaves nothing that the next try cannot finish.
func TestPipesBesideTheDaemon(t *testing.T) {
	const people, kills = 12, 3
	w := newWorld(t)
	addr := FreeAddr(t)
	config, store := w.config("inet:"+addr, "limits: {new_per_domain: 1000}")
	bin, zone := Build(t), WriteFile(t, "zone", w.zone.String())
	d := StartDaemon(t, bin, addr, "--config", config, "--dns", zone)
	letters := make([][]byte, 2*people) // made by one: the keys of a world are not for many
	for i := range letters {
		letters[i] = w.honest(fmt.Sprintf("person%d", i))
	}
	pipe := func(letter []byte, after time.Duration) error {
		ctx, cancel := context.WithTimeout(t.Context(), after)
		defer cancel()
		cmd := exec.CommandContext(ctx, bin, "pipe", "--config", config, "--dns", zone, "--rcpt", collectAddress)
		cmd.Stdin = bytes.NewReader(letter)
		out, err := cmd.CombinedOutput()
		if err != nil && ctx.Err() == nil {
			t.Errorf("pipe: %v\n%s", err, out)
		}
		return err
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		mta, err := miltertest.Dial("tcp", addr, miltertest.Options{})
		if err != nil {
			t.Error(err)
			return
		}
		defer mta.Quit()
		for i, letter := range letters[people:] {
			r, err := mta.Send(miltertest.Message{ID: fmt.Sprint("4b", i), From: "a@example.org", To: []string{collectAddress}, Data: letter})
			if err != nil || !r.Accepted {
				t.Errorf("the daemon: %v %s", err, r.Text)
			}
		}
	})
	for share := range 3 {
		wg.Go(func() {
			for i := share; i < people; i += 3 {
				for kill := range kills {
					pipe(letters[i], time.Duration(rand.IntN(10*(kill+1)))*time.Millisecond)
				}
				if err := pipe(letters[i], hang); err != nil {
					t.Errorf("person %d: %v", i, err)
				}
			}
		})
	}
	wg.Wait()
	out, err := exec.Command(bin, "list", "--config", config).Output()
	must(t, err)
	for i := range letters {
		address := fmt.Sprintf("person%d@example.org", i)
		if strings.Count(string(out), address+"\tactive\t") != 1 {
			t.Errorf("%s is not kept once:\n%s", address, out)
		}
		w.kept(store, address)
	}
	d.Stop()
}
