package milter

import (
	"strings"

	gomilter "github.com/d--j/go-milter"
)

// wantedActions are the changes we make: our recipient taken out of a mixed
// message, Authentication-Results removed and added.
const wantedActions = gomilter.OptAddHeader | gomilter.OptChangeHeader | gomilter.OptRemoveRcpt | gomilter.OptSetMacros

// wantedSteps: exact header values, no unknown commands, and no answers where
// none is needed. RCPT, DATA and the end of the message are answered.
const wantedSteps = gomilter.OptHeaderLeadingSpace | gomilter.OptNoUnknown | quietEnvelope | quietContent

const (
	quietEnvelope = gomilter.OptNoConnReply | gomilter.OptNoHeloReply | gomilter.OptNoMailReply
	quietContent  = gomilter.OptNoHeaderReply | gomilter.OptNoEOHReply | gomilter.OptNoBodyReply
)

// firstVersionWithData is the protocol version that brought the DATA event.
const firstVersionWithData = 4

// macroRequests ask for what we use and for nothing else: each macro is bytes
// on the wire of everybody's mail. HELO-stage values are kept by the session,
// because the library forgets them at the first ABORT.
func macroRequests() []gomilter.Option {
	return []gomilter.Option{
		gomilter.WithMacroRequest(gomilter.StageConnect, []gomilter.MacroName{gomilter.MacroMTAFQDN, gomilter.MacroClientAddr}),
		gomilter.WithMacroRequest(gomilter.StageHelo, []gomilter.MacroName{gomilter.MacroTlsVersion, gomilter.MacroCipher}),
		gomilter.WithMacroRequest(gomilter.StageMail, []gomilter.MacroName{gomilter.MacroQueueId, gomilter.MacroAuthAuthen}),
		gomilter.WithMacroRequest(gomilter.StageRcpt, []gomilter.MacroName{gomilter.MacroQueueId}),
		gomilter.WithMacroRequest(gomilter.StageData, []gomilter.MacroName{gomilter.MacroQueueId}),
		gomilter.WithMacroRequest(gomilter.StageEOM, []gomilter.MacroName{gomilter.MacroQueueId}),
		gomilter.WithMacroRequest(gomilter.StageEOH, []gomilter.MacroName{gomilter.MacroQueueId}),
	}
}

// tellsData says whether an MTA has the DATA event: one that has it also
// offers to leave it out.
func tellsData(version uint32, steps gomilter.OptProtocol) bool {
	return version >= firstVersionWithData && steps&gomilter.OptNoData != 0
}

// intersection is what both sides can do. An MTA without the DATA event has to
// hear our answer to the first header field, so none is silenced there.
func intersection(version uint32, actions gomilter.OptAction, steps gomilter.OptProtocol) (uint32, gomilter.OptAction, gomilter.OptProtocol) {
	version = min(version, gomilter.MaxServerProtocolVersion)
	wanted := wantedSteps
	if !tellsData(version, steps) {
		wanted &^= quietContent
	}
	return version, actions & wantedActions, steps & wanted
}

// negotiate answers the MTA's offer and says once what it lacks.
func (s *Server) negotiate(mtaVersion, _ uint32, offered, _ gomilter.OptAction, steps, _ gomilter.OptProtocol, _ gomilter.DataSize) (uint32, gomilter.OptAction, gomilter.OptProtocol, gomilter.DataSize, error) {
	version, actions, protocol := intersection(mtaVersion, offered, steps)
	if l := (lack{wantedActions &^ actions, wantedSteps &^ protocol, !tellsData(version, steps)}); l != (lack{}) {
		s.warn(l)
	}
	return version, actions, protocol, gomilter.DataSize64K, nil
}

// A lack is what an MTA does not offer.
type lack struct {
	actions gomilter.OptAction
	steps   gomilter.OptProtocol
	noData  bool
}

// warn logs a lack the first time it is seen. MTAs differ in few ways, so
// the memory of them stays small; it is bounded all the same.
func (s *Server) warn(l lack) {
	s.mu.Lock()
	known := s.warned[l] || len(s.warned) >= 64
	if !known {
		s.warned[l] = true
	}
	s.mu.Unlock()
	if !known {
		s.log.Warn("milter: the MTA does not offer all that is wanted", "missing", strings.Join(l.consequences(), "; "))
	}
}

// consequences puts a lack into words.
func (l lack) consequences() []string {
	var out []string
	say := func(missing bool, text string) {
		if missing {
			out = append(out, text)
		}
	}
	say(l.steps&gomilter.OptHeaderLeadingSpace != 0, "exact header values: one leading space is assumed in each, and DKIM signatures with simple header canonicalisation may fail")
	say(l.noData, "DATA event: the first header field of other people's mail is seen before it is let go")
	say(l.actions&gomilter.OptRemoveRcpt != 0, "deletion of recipients: other recipients behind the collection address are told 452 to come again")
	say(l.actions&gomilter.OptChangeHeader != 0, "change of header fields: mail with a forged Authentication-Results of ours is deferred")
	say(l.actions&(gomilter.OptAddHeader|gomilter.OptChangeHeader) == gomilter.OptAddHeader|gomilter.OptChangeHeader, "added header fields: no Authentication-Results is added")
	say(l.actions&gomilter.OptSetMacros != 0, "choice of macros: name i, j, {auth_authen}, {tls_version} and {cipher} in the MTA's configuration")
	say(l.steps&(quietEnvelope|quietContent) != 0, "commands without answers: more round trips")
	say(l.steps&gomilter.OptNoUnknown != 0, "leaving out unknown commands: they are seen and ignored")
	return out
}
