package cms

// Count parses a blob and returns the steps also where it is refused.
func Count(blob []byte) (int, error) {
	s := &SignedData{lim: DefaultLimits()}
	err := s.parse(blob)
	return s.Steps, err
}
