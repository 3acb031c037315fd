package provenance

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"strings"

	jsonx "github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// readDescriptors reads a list. The decoder checks it once, by itself, and what it let
// pass is taken apart without reflection. What that does not know, and what is of the
// wrong kind, goes through W as any other value does: there the errors come from.
func readDescriptors[W wireResource | snakeResource](dec *jsontext.Decoder, download, media string) ([]descriptor, error) {
	if dec.PeekKind() != '[' {
		var none []W // null, or an error
		return nil, jsonx.UnmarshalDecode(dec, &none)
	}
	in, err := dec.ReadValue()
	if err != nil {
		return nil, err
	}
	s := scanner{in: in, download: download, media: media}
	var list []descriptor
	for more := s.into(); more; more = s.next() {
		if len(list) == cap(list) {
			list = slices.Grow(list, s.follow(len(list)))
		}
		list = append(list, descriptor{})
		d, start := &list[len(list)-1], s.at
		if s.descriptor(d) {
			continue
		}
		s.at = start
		var w W
		if err := jsonx.Unmarshal(s.value(), &w); err != nil {
			if sem, ok := errors.AsType[*jsonx.SemanticError](err); ok {
				sem.JSONPointer = dec.StackPointer() + jsontext.Pointer("/"+strconv.Itoa(len(list)-1)) + sem.JSONPointer
			}
			return nil, err
		}
		r := wireResource(w)
		*d = r.descriptor()
	}
	return list, nil
}

// scanner goes over a JSON value that was checked, and looks for no mistakes. Of what was
// not checked it may say anything.
type scanner struct {
	in              []byte
	at              int
	download, media string          // how two members are spelt
	texts           strings.Builder // where strings are made; those made before stay as they are
	digests         []namedDigest   // where lists are made, likewise
}

// Strings are made in chunks, each of which is kept as long as one of its strings is:
// those that are long are not made there.
const (
	textChunk = 16 << 10
	longText  = 1 << 10
)

// follow is how many descriptors to make room for after n of them: those that the rest
// has if it is like what went before, within bounds.
func (s *scanner) follow(n int) int {
	if n == 0 {
		return min(16, 1+len(s.in)/64)
	}
	return 1 + min(int(int64(len(s.in)-s.at)*int64(n)/int64(s.at)), 16*n)
}

// peek skips white space. It gives the next byte, 0 at the end.
func (s *scanner) peek() byte {
	for ; s.at < len(s.in); s.at++ {
		if c := s.in[s.at]; c > ' ' {
			return c
		}
	}
	return 0
}

// into steps into an object or an array, and reports whether there is anything in it.
func (s *scanner) into() bool {
	s.peek()
	s.at++
	return !s.end(s.peek())
}

// next goes to the next member or element, and reports whether there is one.
func (s *scanner) next() bool {
	c := s.peek()
	if s.end(c) {
		return false
	}
	s.at++ // the comma
	s.peek()
	return true
}

func (s *scanner) end(c byte) bool {
	if c != '}' && c != ']' && c != 0 {
		return false
	}
	s.at++
	return true
}

// quoted gives what is between the quotes of the string that is next, and whether it is
// as it stands there.
func (s *scanner) quoted() (raw []byte, plain bool) {
	rest := s.in[min(s.at+1, len(s.in)):]
	n := bytes.IndexByte(rest, '"')
	if n < 0 {
		s.at = len(s.in)
		return nil, false
	}
	if bytes.IndexByte(rest[:n], '\\') < 0 {
		s.at += n + 2
		return rest[:n], true
	}
	for n = 0; n < len(rest) && rest[n] != '"'; n++ {
		if rest[n] == '\\' {
			n++
		}
	}
	n = min(n, len(rest))
	s.at += n + 2
	return rest[:n], false
}

// value gives the value that is next as it is written.
func (s *scanner) value() []byte {
	c := s.peek()
	start, depth := s.at, 0
	switch c {
	case '"':
		s.quoted()
	case '{', '[':
		for s.at < len(s.in) {
			switch s.in[s.at] {
			case '"':
				s.quoted()
				continue
			case '{', '[':
				depth++
			case '}', ']':
				depth--
			}
			s.at++
			if depth == 0 {
				break
			}
		}
	default:
		for s.at < len(s.in) && !bytes.ContainsRune([]byte(",]} \t\r\n"), rune(s.in[s.at])) {
			s.at++
		}
	}
	s.at = min(s.at, len(s.in))
	return s.in[start:s.at]
}

// name gives a member's name, and goes to its value.
func (s *scanner) name() (raw []byte, plain bool) {
	raw, plain = s.quoted()
	s.peek()
	s.at++ // the colon
	s.peek()
	return raw, plain
}

// text gives a string, "" for null. It reports whether it was one of these.
func (s *scanner) text() (string, bool) {
	switch s.peek() {
	case '"':
	case 'n':
		s.value()
		return "", true
	default:
		return "", false
	}
	start := s.at
	raw, plain := s.quoted()
	if !plain {
		var err error
		if raw, err = jsontext.AppendUnquote(nil, s.in[start:min(s.at, len(s.in))]); err != nil {
			return "", false
		}
	}
	return s.keep(raw), true
}

// keep makes a string.
func (s *scanner) keep(raw []byte) string {
	if len(raw) > longText {
		return string(raw)
	}
	if s.texts.Cap()-s.texts.Len() < len(raw) {
		s.texts = strings.Builder{}
		s.texts.Grow(min(textChunk, max(len(raw), len(s.in)-s.at+len(raw))))
	}
	start := s.texts.Len()
	s.texts.Write(raw)
	return s.texts.String()[start:]
}

// descriptor reads the one that is next, and reports whether it could.
func (s *scanner) descriptor(d *descriptor) bool {
	switch s.peek() {
	case '{':
	case 'n':
		s.value()
		return true
	default:
		return false
	}
	for more := s.into(); more; more = s.next() {
		name, plain := s.name()
		ok := plain
		switch string(name) {
		case "uri":
			d.URI, ok = s.text()
		case "digest":
			d.Digest, ok = s.digestSet()
		case "name":
			d.Name, ok = s.text()
		case s.media:
			d.MediaType, ok = s.text()
		case s.download:
			d.DownloadLocation, ok = s.text()
		case "annotations":
			d.Annotations, ok = s.members()
		case "content":
			d.Content, ok = s.content()
		default:
			if ok {
				d.Unknown = append(d.Unknown, member{s.keep(name), bytes.Clone(s.value())})
			}
		}
		if !ok {
			*d = descriptor{}
			return false
		}
	}
	return true
}

// content reads a string in base64. What is not quite such a string is for others to judge.
func (s *scanner) content() ([]byte, bool) {
	if s.peek() != '"' {
		return nil, false
	}
	raw, plain := s.quoted()
	if !plain {
		return nil, false
	}
	out, err := base64.StdEncoding.Strict().AppendDecode(nil, raw)
	return out, err == nil
}

// members reads an object, nil for null, and reports whether it was one of these.
func (s *scanner) members() (raws, bool) {
	switch s.peek() {
	case '{':
	case 'n':
		s.value()
		return nil, true
	default:
		return nil, false
	}
	out := raws{}
	for more := s.into(); more; more = s.next() {
		name, plain := s.name()
		if !plain {
			return nil, false
		}
		out[string(name)] = bytes.Clone(s.value())
	}
	return out, true
}

// membersOf gives the members of an object that was checked, as parts of it.
func membersOf(object jsontext.Value) map[string]json.RawMessage {
	s := scanner{in: object}
	out := map[string]json.RawMessage{}
	for more := s.into(); more; more = s.next() {
		start := s.at
		name, plain := s.name()
		if !plain {
			s.at = start
			text, _ := s.text()
			name = []byte(text)
			s.at = start
			s.name()
		}
		v := s.value()
		out[string(name)] = json.RawMessage(v[:len(v):len(v)])
	}
	return out
}

// digestSet reads the digests of a descriptor, and reports whether it could.
func (s *scanner) digestSet() ([]namedDigest, bool) {
	switch s.peek() {
	case '{':
	case 'n':
		s.value()
		return nil, true
	default:
		return nil, false
	}
	start := len(s.digests)
	for more := s.into(); more; more = s.next() {
		name, plain := s.name()
		alg := s.algorithm(name)
		hex, ok := s.text()
		if !plain || !ok {
			return nil, false
		}
		if len(s.digests) == cap(s.digests) {
			part := s.digests[start:]
			s.digests = append(make([]namedDigest, 0, max(2*len(part)+1, min(slabSize, 2*cap(s.digests)))), part...)
			start = 0
		}
		s.digests = append(s.digests, namedDigest{alg, hex})
	}
	return s.digests[start:len(s.digests):len(s.digests)], true
}

// algorithm gives the name of a digest. Those that are frequent need not be made.
func (s *scanner) algorithm(name []byte) string {
	switch string(name) {
	case "sha256":
		return "sha256"
	case "sha1":
		return "sha1"
	case "gitCommit":
		return "gitCommit"
	case "dirHash":
		return "dirHash"
	case "sha512":
		return "sha512"
	}
	return s.keep(name)
}
