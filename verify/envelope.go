package verify

// An Envelope is what the transport knows about a message besides its bytes.
// None of it is proof of anything: it is written by whoever speaks SMTP to the
// MTA, except ID, Via, Client, TLS and Authenticated, which our own MTA says.
type Envelope struct {
	ID            string   // the MTA's queue id, "" when it has none
	Via           string   // name of the transport: milter, webhook, check, pipe, inspect
	Client        string   // address of the SMTP client, without port; "" when unknown
	Sender        *string  // RFC 5321 reverse-path; nil: unknown, "": the null sender
	Recipients    []string // forward-paths seen, in order, bounded by the transport
	Mixed         bool     // others than collection addresses are among them, as the transport took them
	TLS           TLSInfo
	Authenticated bool // a submission client that the MTA has authenticated

	// What the transport can do with a decision. The judgement does not look at it.
	AfterQueue bool // another server has accepted the message: a refusal cannot reach the sender
	LastTry    bool // it will not be brought again: what others' trouble would put off is refused
	Trial      bool // nothing is kept, whatever the verdict
}

// TLSInfo is what the MTA said about the client's TLS session; empty fields: none.
type TLSInfo struct {
	Version string
	Cipher  string
}
