package config

import "time"

// A Config is everything an operator may decide. config.yaml.example explains
// each key; this struct says the same in types.
type Config struct {
	Collect            []string   `yaml:"collect"` // collection addresses; required
	Mode               string     `yaml:"mode"`
	Refuse             string     `yaml:"refuse"`
	OnAccept           string     `yaml:"on_accept"`
	Milter             []Listener `yaml:"milter"`
	Store              Store      `yaml:"store"`
	AuthservID         string     `yaml:"authserv_id"` // "": the MTA's name
	HelpURL            string     `yaml:"help_url"`
	RecipientDelimiter string     `yaml:"recipient_delimiter"` // "" or the character that begins an extension
	Relays             []Network  `yaml:"relays"`              // networks whose mail was already accepted elsewhere
	OwnNetworks        []Network  `yaml:"own_networks"`
	OwnDomains         []string   `yaml:"own_domains"`
	RecipientBinding   string     `yaml:"recipient_binding"`
	BindingWord        string     `yaml:"binding_word"`
	DKIM               DKIM       `yaml:"dkim"`
	Freshness          Freshness  `yaml:"freshness"`
	KeyChange          KeyChange  `yaml:"key_change"`
	Trust              Trust      `yaml:"trust"`
	Revocation         Revocation `yaml:"revocation"`
	DNS                DNS        `yaml:"dns"`
	Limits             Limits     `yaml:"limits"`
	Log                Log        `yaml:"log"`
	Reports            Reports    `yaml:"reports"`
	Admin              Admin      `yaml:"admin"`
	Webhook            Webhook    `yaml:"webhook"`
}

// The words of the keys that take one of a few.
const (
	Enforce = "enforce" // mode
	Observe = "observe"

	All    = "all" // refuse
	Signed = "signed"
	None   = "none"

	Deliver = "deliver" // on_accept
	Discard = "discard"

	Explained = "explained" // key_change.mode
	Accept    = "accept"
	Hold      = "hold"
	Reject    = "reject"

	Human = "human" // log.format
	JSON  = "json"

	AnyDomain = "any" // trust.anchors[].domains

	Mozilla = "mozilla" // trust.roots
	Off     = "off"     // trust.roots, revocation.mode

	Soft = "soft" // revocation.mode
	Hard = "hard"
)

// A Listener is a socket on which the MTA finds us.
type Listener struct {
	Listen string   `yaml:"listen"` // inet:HOST:PORT, inet6:[HOST]:PORT or unix:/PATH
	Group  string   `yaml:"group"`  // of a unix socket; "": that of the process
	Mode   FileMode `yaml:"mode"`   // of a unix socket
}

func (l *Listener) setDefaults() { *l = Listener{Listen: "inet:127.0.0.1:8894", Mode: 0o660} }

// Store says where certificates are kept and who may read them.
type Store struct {
	Path  string `yaml:"path"`
	Group string `yaml:"group"` // reads certs/; "": that of the process
}

// DKIM bounds what we take as the domain's word.
type DKIM struct {
	Alignment  string `yaml:"alignment"`
	MinRSABits int    `yaml:"min_rsa_bits"`
}

// Freshness is the window around now in which a message must have been signed.
type Freshness struct {
	MaxAge   Duration `yaml:"max_age"`
	MaxAhead Duration `yaml:"max_ahead"`
}

// KeyChange says what becomes of another key for a known address.
type KeyChange struct {
	Mode string   `yaml:"mode"`
	Hold Duration `yaml:"hold"`
}

// Trust names who may vouch for a mailbox.
type Trust struct {
	Roots   string   `yaml:"roots"` // mozilla, off, or the absolute path of a bundle
	Anchors []Anchor `yaml:"anchors"`
}

// An Anchor is a file or folder of CA certificates.
type Anchor struct {
	File                string   `yaml:"file"`
	Domains             []string `yaml:"domains"` // required; any, or "a.de", ".b.fr"
	AllowMissingEKU     bool     `yaml:"allow_missing_eku"`
	AllowSubjectAddress bool     `yaml:"allow_subject_address"`
}

// Revocation says how CAs are asked whether they still stand by a certificate.
type Revocation struct {
	Mode             string   `yaml:"mode"`
	Allow            []string `yaml:"allow"` // HOST, HOST:PORT or HOST:*
	Timeout          Duration `yaml:"timeout"`
	PublishUnchecked Duration `yaml:"publish_unchecked_after"`
	CRLSize          Size     `yaml:"crl_size"`   // of one list
	CacheSize        Size     `yaml:"cache_size"` // of all answers on disk
}

// DNS names the resolvers that are asked.
type DNS struct {
	Servers []string `yaml:"servers"` // IP or IP:PORT; none: those of resolv.conf
}

// Log is how the log looks.
type Log struct {
	Format string `yaml:"format"`
	Level  string `yaml:"level"`
}

// Reports bounds the ring of reports that `certinbox why` reads.
type Reports struct {
	Keep int  `yaml:"keep"` // reports; 0: none
	Size Size `yaml:"size"` // bytes of all of them
}

// Admin is where the operator's machines ask the daemon.
type Admin struct {
	Listen string `yaml:"listen"` // inet:HOST:PORT, inet6:[HOST]:PORT or unix:/PATH; "": nowhere
}

// Webhook is where mail comes in over HTTP.
type Webhook struct {
	Listen         []HTTPListener `yaml:"listen"` // none: nowhere
	Paths          []string       `yaml:"paths"`
	Auth           []Credential   `yaml:"auth"`
	Proxies        []Network      `yaml:"proxies"` // whose X-Forwarded-For is believed
	Body           Size           `yaml:"body"`    // of one request
	Posts          int            `yaml:"posts"`   // at once
	PostsPerClient int            `yaml:"posts_per_client"`
	Rate           int            `yaml:"rate"` // posts a minute and client; 0: no limit
}

// An HTTPListener is a socket for HTTP, or for HTTPS with a certificate.
type HTTPListener struct {
	Listen      string   `yaml:"listen"`      // inet:HOST:PORT, inet6:[HOST]:PORT or unix:/PATH
	Certificate string   `yaml:"certificate"` // PEM file, with the chain; "": no TLS
	Key         string   `yaml:"key"`         // PEM file
	Group       string   `yaml:"group"`       // of a unix socket; "": that of the process
	Mode        FileMode `yaml:"mode"`        // of a unix socket
}

func (l *HTTPListener) setDefaults() { l.Mode = 0o660 }

// A Credential lets in who presents it.
type Credential struct {
	Kind   string   `yaml:"kind"` // header, bearer or basic
	Header string   `yaml:"header"`
	User   string   `yaml:"user"`
	Secret string   `yaml:"secret"` // file:/PATH or env:NAME
	Opens  []string `yaml:"opens"`  // relay, check
}

func (c *Credential) setDefaults() {
	c.Header, c.Opens = "X-MessageSystems-Webhook-Token", []string{"relay"}
}

// Defaults returns the settings of an empty file.
func Defaults() Config {
	var l Listener
	l.setDefaults()
	return Config{
		Mode:             Enforce,
		Refuse:           All,
		OnAccept:         Deliver,
		Milter:           []Listener{l},
		Store:            Store{Path: "/var/lib/certinbox"},
		RecipientBinding: "bonus",
		DKIM:             DKIM{Alignment: "relaxed", MinRSABits: 1024},
		Freshness:        Freshness{MaxAge: Duration(7 * day), MaxAhead: Duration(3 * time.Hour)},
		KeyChange:        KeyChange{Mode: Explained, Hold: Duration(72 * time.Hour)},
		Trust:            Trust{Roots: Mozilla},
		Revocation: Revocation{Mode: Soft, Timeout: Duration(5 * time.Second), PublishUnchecked: Duration(24 * time.Hour),
			CRLSize: 100 << 20, CacheSize: 500 << 20},
		Limits:  defaultLimits(),
		Log:     Log{Format: Human, Level: "info"},
		Webhook: Webhook{Paths: []string{"/"}, Body: 64 << 20, Posts: 32, PostsPerClient: 24},
		Reports: Reports{Keep: 10000, Size: 256 << 20},
	}
}
