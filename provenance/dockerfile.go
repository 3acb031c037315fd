package provenance

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/assaykit/assay"
)

const (
	dockerfileOp = "read Dockerfile"
	// MaxDockerfile bounds a Dockerfile, in bytes.
	MaxDockerfile = 1 << 20
)

// BaseImage is an image that a Dockerfile builds on, or takes files from.
type BaseImage struct {
	// Reference is as written, with arguments put in.
	Reference string
	// Digest is that of the reference; zero if it names none.
	Digest assay.Digest
	// Platform is that of "FROM --platform"; empty if none is written.
	Platform string
	// Line is where it is named, counted from 1.
	Line int
	// Final tells the base of the last stage: its layers are the first of the result's.
	// A last stage on top of another has that one's base.
	Final bool
}

// Material gives the image as a material. One without a digest identifies nothing that
// stays the same, and is an [assay.ErrAbsent]: resolve the reference, and set Digest.
func (b BaseImage) Material() (assay.Resource, error) {
	if b.Digest.IsZero() {
		return assay.Resource{}, &assay.Error{Op: dockerfileOp, Kind: assay.ErrAbsent, Field: fmt.Sprintf("line %d", b.Line), Value: b.Reference, Bound: "an image by digest"}
	}
	name, _, _ := strings.Cut(b.Reference, "@")
	return assay.Resource{URI: "oci://" + name, Digest: assay.DigestSet{b.Digest}}, nil
}

// FromDockerfile lists the images that a Dockerfile names: in FROM, in COPY and ADD
// --from, and in RUN --mount with from. Stages of the file itself and "scratch" are
// none. Args are the build arguments; one that stands before the first FROM and is not
// among them has the value written there; those of platforms, such as TARGETARCH, need
// not stand there. ONBUILD of base images is not seen, nor what a "# syntax" frontend makes
// of the file.
//
// A reference with an argument that has no value is [assay.ErrUnchecked], as is an
// instruction that is not known here, and what breaks the form of a Dockerfile
// [assay.ErrInvalid].
func FromDockerfile(name string, data []byte, args map[string]string) ([]BaseImage, error) {
	if len(data) > MaxDockerfile {
		return nil, &assay.Error{Op: dockerfileOp, Kind: assay.ErrBound, Subject: name, Value: fmt.Sprint(len(data)), Bound: fmt.Sprint(MaxDockerfile)}
	}
	instructions, err := instructions(name, data)
	if err != nil {
		return nil, err
	}
	d := &dockerfile{name: name, given: args, args: map[string]string{}, stages: map[string]int{}, known: map[[2]string]int{}}
	for _, i := range instructions {
		if err := d.read(i); err != nil {
			return nil, err
		}
	}
	if len(d.bases) == 0 {
		return nil, d.bad(1, assay.ErrInvalid, "", "a FROM")
	}
	if last := d.bases[len(d.bases)-1]; last >= 0 {
		d.images[last].Final = true
	}
	return d.images, nil
}

type instruction struct {
	line    int
	keyword string
	rest    string
}

// dockerInstructions are all there are; a frontend of its own may have others.
var dockerInstructions = []string{"ADD", "ARG", "CMD", "COPY", "ENTRYPOINT", "ENV", "EXPOSE", "FROM", "HEALTHCHECK", "LABEL", "MAINTAINER",
	"ONBUILD", "RUN", "SHELL", "STOPSIGNAL", "USER", "VOLUME", "WORKDIR"}

var parserDirective = regexp.MustCompile(`^#\s*([a-zA-Z][a-zA-Z0-9]*)\s*=\s*(.+?)\s*$`)

// lines goes over a Dockerfile as BuildKit's parser does: what it takes for a part of an
// instruction must be one here as well, and nothing else.
type lines struct {
	name   string
	sc     *bufio.Scanner
	n      int // of the line
	escape byte
}

func (l *lines) bad(line int, kind error, value, bound string) error {
	return &assay.Error{Op: dockerfileOp, Kind: kind, Subject: l.name, Field: fmt.Sprintf("line %d", line), Value: value, Bound: bound}
}

func (l *lines) next() (string, bool) {
	if !l.sc.Scan() {
		return "", false
	}
	l.n++
	return strings.TrimSuffix(l.sc.Text(), "\r"), true
}

// continued takes the character off that joins the next line to this one; two of them
// are one that does not.
func (l *lines) continued(line string) (string, bool) {
	more, ok := strings.CutSuffix(strings.TrimRight(line, " \t"), string(l.escape))
	if !ok || strings.HasSuffix(more, string(l.escape)) {
		return line, false
	}
	return more, true
}

// instructions joins continued lines, and leaves out comments and here-documents.
func instructions(name string, data []byte) ([]instruction, error) {
	l := &lines{name: name, escape: '\\', sc: bufio.NewScanner(bytes.NewReader(bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))))}
	l.sc.Buffer(nil, MaxDockerfile+1)
	var out []instruction
	directives := true // they stand before everything else
	for {
		line, ok := l.next()
		if !ok {
			break
		}
		text := strings.TrimSpace(line)
		if strings.HasPrefix(text, "#") {
			m := parserDirective.FindStringSubmatch(text)
			if directives = directives && m != nil; directives && strings.EqualFold(m[1], "escape") {
				if m[2] != "`" && m[2] != `\` {
					return nil, l.bad(l.n, assay.ErrInvalid, m[2], "an escape character, ` or \\")
				}
				l.escape = m[2][0]
			}
			continue
		}
		directives = false
		if text == "" {
			continue
		}
		start := l.n
		part, more := l.continued(strings.TrimLeft(line, " \t\v\f"))
		parts := []byte(part)
		for more {
			if line, ok = l.next(); !ok {
				return nil, l.bad(start, assay.ErrInvalid, "", "an instruction that ends")
			}
			if text := strings.TrimSpace(line); text == "" || text[0] == '#' {
				continue
			}
			part, more = l.continued(line)
			parts = append(parts, part...)
		}
		joined := strings.TrimSpace(string(parts))
		if joined == "" {
			continue
		}
		i := instruction{line: start}
		i.keyword, i.rest = keyword(joined)
		if !slices.Contains(dockerInstructions, i.keyword) {
			return nil, l.bad(start, assay.ErrUnchecked, i.keyword, "an instruction that is known here")
		}
		documents := i
		if i.keyword == "ONBUILD" {
			documents.keyword, documents.rest = keyword(i.rest)
		}
		if err := l.heredocs(documents); err != nil {
			return nil, err
		}
		out = append(out, i)
	}
	if l.sc.Err() != nil {
		return nil, l.bad(l.n, assay.ErrInvalid, "", "lines")
	}
	return out, nil
}

func keyword(text string) (word, rest string) {
	word = text
	if i := strings.IndexAny(text, " \t\v\f\r"); i >= 0 {
		word, rest = text[:i], strings.TrimSpace(text[i:])
	}
	return strings.ToUpper(word), rest
}

// heredocWord is a word that begins a here-document; "<<<" and "1<<2" do not.
var heredocWord = regexp.MustCompile(`^\d*<<(-?)([^<]+)$`)

// heredocs skips those that the instruction begins.
func (l *lines) heredocs(i instruction) error {
	if i.keyword != "RUN" && i.keyword != "COPY" && i.keyword != "ADD" || json.Valid([]byte(i.rest)) {
		return nil
	}
	for _, word := range words(i.rest) {
		m := heredocWord.FindStringSubmatch(word)
		if m == nil {
			continue
		}
		end := unquoted(m[2])
		for {
			line, ok := l.next()
			if !ok {
				return l.bad(i.line, assay.ErrInvalid, "", "the end of a here-document, "+end)
			}
			if m[1] == "-" {
				line = strings.TrimLeft(line, "\t")
			}
			if line == end {
				break
			}
		}
	}
	return nil
}

// words splits as a shell does, and leaves quotes where they are. Of a quote that does not
// end it makes nothing, as BuildKit does.
func words(s string) []string {
	var out []string
	var word strings.Builder
	var quote byte
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case c == '\\' && quote != '\'' && i+1 < len(s):
			word.WriteByte(c)
			i++
			c = s[i]
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '"' || c == '\'':
			quote = c
		case c == ' ' || c >= '\t' && c <= '\r':
			if word.Len() > 0 {
				out = append(out, word.String())
				word.Reset()
			}
			continue
		}
		word.WriteByte(c)
	}
	if quote != 0 {
		return nil
	}
	if word.Len() > 0 {
		out = append(out, word.String())
	}
	return out
}

// inQuotes gives what stands in quotes, or s itself.
func inQuotes(s string) string {
	if n := len(s); n > 1 && (s[0] == '"' || s[0] == '\'') && s[n-1] == s[0] {
		return s[1 : n-1]
	}
	return s
}

// unquoted takes quotes and escapes off a word.
func unquoted(s string) string {
	var out strings.Builder
	var quote byte
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case c == '\\' && quote != '\'' && i+1 < len(s):
			i++
			out.WriteByte(s[i])
		case c == quote:
			quote = 0
		case quote == 0 && (c == '"' || c == '\''):
			quote = c
		default:
			out.WriteByte(c)
		}
	}
	return out.String()
}

type dockerfile struct {
	name   string
	given  map[string]string
	args   map[string]string // before the first FROM
	stages map[string]int    // number of the stage, by name in lower case
	bases  []int             // of each stage, its image; -1 for scratch
	images []BaseImage
	known  map[[2]string]int // those, by reference and platform
}

func (d *dockerfile) bad(line int, kind error, value, bound string) error {
	return &assay.Error{Op: dockerfileOp, Kind: kind, Subject: d.name, Field: fmt.Sprintf("line %d", line), Value: value, Bound: bound}
}

func (d *dockerfile) read(i instruction) error {
	switch i.keyword {
	case "ARG":
		if len(d.bases) > 0 {
			return nil // those of a stage are not for references
		}
		for _, a := range strings.Fields(i.rest) {
			k, v, ok := strings.Cut(a, "=")
			if given, is := d.given[k]; is {
				d.args[k] = given
			} else if ok {
				value, err := d.expand(i.line, inQuotes(v))
				if err != nil {
					return err
				}
				d.args[k] = value
			}
		}
	case "FROM":
		return d.from(i)
	case "COPY", "ADD", "RUN":
		for _, word := range strings.Fields(i.rest) {
			if !strings.HasPrefix(word, "--") {
				break
			}
			var ref string
			if v, ok := strings.CutPrefix(word, "--from="); ok && i.keyword != "RUN" {
				ref = v
			} else if v, ok := strings.CutPrefix(word, "--mount="); ok && i.keyword == "RUN" {
				for part := range strings.SplitSeq(v, ",") {
					if k, from, _ := strings.Cut(inQuotes(part), "="); strings.EqualFold(k, "from") {
						ref = from
					}
				}
			}
			if ref != "" {
				if _, err := d.image(i.line, inQuotes(ref), "", true); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

func (d *dockerfile) from(i instruction) error {
	words := strings.Fields(i.rest)
	platform := ""
	for len(words) > 0 && strings.HasPrefix(words[0], "--") {
		if v, ok := strings.CutPrefix(words[0], "--platform="); ok {
			platform = v // of the machine that builds, as often as not: $BUILDPLATFORM
		}
		words = words[1:]
	}
	if len(words) != 1 && !(len(words) == 3 && strings.EqualFold(words[1], "AS")) {
		return d.bad(i.line, assay.ErrInvalid, i.rest, "FROM image [AS name]")
	}
	at, err := d.image(i.line, inQuotes(words[0]), platform, false)
	if err != nil {
		return err
	}
	d.bases = append(d.bases, at)
	if len(words) == 3 {
		d.stages[strings.ToLower(words[2])] = len(d.bases) - 1
	}
	return nil
}

// image notes a reference, and gives its index; of a stage, that of its base. A stage may
// be told by its number, but not in FROM.
func (d *dockerfile) image(line int, written, platform string, numbered bool) (int, error) {
	ref, err := d.expand(line, written)
	if err != nil {
		return 0, err
	}
	if stage, ok := d.stages[strings.ToLower(ref)]; ok {
		return d.bases[stage], nil
	}
	if n := strings.Trim(ref, "0123456789"); numbered && n == "" && ref != "" {
		var stage int
		if _, err := fmt.Sscan(ref, &stage); err == nil && stage < len(d.bases) {
			return d.bases[stage], nil
		}
	}
	if ref == "scratch" {
		return -1, nil
	}
	b := BaseImage{Reference: ref, Platform: platform, Line: line}
	name, digest, pinned := strings.Cut(ref, "@")
	if name == "" || strings.ContainsAny(name, "$ {}\"'") {
		return 0, d.bad(line, assay.ErrInvalid, ref, "a reference of an image")
	}
	if pinned {
		if b.Digest, err = assay.ParseDigest(digest); err != nil || !b.Digest.Algorithm().Strong() {
			return 0, d.bad(line, assay.ErrInvalid, ref, "a digest that identifies content")
		}
	}
	key := [2]string{b.Reference, b.Platform}
	if at, ok := d.known[key]; ok {
		return at, nil
	}
	d.images = append(d.images, b)
	d.known[key] = len(d.images) - 1
	return len(d.images) - 1, nil
}

var argument = regexp.MustCompile(`\$(?:([A-Za-z_][A-Za-z0-9_]*)|\{([A-Za-z_][A-Za-z0-9_]*)(?:(:?[-+])([^{}]*))?\})`)

// platformArguments need no ARG before the first FROM.
var platformArguments = []string{"BUILDARCH", "BUILDOS", "BUILDPLATFORM", "BUILDVARIANT", "TARGETARCH", "TARGETOS", "TARGETPLATFORM", "TARGETVARIANT"}

// expand puts in arguments: $NAME, ${NAME}, ${NAME:-default}, ${NAME:+alternative}.
func (d *dockerfile) expand(line int, s string) (string, error) {
	var failed error
	out := argument.ReplaceAllStringFunc(s, func(m string) string {
		p := argument.FindStringSubmatch(m)
		v, ok := d.args[p[1]+p[2]]
		if !ok && slices.Contains(platformArguments, p[1]+p[2]) {
			v, ok = d.given[p[1]+p[2]]
		}
		set := ok && (v != "" || !strings.HasPrefix(p[3], ":"))
		switch {
		case strings.HasSuffix(p[3], "-") && !set:
			return p[4]
		case strings.HasSuffix(p[3], "+"):
			if set {
				return p[4]
			}
			return ""
		case !ok:
			failed = d.bad(line, assay.ErrUnchecked, s, "a value of "+p[1]+p[2])
		}
		return v
	})
	return out, failed
}
