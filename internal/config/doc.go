// Package config reads config.yaml.
//
// A Config is the reference of what an operator may decide: Defaults returns
// it as it is when the file says nothing, Load reads a file over it. The file
// is YAML with less freedom: one document of at most 1 MiB, every key known
// and given once, no null, no anchors and aliases, no explicit tags. One thing
// is more free: where a list is expected, a single element may stand for a list of
// one. Every mistake is reported at once, with line and path of its key; values
// are quoted only after it is clear that they are no secrets.
//
// The package trusts the file's owner with what the keys say, but not with
// spelling. It opens no file but the one it is given: whether an anchor file
// or a directory exists is found out by those who use it.
package config
