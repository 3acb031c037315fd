package severity_test

import (
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/vex/severity"
)

const (
	critical31 = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"
	high31     = "CVSS:3.1/AV:L/AC:L/PR:L/UI:N/S:U/C:H/I:H/A:H"
	medium31   = "CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N"
	none31     = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:N"
	high40     = "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:N/VA:N/SC:N/SI:N/SA:N"
	ten2       = "AV:N/AC:L/Au:N/C:C/I:C/A:C"
)

func TestParse(t *testing.T) {
	for _, tt := range []struct {
		vector, version, canonical string
		score                      float64
	}{
		{critical31, "3.1", "", 9.8},
		{high31, "3.1", "", 7.8},
		{medium31, "3.1", "", 6.1},
		{none31, "3.1", "", 0},
		{"CVSS:3.0/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H", "3.0", "", 10},
		{"CVSS:3.1/A:H/I:H/C:H/S:U/UI:N/PR:N/AC:L/AV:N", "3.1", critical31, 9.8}, // any order
		{critical31 + "/E:U/RL:O/RC:U", "3.1", "", 9.8},                          // the base score
		{critical31 + "/E:X", "3.1", critical31, 9.8},
		{critical31 + "/MAV:P/MC:N/MI:N/MA:N", "3.1", "", 9.8},
		// The examples of CVSS v2.0, section 3.3.
		{"AV:N/AC:L/Au:N/C:N/I:N/A:C/E:F/RL:OF/RC:C", "2.0", "", 7.8},
		{"AV:N/AC:L/Au:N/C:C/I:C/A:C/E:F/RL:OF/RC:C", "2.0", "", 10},
		{"AV:L/AC:H/Au:N/C:C/I:C/A:C/E:POC/RL:OF/RC:C", "2.0", "", 6.2},
		{"(" + ten2 + ")", "2.0", ten2, 10},
		{"CVSS2#" + ten2, "2.0", ten2, 10},
		{"CVSS:2.0/" + ten2, "2.0", ten2, 10},
		{"AV:N/AC:L/Au:N/C:N/I:N/A:N", "2.0", "", 0},
		{"CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N", "4.0", "", 9.3},
		{"CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:H/SI:H/SA:H", "4.0", "", 10},
		{"CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:N/VI:N/VA:N/SC:N/SI:N/SA:N", "4.0", "", 0},
		{high40, "4.0", "", 8.7},
		{high40 + "/E:U", "4.0", "", 6.6}, // one score, of all metrics
	} {
		if tt.canonical == "" {
			tt.canonical = tt.vector
		}
		want := severity.CVSS{Version: tt.version, Vector: tt.canonical, Score: tt.score}
		got, err := severity.Parse(tt.vector)
		if err != nil {
			t.Errorf("%s: %v", tt.vector, err)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s (-want +got):\n%s", tt.vector, d)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for _, tt := range []struct {
		vector string
		kind   error
		says   string
	}{
		{"", assay.ErrInvalid, "2.0"},
		{"7.5", assay.ErrInvalid, "7.5"},
		{"CVSS:3.1/", assay.ErrInvalid, "3.1"},
		{"CVSS:3.1", assay.ErrInvalid, "3.1"},
		{"CVSS:4.0", assay.ErrInvalid, "4.0"},
		{strings.ToLower(critical31), assay.ErrInvalid, "cvss:3.1"},
		{strings.TrimPrefix(critical31, "CVSS:3.1/"), assay.ErrInvalid, "AV:N"},
		{critical31 + "/", assay.ErrInvalid, "v3.1, section 6"},
		{critical31 + "/AV:N", assay.ErrInvalid, "AV"},             // twice
		{critical31 + "/ZZ:N", assay.ErrInvalid, "ZZ"},             // not a metric
		{critical31 + "\n", assay.ErrInvalid, "v3.1"},              // space
		{" " + critical31, assay.ErrInvalid, "2.0"},                // space
		{critical31[:len(critical31)-4], assay.ErrInvalid, "A"},    // cut off
		{critical31[:len(critical31)-1], assay.ErrInvalid, "v3.1"}, // no value
		{strings.Replace(critical31, "3.1", "3.2", 1), assay.ErrUnchecked, "4.0"},
		{strings.Replace(critical31, "3.1", "5.0", 1), assay.ErrUnchecked, "4.0"},
		{"AV:N/AC:L/Au:N/C:C/I:C", assay.ErrInvalid, "v2.0"},
		{"AC:L/AV:N/Au:N/C:C/I:C/A:C", assay.ErrInvalid, "v2.0"}, // order
		{ten2 + "/E:U", assay.ErrInvalid, "v2.0"},                // half a group
		{"(" + ten2, assay.ErrInvalid, "v2.0"},
		{strings.Replace(high40, "AT:N/", "", 1), assay.ErrInvalid, "v4.0"},
		{high40 + "/E:P/E:P", assay.ErrInvalid, "v4.0"},
		{critical31 + strings.Repeat("/E:X", 200), assay.ErrBound, "512"},
	} {
		got, err := severity.Parse(tt.vector)
		if assay.KindOf(err) != tt.kind || got != (severity.CVSS{}) || err != nil && !strings.Contains(err.Error(), tt.says) {
			t.Errorf("%q: got %+v, %v, want %v that says %s", tt.vector, got, err, tt.kind, tt.says)
		}
	}
}

// TestBaseScores computes the score of every base vector of versions 2.0 and 3.1 from
// the equations of the specifications.
func TestBaseScores(t *testing.T) {
	type metric struct {
		name   string
		values []string
		weight []float64
	}
	var all func(prefix string, weights []float64, metrics []metric, f func(string, []float64))
	all = func(prefix string, weights []float64, metrics []metric, f func(string, []float64)) {
		if len(metrics) == 0 {
			f(strings.TrimSuffix(prefix, "/"), weights)
			return
		}
		m := metrics[0]
		for i, v := range m.values {
			all(prefix+m.name+":"+v+"/", append(weights[:len(weights):len(weights)], m.weight[i]), metrics[1:], f)
		}
	}
	n := 0
	check := func(vector string, want float64) {
		n++
		got, err := severity.Parse(vector)
		if err != nil || got.Score != want {
			t.Errorf("%s: got %v, %v, want %v", vector, got.Score, err, want)
		}
	}
	effect := []float64{0, 0.22, 0.56}
	all("CVSS:3.1/", nil, []metric{
		{"AV", []string{"N", "A", "L", "P"}, []float64{0.85, 0.62, 0.55, 0.2}},
		{"AC", []string{"L", "H"}, []float64{0.77, 0.44}},
		{"PR", []string{"N", "L", "H"}, []float64{0, 1, 2}},
		{"UI", []string{"N", "R"}, []float64{0.85, 0.62}},
		{"S", []string{"U", "C"}, []float64{0, 1}},
		{"C", []string{"N", "L", "H"}, effect}, {"I", []string{"N", "L", "H"}, effect}, {"A", []string{"N", "L", "H"}, effect},
	}, func(vector string, w []float64) {
		changed := w[4] == 1
		privileges := [][]float64{{0.85, 0.62, 0.27}, {0.85, 0.68, 0.5}}[int(w[4])][int(w[2])]
		base := 1 - (1-w[5])*(1-w[6])*(1-w[7])
		impact := 6.42 * base
		if changed {
			impact = 7.52*(base-0.029) - 3.25*math.Pow(base-0.02, 15)
		}
		if impact <= 0 {
			check(vector, 0)
			return
		}
		sum := impact + 8.22*w[0]*w[1]*privileges*w[3]
		if changed {
			sum *= 1.08
		}
		// Appendix A: the smallest number with one decimal that is not less.
		units := int(math.Round(math.Min(sum, 10) * 100000))
		score := float64(units) / 100000
		if units%10000 != 0 {
			score = float64(units/10000+1) / 10
		}
		check(vector, score)
	})
	partial := []float64{0, 0.275, 0.660}
	all("", nil, []metric{
		{"AV", []string{"L", "A", "N"}, []float64{0.395, 0.646, 1}},
		{"AC", []string{"H", "M", "L"}, []float64{0.35, 0.61, 0.71}},
		{"Au", []string{"M", "S", "N"}, []float64{0.45, 0.56, 0.704}},
		{"C", []string{"N", "P", "C"}, partial}, {"I", []string{"N", "P", "C"}, partial}, {"A", []string{"N", "P", "C"}, partial},
	}, func(vector string, w []float64) {
		impact := 10.41 * (1 - (1-w[3])*(1-w[4])*(1-w[5]))
		if impact == 0 {
			check(vector, 0)
			return
		}
		check(vector, math.Round((0.6*impact+0.4*20*w[0]*w[1]*w[2]-1.5)*1.176*10)/10)
	})
	if n != 2592+729 {
		t.Errorf("%d vectors", n)
	}
}

func TestOfScore(t *testing.T) {
	for _, tt := range []struct {
		score float64
		want  assay.Rating
	}{
		{0, assay.RatingNone}, {0.001, assay.RatingLow}, {0.1, assay.RatingLow}, {3.9, assay.RatingLow}, {3.95, assay.RatingMedium},
		{4, assay.RatingMedium}, {6.9, assay.RatingMedium}, {6.91, assay.RatingHigh}, {7, assay.RatingHigh}, {8.9, assay.RatingHigh},
		{9, assay.RatingCritical}, {10, assay.RatingCritical}, {4.1 * 0.95, assay.RatingLow},
	} {
		if got, err := severity.OfScore(tt.score); got != tt.want || err != nil {
			t.Errorf("%v: got %s, %v, want %s", tt.score, got, err, tt.want)
		}
	}
	for _, bad := range []float64{-0.1, 10.01, math.NaN(), math.Inf(1), math.Inf(-1)} {
		if got, err := severity.OfScore(bad); got != "" || !errors.Is(err, assay.ErrInvalid) {
			t.Errorf("%v: got %q, %v", bad, got, err)
		}
	}
}

func TestWord(t *testing.T) {
	for word, want := range map[string]assay.Rating{
		"MODERATE": assay.RatingMedium, "Medium": assay.RatingMedium, "Important": assay.RatingHigh, "HIGH": assay.RatingHigh, "high**": assay.RatingHigh,
		"Critical": assay.RatingCritical, "low": assay.RatingLow, "Negligible": assay.RatingLow, "unimportant": assay.RatingLow, "minor": assay.RatingLow,
		"NONE": assay.RatingNone, "": "", "UNKNOWN": "", "not yet assigned": "", "end-of-life": "", "untriaged": "", "N/A": "", "9.8": "", "*": "",
	} {
		if got, ok := severity.Word(word); got != want || ok != (want != "") {
			t.Errorf("%q: got %q, %v, want %q", word, got, ok, want)
		}
	}
}

func TestCompare(t *testing.T) {
	order := []assay.Rating{"", assay.RatingNone, assay.RatingLow, assay.RatingMedium, assay.RatingHigh, assay.RatingCritical}
	for i, a := range order {
		for j, b := range order {
			if got := severity.Compare(a, b); got > 0 != (i > j) || got < 0 != (i < j) {
				t.Errorf("%q and %q: %d", a, b, got)
			}
		}
	}
}

func TestRate(t *testing.T) {
	for name, tt := range map[string]struct {
		in, want assay.Severity
		kind     error
	}{
		"vector":       {assay.Severity{Source: "nvd", Vector: critical31}, assay.Severity{Source: "nvd", Vector: critical31, Score: 9.8, Rating: assay.RatingCritical}, nil},
		"no effect":    {assay.Severity{Vector: none31}, assay.Severity{Vector: none31, Rating: assay.RatingNone}, nil},
		"score":        {assay.Severity{Score: 5}, assay.Severity{Score: 5, Rating: assay.RatingMedium}, nil},
		"word":         {assay.Severity{Rating: assay.RatingLow}, assay.Severity{Rating: assay.RatingLow}, nil},
		"own score":    {assay.Severity{Vector: critical31, Score: 5}, assay.Severity{Vector: critical31, Score: 5, Rating: assay.RatingMedium}, nil},
		"nothing":      {assay.Severity{Source: "x"}, assay.Severity{Source: "x"}, nil},
		"malformed":    {assay.Severity{Source: "ghsa", Vector: "CVSS:3.1/AV:N"}, assay.Severity{Source: "ghsa", Vector: "CVSS:3.1/AV:N"}, assay.ErrInvalid},
		"version":      {assay.Severity{Vector: "CVSS:9.0/AV:N"}, assay.Severity{Vector: "CVSS:9.0/AV:N"}, assay.ErrUnchecked},
		"score of 11":  {assay.Severity{Score: 11}, assay.Severity{Score: 11}, assay.ErrInvalid},
		"score below":  {assay.Severity{Score: -1}, assay.Severity{Score: -1}, assay.ErrInvalid},
		"not a rating": {assay.Severity{Rating: "HIGH"}, assay.Severity{Rating: "HIGH"}, assay.ErrInvalid},
	} {
		got, err := severity.Rate(tt.in)
		if assay.KindOf(err) != tt.kind || !cmp.Equal(got, tt.want) {
			t.Errorf("%s: got %+v, %v", name, got, err)
		}
	}
	if _, err := severity.Rate(assay.Severity{Source: "ghsa", Vector: "CVSS:3.1/AV:N"}); !strings.Contains(err.Error(), "ghsa: vector") {
		t.Errorf("%v does not say whose vector", err)
	}
}

func TestDecide(t *testing.T) {
	rated := func(source string, r assay.Rating) assay.Severity { return assay.Severity{Source: source, Rating: r} }
	vector := func(source, v string) assay.Severity { return assay.Severity{Source: source, Vector: v} }
	for name, tt := range map[string]struct {
		p      severity.Preference
		in     []assay.Severity
		want   assay.Rating
		least  assay.Rating
		source string
		errs   int
	}{
		"nothing":               {},
		"empty":                 {in: []assay.Severity{{Source: "nvd"}}},
		"none is known":         {in: []assay.Severity{vector("nvd", none31)}, want: assay.RatingNone, source: "nvd"},
		"unknown beside low":    {in: []assay.Severity{{Source: "nvd"}, rated("debian", assay.RatingLow)}, want: assay.RatingLow, source: "debian"},
		"worst":                 {in: []assay.Severity{rated("debian", assay.RatingLow), vector("nvd", critical31), vector("ghsa", medium31)}, want: assay.RatingCritical, source: "nvd"},
		"as bad, higher score":  {in: []assay.Severity{rated("a", assay.RatingHigh), vector("b", high31), vector("c", high40)}, want: assay.RatingHigh, source: "c"},
		"as bad, first":         {in: []assay.Severity{vector("b", high31), vector("c", high31)}, want: assay.RatingHigh, source: "b"},
		"v2 is replaced":        {in: []assay.Severity{vector("nvd", ten2), vector("NVD", medium31)}, want: assay.RatingMedium, source: "NVD"},
		"v2 of another source":  {in: []assay.Severity{vector("suse", ten2), vector("nvd", medium31)}, want: assay.RatingCritical, source: "suse"},
		"v2 alone":              {in: []assay.Severity{vector("nvd", ten2)}, want: assay.RatingCritical, source: "nvd"},
		"v3 beside v4":          {in: []assay.Severity{vector("ghsa", high40), vector("ghsa", critical31)}, want: assay.RatingCritical, source: "ghsa"},
		"word worse":            {in: []assay.Severity{{Source: "x", Vector: medium31, Rating: assay.RatingHigh}}, want: assay.RatingHigh, source: "x"},
		"score worse":           {in: []assay.Severity{{Source: "x", Score: 9.1, Rating: assay.RatingLow}}, want: assay.RatingCritical, source: "x"},
		"vector worse":          {in: []assay.Severity{{Source: "x", Vector: critical31, Score: 1, Rating: assay.RatingLow}}, want: assay.RatingCritical, source: "x"},
		"unread may be worse":   {in: []assay.Severity{vector("a", "CVSS:3.1/AV:N"), rated("b", assay.RatingHigh)}, least: assay.RatingHigh, errs: 1},
		"nothing is worse":      {in: []assay.Severity{vector("a", "CVSS:3.1/AV:N"), rated("b", assay.RatingCritical)}, want: assay.RatingCritical, source: "b", errs: 1},
		"unread but rated":      {in: []assay.Severity{{Source: "a", Vector: "CVSS:9/AV:N", Rating: assay.RatingHigh}}, want: assay.RatingHigh, source: "a"},
		"unread word but score": {in: []assay.Severity{{Source: "a", Score: 7, Rating: "severe"}}, want: assay.RatingHigh, source: "a"},
		"preferred":             {p: severity.Preference{Sources: []string{"Debian", "nvd"}}, in: []assay.Severity{vector("nvd", critical31), rated("debian", assay.RatingLow)}, want: assay.RatingLow, source: "debian"},
		"second choice":         {p: severity.Preference{Sources: []string{"debian", "nvd"}}, in: []assay.Severity{vector("nvd", medium31), vector("ghsa", critical31), {Source: "debian"}}, want: assay.RatingMedium, source: "nvd"},
		"worst of preferred":    {p: severity.Preference{Sources: []string{"nvd"}}, in: []assay.Severity{vector("nvd", medium31), vector("nvd", high31)}, want: assay.RatingHigh, source: "nvd"},
		"others":                {p: severity.Preference{Sources: []string{"x"}}, in: []assay.Severity{vector("nvd", medium31)}, want: assay.RatingMedium, source: "nvd"},
		"no others":             {p: severity.Preference{Sources: []string{"x"}, OnlySources: true}, in: []assay.Severity{vector("nvd", medium31)}},
		"unread of no interest": {p: severity.Preference{Sources: []string{"nvd"}}, in: []assay.Severity{vector("nvd", medium31), vector("ghsa", "?")}, want: assay.RatingMedium, source: "nvd"},
	} {
		t.Run(name, func(t *testing.T) {
			if tt.least == "" {
				tt.least = tt.want
			}
			d := tt.p.Decide(tt.in)
			if d.Rating != tt.want || d.Least != tt.least || d.Severity.Source != tt.source || len(d.Errors) != tt.errs {
				t.Errorf("got %+v", d)
			}
			if d.Rating != "" && d.Severity.Rating != d.Rating {
				t.Errorf("rests on %+v", d.Severity)
			}
			if r, source, ok := severity.Of(assay.Finding{Severities: tt.in}); len(tt.p.Sources) == 0 && (r != tt.want || source != tt.source || ok != (tt.want != "")) {
				t.Errorf("Of gives %q of %q, %v", r, source, ok)
			}
		})
	}
}
