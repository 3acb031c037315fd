// Package quick reads JSON that was checked: by a walk along the grammar of its format,
// which has refused what is not strict JSON, and every value of the wrong kind.
//
// Who decodes such a document into structs by reflection pays twice, for a second check
// and for a string of its own in each member. A [Reader] looks for neither mistakes nor
// repetitions, and makes strings many at once. It never panics; of what was not checked
// it may say anything.
//
// Start with [NewReader], and ask [Reader.Bad] at the end.
package quick

import (
	"bytes"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// Reader reads values one after the other. Where the next is not of the kind that is
// asked for, it gives zero and nothing from then on.
type Reader struct {
	rest []byte
	kept Keeper
	bad  bool
}

// Keeper makes strings, many at once.
type Keeper struct {
	chunk strings.Builder // those made before stay as they are
}

// Strings are made in chunks, each of which is kept as long as one of its strings is:
// those that are long are not made there.
const (
	chunkSize = 16 << 10
	longText  = 1 << 10
)

// NewReader reads the value that data is.
func NewReader(data []byte) *Reader { return &Reader{rest: data} }

// Bad reports whether the document was not what it was taken for. Nothing of what was
// read is to be used then.
func (r *Reader) Bad() bool { return r.bad }

func (r *Reader) fail() { r.rest, r.bad = nil, true }

// peek gives the first byte after white space, 0 at the end.
func (r *Reader) peek() byte {
	for i, c := range r.rest {
		if c > ' ' {
			r.rest = r.rest[i:]
			return c
		}
	}
	r.rest = nil
	return 0
}

// Into steps into an object or array, which starts with the byte.
func (r *Reader) Into(open byte) {
	if r.peek() != open {
		r.fail()
		return
	}
	r.rest = r.rest[1:]
}

// More reports whether a member follows in the object or array, which ends with the byte.
// At the end it steps out.
func (r *Reader) More(end byte) bool {
	c := r.peek()
	if c == ',' {
		r.rest = r.rest[1:]
		c = r.peek()
	}
	switch c {
	case 0:
		r.fail()
		return false
	case end:
		r.rest = r.rest[1:]
		return false
	}
	return true
}

// quoted takes a string with its quotation marks, and whether it has escapes.
func (r *Reader) quoted() (raw []byte, escaped bool) {
	if r.peek() != '"' {
		r.fail()
		return nil, false
	}
	for i := 1; ; {
		n := bytes.IndexByte(r.rest[i:], '"')
		if n < 0 {
			r.fail()
			return nil, false
		}
		if i == 1 && bytes.IndexByte(r.rest[1:1+n], '\\') < 0 {
			raw, r.rest = r.rest[:n+2], r.rest[n+2:]
			return raw, false
		}
		i += n
		slashes := 0
		for r.rest[i-1-slashes] == '\\' { // stops at the first quotation mark
			slashes++
		}
		i++
		if slashes%2 == 0 {
			raw, r.rest = r.rest[:i], r.rest[i:]
			return raw, true
		}
	}
}

// Name reads the name of a member. It is valid until the next call.
func (r *Reader) Name() []byte {
	raw, escaped := r.quoted()
	if r.peek() != ':' {
		r.fail()
		return nil
	}
	r.rest = r.rest[1:]
	return r.unquote(raw, escaped)
}

func (r *Reader) unquote(raw []byte, escaped bool) []byte {
	if !escaped {
		if len(raw) < 2 {
			return nil
		}
		return raw[1 : len(raw)-1]
	}
	text, err := jsontext.AppendUnquote(nil, raw)
	if err != nil {
		r.fail()
		return nil
	}
	return text
}

// Text reads a string.
func (r *Reader) Text() string { return r.kept.Keep(r.unquote(r.quoted()), len(r.rest)) }

// Keep gives the text as a string, where no more than so many bytes will follow.
func (k *Keeper) Keep(text []byte, more int) string {
	if n := len(text); n == 0 || n > longText {
		return string(text)
	}
	start := k.room(len(text), more)
	k.chunk.Write(text)
	return k.chunk.String()[start:]
}

// KeepString is Keep of a part of a larger string, which is not kept with it.
func (k *Keeper) KeepString(text string, more int) string {
	if n := len(text); n == 0 || n > longText {
		return strings.Clone(text)
	}
	start := k.room(len(text), more)
	k.chunk.WriteString(text)
	return k.chunk.String()[start:]
}

func (k *Keeper) room(n, more int) int {
	if k.chunk.Cap()-k.chunk.Len() < n {
		k.chunk.Reset()
		k.chunk.Grow(max(n, min(chunkSize, more)))
	}
	return k.chunk.Len()
}

// Is reads a string, and reports whether it is the text.
func (r *Reader) Is(text string) bool { return string(r.unquote(r.quoted())) == text && !r.bad }

// Peek gives the first byte of the next value, 0 at the end.
func (r *Reader) Peek() byte { return r.peek() }

// word takes what is neither string, object nor array.
func (r *Reader) word() []byte {
	r.peek()
	n := bytes.IndexAny(r.rest, ",]} \t\r\n")
	if n < 0 {
		n = len(r.rest)
	}
	word := r.rest[:n]
	r.rest = r.rest[n:]
	if n == 0 {
		r.fail()
	}
	return word
}

// Int reads a whole number without fraction and exponent.
func (r *Reader) Int() int {
	n, err := strconv.Atoi(string(r.word()))
	if err != nil {
		r.fail()
		return 0
	}
	return n
}

// Bool reads true or false.
func (r *Reader) Bool() bool {
	switch string(r.word()) {
	case "true":
		return true
	case "false":
		return false
	}
	r.fail()
	return false
}

// Skip passes over any value.
func (r *Reader) Skip() { r.Raw() }

// Raw takes any value as it is, a part of the document.
func (r *Reader) Raw() []byte {
	switch r.peek() {
	case '"':
		raw, _ := r.quoted()
		return raw
	case '{', '[':
	default:
		return r.word()
	}
	all := r.rest
	for depth := 0; ; {
		n := bytes.IndexAny(r.rest, `"{[]}`)
		if n < 0 {
			r.fail()
			return nil
		}
		c := r.rest[n]
		if c == '"' {
			r.rest = r.rest[n:]
			r.quoted()
			continue
		}
		r.rest = r.rest[n+1:]
		if c == '{' || c == '[' {
			depth++
		} else if depth--; depth == 0 {
			return all[:len(all)-len(r.rest)]
		}
	}
}

// List reads an array, which is not nil without members.
func List[T any](r *Reader, read func(r *Reader, v *T)) []T {
	out := []T{}
	for r.Into('['); r.More(']'); {
		if len(out) == cap(out) {
			out = slices.Grow(out, max(4, len(out)))
		}
		out = out[:len(out)+1]
		read(r, &out[len(out)-1])
	}
	return out
}

// Texts reads an array of strings, which is not nil without members.
func Texts(r *Reader) []string {
	return List(r, func(r *Reader, v *string) { *v = r.Text() })
}
