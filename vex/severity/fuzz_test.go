package severity_test

import (
	"strings"
	"testing"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/vex/severity"
)

func FuzzParse(f *testing.F) {
	for _, v := range []string{critical31, high40, ten2, none31, "(" + ten2 + ")", "CVSS2#" + ten2, ten2 + "/CDP:H/TD:H/CR:H/IR:H/AR:H", critical31 + "/E:U/MAV:P",
		high40 + "/E:U/MSI:S/S:P/AU:Y/R:A/V:D/RE:L/U:Clear", "CVSS:4.0/AV:P/AC:H/AT:P/PR:H/UI:A/VC:L/VI:L/VA:L/SC:L/SI:L/SA:L/E:U/CR:L/IR:L/AR:L", "", "CVSS:3.0/", "/////////////////"} {
		f.Add(v)
	}
	f.Fuzz(func(t *testing.T, vector string) {
		v, err := severity.Parse(vector)
		if err != nil {
			if assay.KindOf(err) == nil || v != (severity.CVSS{}) {
				t.Fatalf("%+v, %v", v, err)
			}
			return
		}
		rating, err := severity.OfScore(v.Score)
		if err != nil {
			t.Fatalf("%+v: %v", v, err)
		}
		again, err := severity.Parse(v.Vector)
		if err != nil || again != v {
			t.Fatalf("%+v, again %+v, %v", v, again, err)
		}
		rated, err := severity.Rate(assay.Severity{Vector: vector})
		if err != nil || rated.Score != v.Score || rated.Rating != rating {
			t.Fatalf("%+v of %+v, %v", rated, v, err)
		}
		if again, err := severity.Rate(rated); err != nil || again != rated {
			t.Fatalf("%+v, again %+v, %v", rated, again, err)
		}
	})
}

// FuzzDecide holds a decision to what may never happen: that a severity more makes
// the worst one less, and that nothing at all has a rating.
func FuzzDecide(f *testing.F) {
	f.Add(critical31, 0.0, "", "nvd", ten2, 0.0, "low", "nvd")
	f.Add("?", 11.0, "HIGH", "a", "", -1.0, "none", "b")
	f.Add("", 5.0, "critical", "", "CVSS:4.0/", 0.0, "", "")
	f.Fuzz(func(t *testing.T, va string, sa float64, ra, na, vb string, sb float64, rb, nb string) {
		a := assay.Severity{Source: na, Vector: va, Score: sa, Rating: assay.Rating(ra)}
		b := assay.Severity{Source: nb, Vector: vb, Score: sb, Rating: assay.Rating(rb)}
		one, both := severity.Preference{}.Decide([]assay.Severity{a}), severity.Preference{}.Decide([]assay.Severity{a, b})
		if !strings.EqualFold(na, nb) && severity.Compare(both.Least, one.Least) < 0 {
			t.Fatalf("%+v with more is %+v", one, both)
		}
		for _, d := range []severity.Decision{one, both} {
			if d.Rating != "" && (d.Rating != d.Least || d.Rating != d.Severity.Rating || !severity.Known(d.Rating)) ||
				d.Rating == "" && d.Severity != (assay.Severity{}) || len(d.Errors) > 0 && d.Rating != "" && d.Rating != assay.RatingCritical {
				t.Fatalf("%+v", d)
			}
		}
		if va == "" && ra == "" && sa == 0 && one.Rating != "" {
			t.Fatalf("nothing is rated %+v", one)
		}
	})
}
