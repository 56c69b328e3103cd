// Package milter is the transport that listens to an MTA: Postfix or Sendmail
// show it the mail they receive while the sending server is still on the line.
//
// Other people's mail never enters this process. The filter answers "continue"
// to every recipient and "accept" at DATA when none was a collection address, so
// that the MTA sends neither header nor body. A message for the collection
// address goes to a collect.Collector, byte for byte as it will be queued, and
// the outcome becomes the MTA's answer.
//
// Recipients are mixed when the collection address and others stand in one
// transaction. The collection address after others is refused with 452, so that
// the sending server repeats it alone. Others after the collection address are
// accepted: when the message is then refused, or kept but not to be delivered,
// our recipient is deleted from it and the others get it unaltered. An MTA that
// does not offer that deletion cannot do this; there, others after the collection
// address are told 452, which delays them and loses nothing.
// A path that MTAs read differently and that may be ours is refused for good.
//
// The package trusts the MTA in what it says about the client (address, TLS,
// login), and nobody in the shape of what arrives: a guard in front of the
// library vets every frame, since the library dies of malformed ones and believes
// any length. Our own panics end in 451 4.3.0 and a stack in the log. The number of
// connections is not limited: other people's mail waits on them; when the process
// is out of descriptors, accepting pauses and goes on.
//
// It reads no configuration and knows no check by name. It does not buffer
// mail; collect.Intake does, within its limits.
package milter
