package store

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"sync"
	"time"
)

// The evidence of one acceptance is one archive, NAME.tar.gz: tar shows it
// without us, and it takes one file and one sync instead of a dozen.

// reportDocument is the name of the Report among the evidence.
const reportDocument = "report.json"

// documents returns the evidence of an entry with the Report, within bounds.
func documents(e Entry) ([]Document, error) {
	docs := make([]Document, 0, len(e.Evidence)+1)
	if len(e.Report) > 0 {
		docs = append(docs, within(Document{Name: reportDocument, Bytes: e.Report}, MaxReport))
	}
	if len(e.Evidence) > MaxDocuments {
		return nil, fmt.Errorf("store: evidence: %d documents, at most %d", len(e.Evidence), MaxDocuments)
	}
	for _, doc := range e.Evidence {
		if !safeName(doc.Name) || doc.Name == reportDocument {
			return nil, fmt.Errorf("store: evidence: unsafe name %q", words(doc.Name))
		}
		limit := MaxDocument
		if doc.Name == CMSDocument {
			limit = MaxCMS
		}
		docs = append(docs, within(doc, limit))
	}
	return docs, nil
}

// within cuts a document that is too long and says so in its name.
func within(doc Document, limit int) Document {
	if len(doc.Bytes) > limit {
		return Document{Name: doc.Name + ".cut", Bytes: doc.Bytes[:limit]}
	}
	return doc
}

// A packer makes archives. It keeps what a compressor needs, more than a
// megabyte, for the next one.
type packer struct {
	idle sync.Pool // of *gzip.Writer
}

// pack makes the archive.
func (p *packer) pack(docs []Document, at time.Time) ([]byte, error) {
	var b bytes.Buffer
	z, ok := p.idle.Get().(*gzip.Writer)
	if !ok {
		z, _ = gzip.NewWriterLevel(nil, gzip.BestSpeed) // a level that exists never fails
	}
	z.Reset(&b)
	defer func() {
		z.Reset(nil)
		p.idle.Put(z)
	}()
	t := tar.NewWriter(z)
	for _, doc := range docs {
		err := t.WriteHeader(&tar.Header{Name: doc.Name, Mode: 0o600, Size: int64(len(doc.Bytes)), ModTime: at, Format: tar.FormatUSTAR})
		if err == nil {
			_, err = t.Write(doc.Bytes)
		}
		if err != nil {
			return nil, fmt.Errorf("store: evidence: %s: %w", doc.Name, err)
		}
	}
	if err := t.Close(); err != nil {
		return nil, err
	}
	if err := z.Close(); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// unpack reads an archive, within the bounds that pack keeps.
func unpack(archive []byte) ([]Document, error) {
	z, err := gzip.NewReader(bytes.NewReader(archive))
	if err != nil {
		return nil, err
	}
	t := tar.NewReader(z)
	var docs []Document
	for {
		head, err := t.Next()
		if err == io.EOF {
			// To the end of the compression too: its checksum tells a cut archive.
			_, err := io.Copy(io.Discard, io.LimitReader(z, 1<<20))
			return docs, err
		}
		if err != nil {
			return nil, err
		}
		if len(docs) > MaxDocuments || !safeName(head.Name) || head.Size > MaxCMS {
			return nil, fmt.Errorf("document %q: over the bounds", words(head.Name))
		}
		content, err := io.ReadAll(io.LimitReader(t, MaxCMS))
		if err != nil {
			return nil, err
		}
		docs = append(docs, Document{Name: head.Name, Bytes: content})
	}
}
