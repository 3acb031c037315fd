package severity_test

import (
	"errors"
	"fmt"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/vex/severity"
)

func ExampleOf() {
	finding := assay.Finding{Severities: []assay.Severity{
		{Source: "debian", Rating: assay.RatingLow},
		{Source: "nvd", Vector: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"},
	}}
	fmt.Println(severity.Of(finding))
	fmt.Println(severity.Of(assay.Finding{}))
	// Output:
	// critical nvd true
	//   false
}

func ExamplePreference_Decide() {
	severities := []assay.Severity{
		{Source: "debian", Rating: assay.RatingLow},
		{Source: "nvd", Vector: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"},
	}
	// The distribution knows how it builds its packages.
	d := severity.Preference{Sources: []string{"debian"}}.Decide(severities)
	fmt.Println(d.Rating)
	// Half a vector might be worse than what can be read.
	d = severity.Preference{}.Decide(append(severities[:1], assay.Severity{Source: "ghsa", Vector: "CVSS:3.1/AV:N"}))
	fmt.Printf("%q, at least %s\n", d.Rating, d.Least)
	// Output:
	// low
	// "", at least low
}

func ExampleRate() {
	s, err := severity.Rate(assay.Severity{Source: "ghsa", Vector: "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:N/VA:N/SC:N/SI:N/SA:N"})
	fmt.Println(s.Score, s.Rating, err)
	_, err = severity.Rate(assay.Severity{Source: "ghsa", Vector: "CVSS:3.1/AV:N"})
	fmt.Println(err)
	// Output:
	// 8.7 high <nil>
	// rate severity: ghsa: vector: invalid: parse CVSS vector: invalid: got "CVSS:3.1/AV:N", want a vector of version 3.1 (CVSS v3.1, section 6): base metric AC is not defined
}

func ExampleParse() {
	v, err := severity.Parse("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H")
	fmt.Println(v.Version, v.Score, err)
	_, err = severity.Parse("CVSS:5.0/AV:N")
	fmt.Println(errors.Is(err, assay.ErrUnchecked))
	// Output:
	// 3.1 9.8 <nil>
	// true
}

func ExampleOfScore() {
	for _, score := range []float64{0, 3.95, 9.8} {
		fmt.Println(severity.OfScore(score))
	}
	// Output:
	// none <nil>
	// medium <nil>
	// critical <nil>
}

// What says that nobody rated is no rating, and not the lowest one.
func ExampleWord() {
	fmt.Println(severity.Word("Important"))
	fmt.Println(severity.Word("not yet assigned"))
	// Output:
	// high true
	//  false
}
