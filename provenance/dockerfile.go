package provenance

import (
	"bufio"
	"bytes"
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
// among them has the value written there. ONBUILD of base images is not seen, nor what
// a "# syntax" frontend makes of the file.
//
// A reference with an argument that has no value is [assay.ErrUnchecked], and what
// breaks the form of a Dockerfile [assay.ErrInvalid].
func FromDockerfile(name string, data []byte, args map[string]string) ([]BaseImage, error) {
	if len(data) > MaxDockerfile {
		return nil, &assay.Error{Op: dockerfileOp, Kind: assay.ErrBound, Subject: name, Value: fmt.Sprint(len(data)), Bound: fmt.Sprint(MaxDockerfile)}
	}
	instructions, err := instructions(name, data)
	if err != nil {
		return nil, err
	}
	d := &dockerfile{name: name, given: args, args: map[string]string{}, stages: map[string]int{}}
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

// heredocWord is a word that begins a here-document; "<<<" and "1<<2" do not.
var heredocWord = regexp.MustCompile(`^\d*<<-?(?:"([^"<]+)"|'([^'<]+)'|([A-Za-z0-9_.-]+))$`)

// instructions joins continued lines, and leaves out comments and here-documents.
func instructions(name string, data []byte) ([]instruction, error) {
	escape := `\`
	var out []instruction
	var joined strings.Builder
	var until []string // words that end here-documents
	start, n, directives := 0, 0, true
	sc := bufio.NewScanner(bytes.NewReader(bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))))
	sc.Buffer(nil, MaxDockerfile+1)
	for sc.Scan() {
		n++
		line := strings.TrimSuffix(sc.Text(), "\r")
		text := strings.TrimSpace(line)
		if len(until) > 0 {
			if strings.TrimLeft(line, "\t") == until[0] {
				until = until[1:]
			}
			continue
		}
		if strings.HasPrefix(text, "#") {
			// Directives stand before everything else.
			k, v, ok := strings.Cut(strings.TrimSpace(text[1:]), "=")
			if directives = directives && ok; directives && strings.EqualFold(strings.TrimSpace(k), "escape") {
				escape = strings.TrimSpace(v)
			}
			continue
		}
		directives = false
		if text == "" {
			continue // also inside of a continued instruction
		}
		if joined.Len() == 0 {
			start = n
		}
		if more, ok := strings.CutSuffix(strings.TrimRight(line, " \t"), escape); ok {
			joined.WriteString(more + " ")
			continue
		}
		joined.WriteString(text)
		keyword, rest, _ := strings.Cut(strings.TrimSpace(joined.String()), " ")
		joined.Reset()
		i := instruction{start, strings.ToUpper(keyword), strings.TrimSpace(rest)}
		if i.keyword == "RUN" || i.keyword == "COPY" || i.keyword == "ADD" {
			for word := range strings.FieldsSeq(i.rest) {
				if m := heredocWord.FindStringSubmatch(word); m != nil {
					until = append(until, m[1]+m[2]+m[3])
				}
			}
		}
		out = append(out, i)
	}
	bad := func(line int, bound string) error {
		return &assay.Error{Op: dockerfileOp, Kind: assay.ErrInvalid, Subject: name, Field: fmt.Sprintf("line %d", line), Bound: bound}
	}
	switch {
	case sc.Err() != nil:
		return nil, bad(n, "lines")
	case len(until) > 0:
		return nil, bad(n, "the end of a here-document, "+until[0])
	case joined.Len() > 0:
		return nil, bad(start, "an instruction that ends")
	}
	return out, nil
}

type dockerfile struct {
	name   string
	given  map[string]string
	args   map[string]string // before the first FROM
	stages map[string]int    // number of the stage, by name in lower case
	bases  []int             // of each stage, its image; -1 for scratch
	images []BaseImage
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
				value, err := d.expand(i.line, strings.Trim(v, `"'`))
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
					if from, ok := strings.CutPrefix(part, "from="); ok {
						ref = from
					}
				}
			}
			if ref != "" {
				if _, err := d.image(i.line, strings.Trim(ref, `"'`), ""); err != nil {
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
	at, err := d.image(i.line, strings.Trim(words[0], `"'`), platform)
	if err != nil {
		return err
	}
	d.bases = append(d.bases, at)
	if len(words) == 3 {
		d.stages[strings.ToLower(words[2])] = len(d.bases) - 1
	}
	return nil
}

// image notes a reference, and gives its index; of a stage, that of its base.
func (d *dockerfile) image(line int, written, platform string) (int, error) {
	ref, err := d.expand(line, written)
	if err != nil {
		return 0, err
	}
	if stage, ok := d.stages[strings.ToLower(ref)]; ok {
		return d.bases[stage], nil
	}
	if n := strings.Trim(ref, "0123456789"); n == "" && ref != "" {
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
	if name == "" || strings.ContainsAny(name, "$ {}") {
		return 0, d.bad(line, assay.ErrInvalid, ref, "a reference of an image")
	}
	if pinned {
		if b.Digest, err = assay.ParseDigest(digest); err != nil || !b.Digest.Algorithm().Strong() {
			return 0, d.bad(line, assay.ErrInvalid, ref, "a digest that identifies content")
		}
	}
	same := func(o BaseImage) bool { return o.Reference == b.Reference && o.Platform == b.Platform }
	if at := slices.IndexFunc(d.images, same); at >= 0 {
		return at, nil
	}
	d.images = append(d.images, b)
	return len(d.images) - 1, nil
}

var argument = regexp.MustCompile(`\$(?:([A-Za-z_][A-Za-z0-9_]*)|\{([A-Za-z_][A-Za-z0-9_]*)(?:(:?[-+])([^{}]*))?\})`)

// expand puts in arguments: $NAME, ${NAME}, ${NAME:-default}, ${NAME:+alternative}.
func (d *dockerfile) expand(line int, s string) (string, error) {
	var failed error
	out := argument.ReplaceAllStringFunc(s, func(m string) string {
		p := argument.FindStringSubmatch(m)
		v, ok := d.args[p[1]+p[2]]
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
