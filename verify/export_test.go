package verify

// Force makes the row of the named check pass, whatever it finds.
func (v *Verifier) Force(check string) { v.force = check }
