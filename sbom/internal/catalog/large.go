package catalog

import (
	"context"
	"errors"

	"github.com/assaykit/assay/internal/layers"
	"github.com/assaykit/assay/sbom/internal/catalog/executable"
	"github.com/assaykit/assay/sbom/internal/catalog/golang"
	"github.com/assaykit/assay/sbom/internal/catalog/sparse"
	"github.com/assaykit/assay/sbom/internal/catalog/tool"
)

// beyond is told of a file of which more would have to be kept than may be.
const beyond = layers.Beyond("needs more of it to be kept while it is read than 4 MiB")

// exeLimit bounds what is kept of an executable that goes by.
const exeLimit = 4 << 20

// exeAsked is what a reading of an executable lacked.
type exeAsked struct {
	parts []sparse.Range
	texts []sparse.Range // where the texts are, if that is known
}

// exeStream is an executable that goes by.
type exeStream struct {
	v       exeVisitor
	content *sparse.Content
	asked   exeAsked
	tools   *tool.Stream // nil until the beginning went by
}

// Stream implements [layers.Streamer].
func (v exeVisitor) Stream(f *layers.File, asked any) layers.Stream {
	s := &exeStream{v: v, content: sparse.New(f.Size, exeLimit)}
	s.asked, _ = asked.(exeAsked)
	s.content.Want(sparse.Range{To: executable.PlanSize})
	for _, r := range s.asked.parts {
		s.content.Want(r)
	}
	return s
}

func (s *exeStream) Write(b []byte) {
	if s.tools == nil {
		n := min(uint64(len(b)), executable.PlanSize-s.content.At())
		s.content.Write(b[:n])
		if b = b[n:]; len(b) == 0 {
			return
		}
		s.plan()
	}
	s.content.Write(b)
	s.tools.Write(b)
}

// plan says what is of interest, by the beginning.
func (s *exeStream) plan() {
	texts := executable.Prepare(s.content)
	if s.asked.texts != nil {
		texts = s.asked.texts
	}
	s.tools = s.v.tools.Begin(texts, s.asked.texts != nil)
	s.tools.Write(s.content.Kept(0, min(s.content.Size(), executable.PlanSize)))
}

func (s *exeStream) Visit(_ context.Context, f *layers.File, c layers.Content) (fact, ask any, err error) {
	if s.tools == nil {
		s.plan()
	}
	asked := s.asked
	head := s.content.Kept(0, min(s.content.Size(), layers.PeekSize))
	p := inspect(head, c.SHA256, s.content, func(e *executable.File) []tool.Found {
		texts := e.Texts()
		found, ok := s.tools.End(texts)
		if !ok {
			asked.texts = texts
		}
		return found
	})
	if missing := s.content.Missing(); len(missing) > 0 {
		if s.content.Full() {
			return nil, beyond, nil
		}
		return nil, exeAsked{parts: append(asked.parts, missing...)}, nil
	}
	if len(asked.texts) > len(s.asked.texts) {
		return nil, asked, nil
	}
	return p, nil, s.v.budget.take(f, p.size())
}

func (s *exeStream) Close() {}

// goAsked is what a reading of an executable lacked.
type goAsked []sparse.Range

// goStream is an executable that goes by.
type goStream struct {
	*golang.Stream
	v     goVisitor
	asked goAsked
}

// Stream implements [layers.Streamer].
func (v goVisitor) Stream(f *layers.File, asked any) layers.Stream {
	a, _ := asked.(goAsked)
	return &goStream{golang.NewStream(f.Size, a), v, a}
}

func (s *goStream) Visit(_ context.Context, f *layers.File, c layers.Content) (fact, ask any, err error) {
	b, missing, full, err := s.Parse()
	switch {
	case full:
		return nil, beyond, nil
	case len(missing) > 0:
		return nil, append(s.asked, missing...), nil
	case errors.Is(err, golang.ErrNotGo):
		return nil, nil, nil
	case err != nil:
		return faulty{err}, nil, nil
	}
	return goBinary{b, c.SHA256}, nil, s.v.budget.take(f, b.Size())
}

func (s *goStream) Close() {}
