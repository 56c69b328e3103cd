// Package collect is what every transport calls.
//
// A Collector binds a Verifier, a Keeper and the operator's settings. Begin
// takes what the transport knows of a message, Write its bytes, and End judges,
// decides by the settings, keeps, answers and logs: exactly one Outcome,
// whatever happens. Settings are replaced as one (Set); a message is judged by
// those of the moment at which it began.
//
// The package trusts its caller with what an Envelope says of the SMTP client,
// and nobody with the message. Nothing in it fails open: trouble of ours is
// 451 for the sender and an error line for the operator. It knows no check by
// name but for what the settings are about, opens no socket and reads no file.
package collect
