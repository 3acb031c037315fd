package main

import (
	"fmt"
	"strings"
	"testing"
)

func stream(lines ...string) string {
	var b strings.Builder
	for _, l := range lines {
		action, rest, _ := strings.Cut(l, " ")
		test, output, _ := strings.Cut(rest, " ")
		fmt.Fprintf(&b, `{"Action":%q,"Package":"p","Test":%q,"Output":%q}`+"\n", action, test, output)
	}
	return b.String()
}

func TestRun(t *testing.T) {
	skip := []string{"output T1 === RUN T1\n", "output T1     x_test.go:3: ASSAY_SERVERS is not set\n", "output T1 --- SKIP: T1 (0.00s)\n", "skip T1", "pass T2"}
	for name, c := range map[string]struct {
		in            string
		refuse, allow string
		says, fails   string // in the output, in the error; an empty error is none
	}{
		"pass":              {stream("pass T1"), "ASSAY_", "", "1 tests passed, 0 failed, 0 skipped in 1 packages", ""},
		"nothing ran":       {stream("pass "), "ASSAY_", "", "0 tests passed", "no test ran"},
		"go command failed": {"go: no such module\n", "ASSAY_", "", "go: no such module", "no test ran"},
		"fail":              {stream("output T1     x_test.go:3: wrong\n", "fail T1", "pass T2"), "ASSAY_", "", "x_test.go:3: wrong", "1 failures"},
		"skip for want":     {stream(skip...), "ASSAY_", "", "1 skipped: ASSAY_SERVERS is not set", "for want of what this run has: ASSAY_SERVERS is not set"},
		"skip that is fine": {stream(skip...), "ASSAY_", "ASSAY_SERVERS", "1 skipped: ASSAY_SERVERS is not set", ""},
		"other skip":        {stream(skip...), "OTHER_", "", "1 skipped: ASSAY_SERVERS is not set", ""},
		"does not build":    {`{"Action":"build-output","Output":"x.go:1: bad\n"}` + "\n" + stream("fail ", "pass T2"), "ASSAY_", "", "x.go:1: bad", "1 failures"},
	} {
		t.Run(name, func(t *testing.T) {
			var out strings.Builder
			err := run(strings.NewReader(c.in), &out, c.refuse, strings.Fields(c.allow))
			if !strings.Contains(out.String(), c.says) {
				t.Errorf("said %q, want %q in it", out.String(), c.says)
			}
			if got := fmt.Sprint(err); (err == nil) != (c.fails == "") || !strings.Contains(got, c.fails) && err != nil {
				t.Errorf("error %v, want %q", err, c.fails)
			}
		})
	}
}
