package verify

import (
	"strings"
	"testing"
	"time"
)

func TestReadDMARC(t *testing.T) {
	none := dmarcRecord{}
	found := func(strict, suffix bool) dmarcRecord { return dmarcRecord{found: true, strict: strict, suffix: suffix} }
	for _, tt := range []struct {
		records string // one a line
		want    dmarcRecord
	}{
		{"", none},
		{"v=spf1 -all", none},
		{"v=DMARC1", found(false, false)},
		{"v=DMARC1; p=none", found(false, false)},
		{"v=DMARC1; adkim=s", found(true, false)},
		{"v=DMARC1;adkim=r;psd=n", found(false, false)},
		{" V = DMARC1 ; AdKim = S ; PSD = Y", found(true, true)},
		{"v=dmarc1; adkim=s", none},
		{"v=DMARC2; adkim=s", none},
		{"v=DMARC1x; adkim=s", none},
		{"adkim=s; v=DMARC1", none},
		{"v=DMARC1; adkim=s\nv=DMARC1; adkim=s", none}, // two records: neither counts
		{"v=spf1\nv=DMARC1; psd=y\nother", found(false, true)},
		{"v=DMARC1; p=nonsense; pct=abc; rua=?; ri=-; rf=x; adkim=s", found(true, false)},
		{"v=DMARC1; adkim=s; adkim=r", found(true, false)},
		{"v=DMARC1; adkim=r; adkim=s", found(true, false)},
		{"v=DMARC1; adkim; =; ;;; adkim=strict; psd=yes", found(false, false)},
		{"v=DMARC1; xadkim=s", found(false, false)},
		{"v=DMARC1; p=none\tadkim=s", found(false, false)},
	} {
		var records []string
		if tt.records != "" {
			records = strings.Split(tt.records, "\n")
		}
		got := readDMARC(records)
		got.text = ""
		if got != tt.want {
			t.Errorf("%q: %+v, want %+v", tt.records, got, tt.want)
		}
	}
}

func FuzzDMARC(f *testing.F) {
	f.Add("v=DMARC1; adkim=s; psd=y")
	f.Add("v=DMARC1\nv=DMARC1")
	f.Add(strings.Repeat(";", 100))
	f.Fuzz(func(t *testing.T, in string) {
		start := time.Now()
		got := readDMARC(strings.Split(in, "\n"))
		if took := time.Since(start); took > 5*time.Second {
			t.Fatalf("%d bytes took %v", len(in), took)
		}
		if !got.found && got != (dmarcRecord{}) {
			t.Errorf("%q: nothing found, but %+v", in, got)
		}
		if got.found && !strings.Contains(in, "DMARC1") {
			t.Errorf("%q: found %+v", in, got)
		}
	})
}
