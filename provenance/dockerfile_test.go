package provenance_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/provenance"
)

func TestFromDockerfile(t *testing.T) {
	pinned := "@sha256:" + sum1
	for name, c := range map[string]struct {
		text string
		args map[string]string
		want string
	}{
		"one":               {"FROM alpine" + pinned + "\nRUN true\n", nil, "1:alpine" + pinned + "!"},
		"tag":               {"from alpine:3.20\n", nil, "1:alpine:3.20!"},
		"stages":            {"FROM golang:1.26" + pinned + " AS build\nRUN go build\nFROM build AS test\nFROM scratch\nCOPY --from=build /app /app\n", nil, "1:golang:1.26" + pinned},
		"on top":            {"FROM a AS x\nFROM b AS y\nFROM X\n", nil, "1:a! 2:b"},
		"number":            {"FROM a\nFROM b\nCOPY --from=0 /x /y\n", nil, "1:a 2:b!"},
		"copy":              {"FROM a\nCOPY --chown=1:1 --from=reg.example/tools" + pinned + " /x /y\n", nil, "1:a! 2:reg.example/tools" + pinned},
		"mount":             {"FROM a\nRUN --mount=type=bind,from=b,source=/x --mount=type=cache,target=/c make\n", nil, "1:a! 2:b"},
		"args":              {"ARG V=1\nARG BASE=reg/a:${V}\nFROM $BASE\n", nil, "3:reg/a:1!"},
		"given":             {"ARG BASE=a\nFROM ${BASE}\n", map[string]string{"BASE": "b" + pinned}, "2:b" + pinned + "!"},
		"default":           {"FROM ${BASE:-a}:${TAG-x}\n", nil, "1:a:x!"},
		"escape":            {"# escape=`\nFROM `\n  a\nRUN dir C:\\\nFROM b\n", nil, "2:a 5:b!"},
		"lines":             {"FROM \\\n# between\n\n  a \\\n  AS x\nRUN echo \\\n  FROM b\n", nil, "1:a!"},
		"heredoc":           {"FROM a\nRUN <<EOF cat <<-'X'\nFROM b\nEOF\nFROM c\n\tX\nCOPY <<\"E\" /f\nFROM d\nE\n", nil, "1:a!"},
		"string":            {"FROM a\nRUN cat <<< \"x\" && echo $((1<<2))\nFROM b\n", nil, "1:a 3:b!"},
		"twice":             {"FROM a AS x\nFROM a\nCOPY --from=a /x /y\n", nil, "1:a!"},
		"on":                {"FROM --platform=$BUILDPLATFORM a AS x\nFROM --platform=linux/arm64 a\n", nil, "1:a 2:a!"},
		"tab":               {"FROM\ta\nFROM\t b AS\tx\n", nil, "1:a 2:b!"},
		"joined":            {"FRO\\\nM a\\\nb\n", nil, "1:ab!"},
		"joined by a space": {"FROM \\\n  a \\\n AS x\n", nil, "1:a!"},
		"two escapes":       {"FROM a\nRUN echo x\\\\\nFROM b\n", nil, "1:a 3:b!"},
		"no directive":      {"# what this is = something\n# escape=`\nFROM a\nRUN x `\nFROM b\n", nil, "3:a 5:b!"},
		"tab in heredoc":    {"FROM a\nRUN <<EOF\n\tEOF\nFROM b\nEOF\n", nil, "1:a!"},
		"tab after heredoc": {"FROM a\nRUN <<-EOF\n\tEOF\nFROM b\n", nil, "1:a 4:b!"},
		"odd end":           {"FROM a\nRUN cat <<EOF>x\nFROM b\nEOF>x\nRUN cat <<\"E F\"\nFROM c\nE F\nRUN <<'E'\"F\"\nFROM d\nEF\n", nil, "1:a!"},
		"quoted":            {"FROM a\nRUN echo '<<EOF' \\<<EOF \"x <<EOF\"\nFROM b\n", nil, "1:a 3:b!"},
		"open quote":        {"FROM a\nRUN echo don't <<EOF\nFROM b\n", nil, "1:a 3:b!"},
		"exec form":         {"FROM a\nRUN [\"sh\", \"-c\", \"x\", \"<<EOF\"]\nFROM b\n", nil, "1:a 3:b!"},
		"on build":          {"FROM a\nONBUILD RUN <<EOF\nFROM b\nEOF\nONBUILD COPY --from=c /x /y\n", nil, "1:a!"},
		"mount in quotes":   {"FROM a\nRUN --mount=type=bind,\"from=b\" x\nRUN --mount=type=bind,From=c x\n", nil, "1:a! 2:b 3:c"},
		"image of a number": {"FROM a\nFROM 0\n", nil, "1:a 2:0!"},
		"platform":          {"FROM a-$TARGETARCH\n", map[string]string{"TARGETARCH": "arm64"}, "1:a-arm64!"},
		"scratch":           {"FROM scratch\n", nil, ""},
	} {
		got, err := provenance.FromDockerfile("Dockerfile", []byte(c.text), c.args)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		var out []string
		for _, b := range got {
			s := fmt.Sprintf("%d:%s", b.Line, b.Reference)
			if b.Final {
				s += "!"
			}
			out = append(out, s)
			m, err := b.Material()
			if b.Digest.IsZero() != errors.Is(err, assay.ErrAbsent) || err == nil && m.Validate() != nil {
				t.Errorf("%s: %v, %v", name, m, err)
			}
		}
		if s := strings.Join(out, " "); s != c.want {
			t.Errorf("%s: %q, want %q", name, s, c.want)
		}
	}
	for name, c := range map[string]struct {
		text string
		kind error
		says string
	}{
		"nothing":      {"# a comment\n", assay.ErrInvalid, "FROM"},
		"no image":     {"FROM\n", assay.ErrInvalid, "line 1"},
		"no value":     {"FROM $BASE\n", assay.ErrUnchecked, "BASE"},
		"bad digest":   {"FROM a@sha256:12\n", assay.ErrInvalid, "digest"},
		"weak digest":  {"FROM a@md5:" + strings.Repeat("0", 32) + "\n", assay.ErrInvalid, "digest"},
		"open heredoc": {"FROM a\nRUN <<EOF\nx\n", assay.ErrInvalid, "EOF"},
		"open line":    {"FROM a\nRUN x \\\n", assay.ErrInvalid, "line 2"},
		"not known":    {"FROM a\nINCLUDE+ b\n", assay.ErrUnchecked, "INCLUDE+"},
		"no platform":  {"FROM a-$TARGETARCH\n", assay.ErrUnchecked, "TARGETARCH"},
		"undeclared":   {"FROM $BASE\n", assay.ErrUnchecked, "BASE"},
		"open quote":   {"FROM 'a\n", assay.ErrInvalid, "'a"},
		"bad escape":   {"# escape=x\nFROM a\n", assay.ErrInvalid, "escape"},
		"too large":    {strings.Repeat("#\n", 1<<20), assay.ErrBound, "Dockerfile"},
	} {
		if got, err := provenance.FromDockerfile("Dockerfile", []byte(c.text), nil); got != nil || !errors.Is(err, c.kind) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, want %v with %q", name, err, c.kind, c.says)
		}
	}
}

// A megabyte is read in the time of a megabyte, whatever is in it.
func TestLargeDockerfiles(t *testing.T) {
	var images strings.Builder
	n := 0
	for ; images.Len() < provenance.MaxDockerfile-20; n++ {
		fmt.Fprintf(&images, "FROM i%d\n", n)
	}
	for name, c := range map[string]struct {
		text string
		want int
	}{
		"images":     {images.String(), n},
		"one line":   {"FROM a\nRUN " + strings.Repeat("x\\\n", provenance.MaxDockerfile/4) + "y\n", 1},
		"heredocs":   {"FROM a\nRUN " + strings.Repeat("<<E ", provenance.MaxDockerfile/8) + "\n" + strings.Repeat("E\n", provenance.MaxDockerfile/8), 1},
		"escapes":    {"FROM a\nRUN " + strings.Repeat(`\`, provenance.MaxDockerfile/2) + "x\n", 1},
		"empty":      {"FROM a\nRUN \\\n" + strings.Repeat("\n", provenance.MaxDockerfile/2) + "x\n", 1},
		"directives": {strings.Repeat("# a=b\n", provenance.MaxDockerfile/8) + "FROM a\n", 1},
	} {
		got, err := provenance.FromDockerfile(name, []byte(c.text), nil)
		if err != nil || len(got) != c.want {
			t.Errorf("%s: %d images, want %d, %v", name, len(got), c.want, err)
		}
	}
}

func FuzzFromDockerfile(f *testing.F) {
	f.Add([]byte("ARG A=b\nFROM ${A:-c} AS d\nRUN --mount=from=d <<E\nE\nCOPY --from=0 a b\n"))
	f.Add([]byte("# escape=`\nFROM a`\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		images, err := provenance.FromDockerfile("Dockerfile", data, map[string]string{"A": "x"})
		if err != nil {
			return
		}
		final := 0
		for _, b := range images {
			if b.Final {
				final++
			}
		}
		if final > 1 {
			t.Fatalf("%d final bases", final)
		}
	})
}
