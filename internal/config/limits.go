package config

import (
	"time"

	"github.com/certinbox/certinbox/verify"
)

// Limits bound what one message, and all messages at once, may cost.
type Limits struct {
	Message          Size     `yaml:"message"`
	Header           Size     `yaml:"header"`
	HeaderFields     int      `yaml:"header_fields"`
	HeaderField      Size     `yaml:"header_field"`
	HeaderFieldLines int      `yaml:"header_field_lines"`
	MIMEDepth        int      `yaml:"mime_depth"`
	MIMEParts        int      `yaml:"mime_parts"`
	CMS              Size     `yaml:"cms"`
	CMSDepth         int      `yaml:"cms_depth"`
	CMSMeta          Size     `yaml:"cms_meta"`
	Signers          int      `yaml:"signers"`
	TriesPerSigner   int      `yaml:"tries_per_signer"`
	Certificates     int      `yaml:"certificates"`
	Certificate      Size     `yaml:"certificate"`
	CertificateNames int      `yaml:"certificate_names"`
	RSABits          int      `yaml:"rsa_bits"`
	PublicKeyOps     int      `yaml:"public_key_operations"`
	Chain            int      `yaml:"chain"`
	DKIMSignatures   int      `yaml:"dkim_signatures"`
	DKIMVerified     int      `yaml:"dkim_verified"`
	DKIMHeaderNames  int      `yaml:"dkim_header_names"`
	DNSQueries       int      `yaml:"dns_queries"`
	DNSTime          Duration `yaml:"dns_time"`
	Time             Duration `yaml:"time"`
	Judged           int      `yaml:"judged"`
	InFlight         Size     `yaml:"in_flight"`
	NewPerDomain     int      `yaml:"new_per_domain"`
}

// defaultLimits are those of verify.DefaultPolicy, and those of the collector and the store.
func defaultLimits() Limits {
	l := verify.DefaultPolicy().Limits
	return Limits{
		Message:          Size(l.Message),
		Header:           Size(l.Header.Bytes),
		HeaderFields:     l.Header.Fields,
		HeaderField:      Size(l.Header.FieldBytes),
		HeaderFieldLines: l.Header.FieldLines,
		MIMEDepth:        l.MIME.Depth,
		MIMEParts:        l.MIME.Parts,
		CMS:              Size(l.MIME.CMSBytes),
		CMSDepth:         l.CMS.Depth,
		CMSMeta:          Size(l.CMS.MetaBytes),
		Signers:          l.CMS.Signers,
		TriesPerSigner:   l.CMS.TriesPerSigner,
		Certificates:     l.CMS.Certificates,
		Certificate:      Size(l.CMS.CertificateBytes),
		CertificateNames: l.SANs,
		RSABits:          l.RSABits,
		PublicKeyOps:     l.PublicKeyOps,
		Chain:            l.Chain,
		DKIMSignatures:   l.DKIMLooked,
		DKIMVerified:     l.DKIMVerified,
		DKIMHeaderNames:  l.DKIMHeaderNames,
		DNSQueries:       l.DNSQueries,
		DNSTime:          Duration(l.DNSTime),
		Time:             Duration(l.Time),
		Judged:           64,
		InFlight:         256 << 20,
		NewPerDomain:     1000,
	}
}

// Policy returns what the judgement needs to know of c.
func (c *Config) Policy() verify.Policy {
	p := verify.DefaultPolicy()
	p.Collect = c.Collect
	p.RecipientDelimiter = c.RecipientDelimiter
	p.Alignment = c.DKIM.Alignment
	p.MinRSABits = c.DKIM.MinRSABits
	p.MaxAge = time.Duration(c.Freshness.MaxAge)
	p.MaxAhead = time.Duration(c.Freshness.MaxAhead)
	p.RecipientBinding = c.RecipientBinding
	p.BindingWord = c.BindingWord
	p.OwnDomains = c.OwnDomains
	p.Revocation = c.Revocation.Mode
	c.Limits.apply(&p.Limits)
	p.Limits.RevocationTime = time.Duration(c.Revocation.Timeout)
	return p
}

func (l Limits) apply(v *verify.Limits) {
	v.Message = int(l.Message)
	v.Header.Bytes = int(l.Header)
	v.Header.Fields = l.HeaderFields
	v.Header.FieldBytes = int(l.HeaderField)
	v.Header.FieldLines = l.HeaderFieldLines
	v.MIME.Depth = l.MIMEDepth
	v.MIME.Parts = l.MIMEParts
	v.MIME.CMSBytes = int(l.CMS)
	v.CMS.Depth = l.CMSDepth
	v.CMS.MetaBytes = int(l.CMSMeta)
	v.CMS.Signers = l.Signers
	v.CMS.TriesPerSigner = l.TriesPerSigner
	v.CMS.Certificates = l.Certificates
	v.CMS.CertificateBytes = int(l.Certificate)
	v.CMS.RSABits = l.RSABits
	v.SANs = l.CertificateNames
	v.RSABits = l.RSABits
	v.PublicKeyOps = l.PublicKeyOps
	v.Chain = l.Chain
	v.DKIMLooked = l.DKIMSignatures
	v.DKIMVerified = l.DKIMVerified
	v.DKIMHeaderNames = l.DKIMHeaderNames
	v.DNSQueries = l.DNSQueries
	v.DNSTime = time.Duration(l.DNSTime)
	v.Time = time.Duration(l.Time)
}
