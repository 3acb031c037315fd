package dpkg

import (
	"errors"
	"strings"
	"testing"

	"github.com/assaykit/assay"
)

func FuzzCheckLists(f *testing.F) {
	f.Add("/.\n/usr/bin/a\n")
	f.Add("/a\n\n/b\n/cut")
	f.Add(strings.Repeat("0f", 16) + "  bin/a\n")
	f.Add("/a\x00\r\n")
	f.Fuzz(func(t *testing.T, text string) {
		kept, err := CheckList(text)
		if !strings.HasPrefix(text, kept) || err == nil && kept != text || err != nil && !errors.Is(err, assay.ErrInvalid) {
			t.Fatalf("%q, %v", kept, err)
		}
		// What is kept ends where a line does, and a cut is told once.
		if kept != "" && !strings.HasSuffix(kept, "\n") || strings.Contains(text[len(kept):], "\n") {
			t.Fatalf("kept %q", kept)
		}
		if again, _ := CheckList(kept); again != kept {
			t.Fatalf("%q becomes %q", kept, again)
		}
		if err := CheckSums(text); err != nil && !errors.Is(err, assay.ErrInvalid) {
			t.Fatal(err)
		} else if err == nil {
			lines := 0
			for line := range strings.Lines(text) {
				if strings.TrimRight(line, "\r\n") != "" {
					lines++
				}
			}
			files := 0
			for range SumFiles(text) {
				files++
			}
			if files > lines {
				t.Fatalf("%d files of %d lines", files, lines)
			}
		}
	})
}
