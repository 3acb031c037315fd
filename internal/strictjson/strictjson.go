// Package strictjson is the one door through which JSON of unknown origin
// enters this module.
//
// encoding/json keeps the last of two members with one name, matches names
// without regard to case, replaces invalid UTF-8 and stops reading after the
// first value. Each of these lets two readers of the same signed bytes see
// different documents. Here all four are errors, as are values nested too deep
// and documents too large.
//
// Start with [Unmarshal]; use [Check] where another library does the decoding.
package strictjson

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/assaykit/assay"
)

// Defaults of [Limits].
const (
	DefaultMaxBytes = 128 << 20
	DefaultMaxDepth = 128
)

// Limits bound a document. The zero value means the defaults.
type Limits struct {
	MaxBytes int64 // of the whole document
	MaxDepth int   // of nested objects and arrays
	// RejectUnknown makes a member that the target has no field for an error. It
	// is for documents that are instructions to us, such as policies, where a
	// misspelt member must not silently mean nothing.
	RejectUnknown bool
}

func (l Limits) maxBytes() int64 {
	if l.MaxBytes > 0 {
		return l.MaxBytes
	}
	return DefaultMaxBytes
}

func (l Limits) maxDepth() int {
	if l.MaxDepth > 0 {
		return l.MaxDepth
	}
	return DefaultMaxDepth
}

// Unmarshal decodes the one JSON value that data must be into v. The name, of the
// file or blob, is for errors, which also give the JSON pointer of the offence.
func Unmarshal(name string, data []byte, v any, l Limits) error {
	// The decoder refuses by itself all that Check does, but for size and depth:
	// the document is read a second time only to say what is wrong with it.
	if int64(len(data)) > l.maxBytes() || deeper(data, l.maxDepth()) {
		if err := Check(name, data, l); err != nil {
			return err
		}
	}
	err := json.Unmarshal(data, v, json.RejectUnknownMembers(l.RejectUnknown))
	if err == nil {
		return nil
	}
	if err := Check(name, data, l); err != nil {
		return err
	}
	out := &assay.Error{Op: "read JSON", Kind: assay.ErrInvalid, Subject: name, Err: err}
	if sem, ok := errors.AsType[*json.SemanticError](err); ok {
		out.Field = pointer(sem.JSONPointer)
		out.Value = string(sem.JSONValue)
		out.Err = sem.Err
		if sem.GoType != nil && sem.Err == nil {
			out.Bound = "a JSON value for " + sem.GoType.String()
		}
		if errors.Is(err, json.ErrUnknownName) {
			out.Bound = "a member that is known here"
			out.Err = nil
			out.Value = string(sem.JSONPointer.LastToken())
		}
	}
	return out
}

// deeper reports whether objects and arrays are nested deeper than most, in valid
// JSON. Of what is not valid it may say anything.
func deeper(data []byte, most int) bool {
	depth := 0
	for i := 0; i < len(data); i++ {
		switch data[i] {
		case '"':
			for i++; i < len(data) && data[i] != '"'; i++ {
				if data[i] == '\\' {
					i++
				}
			}
		case '{', '[':
			if depth++; depth > most {
				return true
			}
		case '}', ']':
			depth--
		}
	}
	return false
}

// Check reports what makes data not one strict JSON value: syntax, a repeated
// member name, invalid UTF-8, trailing data, or a limit.
func Check(name string, data []byte, l Limits) error {
	if int64(len(data)) > l.maxBytes() {
		return &assay.Error{Op: "read JSON", Kind: assay.ErrBound, Subject: name,
			Value: strconv.Itoa(len(data)) + " bytes", Bound: fmt.Sprintf("at most %d bytes", l.maxBytes())}
	}
	dec := jsontext.NewDecoder(bytes.NewBuffer(data))
	for {
		_, err := dec.ReadToken()
		if err != nil {
			return syntax(name, err)
		}
		if d := dec.StackDepth(); d > l.maxDepth() {
			return &assay.Error{Op: "read JSON", Kind: assay.ErrBound, Subject: name, Field: pointer(dec.StackPointer()),
				Value: "depth " + strconv.Itoa(d), Bound: "at most " + strconv.Itoa(l.maxDepth())}
		} else if d == 0 {
			break
		}
	}
	switch _, err := dec.ReadToken(); {
	case err == io.EOF:
		return nil
	case err != nil:
		return syntax(name, err)
	default:
		return &assay.Error{Op: "read JSON", Kind: assay.ErrInvalid, Subject: name,
			Field: "offset " + strconv.FormatInt(dec.InputOffset(), 10), Bound: "nothing after the value"}
	}
}

// Read reads at most the limit from r and decodes it by [Unmarshal]. It gives the
// exact bytes read, because those are what digests and signatures are over.
func Read(name string, r io.Reader, v any, l Limits) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(r, l.maxBytes()+1))
	if err != nil {
		return nil, &assay.Error{Op: "read JSON", Kind: assay.ErrUnchecked, Subject: name, Err: err}
	}
	if err := Unmarshal(name, data, v, l); err != nil {
		return nil, err
	}
	return data, nil
}

// Marshal encodes v the same way every time: members of maps sorted, no HTML
// escaping, no trailing newline.
func Marshal(v any) ([]byte, error) {
	return json.Marshal(v, json.Deterministic(true))
}

// MarshalIndent is [Marshal] with one member a line, for documents that people read.
func MarshalIndent(v any) ([]byte, error) {
	return json.Marshal(v, json.Deterministic(true), jsontext.WithIndent("  "))
}

func syntax(name string, err error) error {
	out := &assay.Error{Op: "read JSON", Kind: assay.ErrInvalid, Subject: name, Err: err}
	if syn, ok := errors.AsType[*jsontext.SyntacticError](err); ok {
		out.Field = pointer(syn.JSONPointer)
		out.Err = syn.Err
		if errors.Is(err, jsontext.ErrDuplicateName) {
			out.Value = string(syn.JSONPointer.LastToken())
			out.Bound = "each member name once"
			out.Err = nil
		}
		if out.Err != nil {
			out.Err = fmt.Errorf("offset %d: %w", syn.ByteOffset, out.Err)
		}
	}
	return out
}

// pointer gives the root a visible name.
func pointer(p jsontext.Pointer) string {
	if p == "" {
		return "/"
	}
	return string(p)
}
