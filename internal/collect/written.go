package collect

// reportJSON returns the Report as JSON, which is not to be changed: it is made
// once, for the store, the ring, the log and an answer over HTTP all say it, and
// nobody changes a Report once it is made. There must be one.
func (o Outcome) reportJSON() ([]byte, error) {
	if o.written == nil { // none that End has made
		return o.Report.MarshalJSON()
	}
	return o.written()
}

// WithReport returns a JSON object of at least one member with one more at its
// end, report, as json.Marshal would write it; the same object without a Report.
func (o Outcome) WithReport(object []byte) ([]byte, error) {
	if o.Report == nil {
		return object, nil
	}
	const name = `,"report":`
	report, err := o.reportJSON()
	if err != nil {
		return nil, err
	}
	b := make([]byte, 0, len(object)+len(name)+len(report)+1) // one for a line end
	b = append(b, object[:len(object)-1]...)
	b = append(b, name...)
	b = append(b, report...)
	return append(b, '}'), nil
}
