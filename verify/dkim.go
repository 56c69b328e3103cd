package verify

import "context"

func checkDKIM(ctx context.Context, f *facts) Result { return notReached() }

// A dkimSignature is one DKIM-Signature field and what became of it.
type dkimSignature struct {
	domain   string // d=, lower-case
	selector string // s=
}
