package vex_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/vex"
)

// Each test that 2.1 adds has a document that breaks it, and one that does not.
func TestReadCSAF21Refuses(t *testing.T) {
	const (
		tlp    = `{"tlp": {"label": "CLEAR"}}`
		all    = "ffffffff-ffff-ffff-ffff-ffffffffffff"
		nobody = "00000000-0000-0000-0000-000000000000"
		team   = "5868d6be-b28a-404e-a245-0b5093b31b8b"
		remedy = `"product_ids": ["app"], "date": "2026-10-20T00:00:00Z"}`
		helper = `"product_identification_helper": {"cpe"`
	)
	also := func(category, product string) string {
		return remedy + `, {"category": "` + category + `", "details": "d", "product_ids": ["` + product + `"]}`
	}
	group := func(id, name, label string) string {
		return `{"sharing_group": {"id": "` + id + `", "name": "` + name + `"}, "tlp": {"label": "` + label + `"}}`
	}
	branches := func(n int) string {
		return `"branches": [` + strings.Repeat(`{"category": "product_family", "name": "f", "branches": [`, n) +
			`{"category": "product_version", "name": "1", "product": {"name": "deep", "product_id": "deep"}}` + strings.Repeat("]}", n) + `, {"category": "vendor", "name": "Vendor", "branches": [`
	}
	within := func(outer, inner, name string) string {
		return `"branches": [{"category": "` + outer + `", "name": "2", "branches": [{"category": "` + inner + `", "name": "` + name + `", "product": {"name": "in", "product_id": "in"}}]}, {"category": "vendor", "name": "Vendor", "branches": [`
	}
	const top = `"branches": [{"category": "vendor", "name": "Vendor", "branches": [`
	inRange := func(name string) string { return within("product_name", "product_version_range", name) }
	exploited := func(date, at string) string {
		return `"first_known_exploitation_dates": [{"date": "` + date + `", "exploitation_date": "` + at + `"}], "flags": [`
	}
	for name, tt := range map[string]struct{ old, new, rule, says string }{
		"withdrawn":                    {`"csaf_vex"`, `"csaf_withdrawn"`, "CSAF 6.1.27.15", "csaf_withdrawn"},
		"superseded":                   {`"csaf_vex"`, `"csaf_superseded"`, "CSAF 6.1.27.15", "csaf_superseded"},
		"advisory, nothing affected":   {`"csaf_vex"`, `"csaf_security_advisory"`, "CSAF 6.1.27.12", "/vulnerabilities/1/product_status/known_affected"},
		"another dash":                 {`"csaf_vex"`, `"csaf—V E X"`, "CSAF 6.1.26", "/document/category"},
		"31 branches":                  {top, branches(30), "CSAF 6.1.34", "31"},
		"30 branches":                  {top, branches(29), "", ""},
		"fixed, and not to be":         {remedy, also("no_fix_planned", "app"), "CSAF 6.1.35", "app"},
		"fixed, and mitigated":         {remedy, also("mitigation", "app"), "", ""},
		"optional, and fixed":          {remedy, also("optional_patch", "app"), "CSAF 6.1.35", "app"},
		"none, and a workaround":       {remedy, also("none_available", "app"), "CSAF 6.1.35", "app"},
		"remedy of not affected":       {remedy, also("workaround", "a b"), "CSAF 6.1.36", "a b"},
		"by way of a group":            {remedy, strings.Replace(also("mitigation", "app"), `"product_ids": ["app"]}`, `"group_ids": ["g"]}`, 1), "CSAF 6.1.36", "os:lib"},
		"optional, of not affected":    {remedy, also("optional_patch", "a b"), "", ""},
		"optional, of affected":        {remedy, strings.Replace(also("optional_patch", "app"), "vendor_fix", "x", 1), "CSAF 6.1.35", "app"},
		"another remedy":               {remedy, also("prayer", "a b"), "CSAF 3.2.4.14.1", "prayer"},
		"small t":                      {`"current_release_date": "2026-11-01T`, `"current_release_date": "2026-11-01t`, "CSAF 6.1.37", "current_release_date"},
		"no zone":                      {`"date": "2026-10-15T00:00:00Z"`, `"date": "2026-10-15T00:00:00"`, "CSAF 6.1.37", "/vulnerabilities/0/flags/0/date"},
		"a leap second":                {`"date": "2026-10-20T00:00:00Z"`, `"date": "2016-12-31T23:59:60Z"`, "CSAF 6.1.37", "/vulnerabilities/0/remediations/0/date"},
		"a comma":                      {`"flags": [`, `"disclosure_date": "2026-10-15T00:00:00,5Z", "flags": [`, "CSAF 6.1.37", "disclosure_date"},
		"no such day":                  {`"flags": [`, `"discovery_date": "2026-02-30T00:00:00Z", "flags": [`, "CSAF 6.1.37", "discovery_date"},
		"everybody, in red":            {tlp, group(all, "Public", "RED"), "CSAF 6.1.38", "RED"},
		"some, in clear":               {tlp, group(team, "team", "CLEAR"), "CSAF 6.1.39", team},
		"some who are Public":          {tlp, group(team, "Public", "RED"), "CSAF 6.1.40", "Public"},
		"everybody without name":       {tlp, group(all, "", "CLEAR"), "CSAF 6.1.41", "Public"},
		"nobody by another name":       {tlp, group(nobody, "us", "RED"), "CSAF 6.1.41", "No sharing allowed"},
		"a group that is a number":     {tlp, `{"sharing_group": 5, "tlp": {"label": "RED"}}`, "CSAF 3.2.2.5", "/document/distribution"},
		"a label that is a number":     {tlp, `{"tlp": {"label": 5}}`, "CSAF 3.2.2.5", "/document/distribution"},
		"everybody":                    {tlp, group(all, "Public", "CLEAR"), "", ""},
		"some":                         {tlp, group(team, "team", "RED"), "", ""},
		"purls of two versions":        {"pkg:rpm/vendor/lib@1.0-1?arch=noarch", "pkg:rpm/vendor/lib@1.0-2?arch=noarch", "CSAF 6.1.42", "1.0-2"},
		"a purl that is none, second":  {"pkg:rpm/vendor/lib@1.0-1?arch=noarch", "rpm", "CSAF 6.1.13", "/purls/1"},
		"stars in a model":             {helper, `"product_identification_helper": {"model_numbers": ["P*A*"], "cpe"`, "CSAF 6.1.43", "P*A*"},
		"stars in a serial number":     {helper, `"product_identification_helper": {"serial_numbers": ["*P*"], "cpe"`, "CSAF 6.1.44", "*P*"},
		"stars in an SKU":              {helper, `"product_identification_helper": {"skus": ["**"], "cpe"`, "CSAF 6.1.61", "**"},
		"one star, and an escaped one": {helper, `"product_identification_helper": {"skus": ["*\\*"], "cpe"`, "", ""},
		"disclosed later":              {`"flags": [`, `"disclosure_date": "2026-11-02T00:00:00Z", "flags": [`, "CSAF 6.1.45", "2026-11-02"},
		"disclosed in time":            {`"flags": [`, `"disclosure_date": "2026-11-01T13:00:00+01:00", "flags": [`, "", ""},
		"no range":                     {top, inRange("all versions < 2"), "CSAF 6.1.50", "all versions"},
		"space":                        {top, inRange("vers:npm/>=2.0.0| <3.0.0"), "CSAF 6.1.50", "vers:npm"},
		"not sorted":                   {top, inRange("vers:npm/<3.0.0|>=2.0.0"), "CSAF 6.1.50", "vers:npm"},
		"twice":                        {top, inRange("vers:npm/>=2.0.0|<2.0.0"), "CSAF 6.1.50", "vers:npm"},
		"another comparator":           {top, inRange("vers:npm/<>2.0.0"), "CSAF 6.1.50", "vers:npm"},
		"nothing between":              {top, inRange("vers:npm/>2.0.0||<3.0.0"), "CSAF 6.1.50", "vers:npm"},
		"part of all":                  {top, inRange("vers:all/<2"), "CSAF 6.1.50", "vers:all"},
		"one version":                  {top, inRange("vers:npm/2.0.0"), "CSAF 6.1.59", "vers:npm/2.0.0"},
		"one version, plain":           {top, inRange("2.0.0"), "CSAF 6.1.59", "2.0.0"},
		"a range":                      {top, inRange("vers:npm/1.0.0|>=2.0.0|<3.0.0"), "", ""},
		"a range, plain":               {top, inRange(">2.1.0|<3.16.0|>3.16.0|<4.2.0"), "", ""},
		"of an order nobody knows":     {top, inRange("vers:intdot/<4.2.0|>3.91.1|!=3.2.0"), "", ""},
		"all":                          {top, inRange("vers:all/*"), "", ""},
		"exploited later":              {`"flags": [`, exploited("2026-11-02T00:00:00Z", "2026-10-01T00:00:00Z"), "CSAF 6.1.52", "0/date"},
		"exploited later still":        {`"flags": [`, exploited("2026-10-02T00:00:00Z", "2026-11-03T00:00:00Z"), "CSAF 6.1.52", "exploitation_date"},
		"known before it was":          {`"flags": [`, exploited("2026-10-02T00:00:00Z", "2026-10-03T00:00:00Z"), "CSAF 6.1.53", "2026-10-03"},
		"exploited":                    {`"flags": [`, exploited("2026-10-02T00:00:00Z", "2026-10-02T00:00:00Z"), "", ""},
		"stacked":                      {top, within("vendor", "vendor", "x"), "CSAF 6.1.57", "vendor"},
		"families":                     {top, within("product_family", "product_family", "x"), "", ""},
		"a range of a version":         {top, within("product_version", "product_version_range", "vers:npm/<2.0.0"), "CSAF 6.1.58", "product_version_range"},
	} {
		t.Run(name, func(t *testing.T) {
			in := strings.Replace(csafInput21(), tt.old, tt.new, 1)
			if in == csafInput21() {
				t.Fatal("nothing was changed")
			}
			v, _, err := vex.ReadCSAF(name, []byte(in))
			if tt.rule == "" {
				if err != nil || len(v.Statements) == 0 {
					t.Errorf("refused: %v", err)
				}
				return
			}
			if v != nil {
				t.Error("a document came with the error")
			}
			wantRule(t, err, assay.ErrInvalid, tt.rule, tt.says, name)
			// The rules of 2.1 are none of 2.0.
			switch tt.rule {
			case "CSAF 6.1.26", "CSAF 6.1.13", "CSAF 6.1.37":
				return
			}
			old := strings.Replace(in, `"csaf_version": "2.1"`, `"csaf_version": "2.0"`, 1)
			if _, _, err := vex.ReadCSAF(name, []byte(old)); err != nil && strings.Contains(err.Error(), tt.rule+")") {
				t.Errorf("as 2.0: %v", err)
			}
		})
	}
}

// What is fixed or not affected in a range of versions is so in none other.
func TestReadCSAFRanges(t *testing.T) {
	const plain = `{"category": "product_version", "name": "lib 1", "product": {"name": "lib 1", "product_id": "lib", "product_identification_helper": {"purl": "pkg:rpm/vendor/lib@1.0-1?arch=x86_64"}}}`
	for name, tt := range map[string]struct {
		category, version, helper string
		want                      string // the products of what is under investigation
		lost                      bool
		asked                     map[string]assay.Status
	}{
		"vers": {"product_version_range", "vers:npm/>=1.0.0|<2.0.0", `"purl": "pkg:npm/lib"`, "pkg:npm/lib?vers=vers:npm%2F%3E%3D1.0.0%7C%3C2.0.0", false,
			map[string]assay.Status{"pkg:npm/lib@1.5.0": assay.UnderInvestigation, "pkg:npm/lib@2.0.0": "", "pkg:npm/lib@0.9.0": ""}},
		"all versions": {"product_version_range", "vers:all/*", `"purl": "pkg:npm/lib"`, "pkg:npm/lib", false,
			map[string]assay.Status{"pkg:npm/lib@1.5.0": assay.UnderInvestigation}},
		"in words": {"product_version_range", "all versions < 2", `"purl": "pkg:npm/lib"`, "https://vendor.example/V-2026-1#lib", true,
			map[string]assay.Status{"pkg:npm/lib@1.5.0": "", "pkg:npm/lib@2.5.0": ""}},
		"in the words of a version": {"product_version", "earlier than 2", `"purl": "pkg:npm/lib"`, "https://vendor.example/V-2026-1#lib", true,
			map[string]assay.Status{"pkg:npm/lib@2.5.0": ""}},
		"that has one": {"product_version_range", "<2.0.0", `"purl": "pkg:npm/lib@1.5.0"`, "pkg:npm/lib@1.5.0", false,
			map[string]assay.Status{"pkg:npm/lib@1.5.0": assay.UnderInvestigation, "pkg:npm/lib@1.6.0": ""}},
		"of its own": {"product_version_range", "<2.0.0", `"purl": "pkg:npm/lib?vers=vers:npm/%3C2.0.0"`, "pkg:npm/lib?vers=vers:npm%2F%3C2.0.0", false,
			map[string]assay.Status{"pkg:npm/lib@1.5.0": assay.UnderInvestigation, "pkg:npm/lib@2.5.0": ""}},
		"any CPE":  {"product_version_range", "<2.0.0", `"cpe": "cpe:2.3:a:vendor:lib:*:*:*:*:*:*:*:*"`, "https://vendor.example/V-2026-1#lib", true, nil},
		"one CPE":  {"product_version_range", "<2.0.0", `"cpe": "cpe:2.3:a:vendor:lib:1.5:*:*:*:*:*:*:*"`, "cpe:2.3:a:vendor:lib:1.5:*:*:*:*:*:*:*", false, nil},
		"no range": {"product_version", "1.5.0", `"purl": "pkg:npm/lib"`, "pkg:npm/lib", false, map[string]assay.Status{"pkg:npm/lib@3.0.0": assay.UnderInvestigation}},
	} {
		t.Run(name, func(t *testing.T) {
			with := `{"category": "` + tt.category + `", "name": "` + tt.version + `", "product": {"name": "lib", "product_id": "lib", "product_identification_helper": {` + tt.helper + `}}}`
			in := strings.Replace(csafInput(), plain, with, 1)
			if in == csafInput() {
				t.Fatal("nothing was changed")
			}
			v, losses, err := vex.ReadCSAF("csaf", []byte(in))
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, s := range v.Statements {
				if s.Status == assay.UnderInvestigation {
					for _, p := range s.Products {
						got = append(got, strings.Join(append(p.CPEs, p.ID), ""))
					}
				}
			}
			if d := cmp.Diff([]string{tt.want}, got); d != "" {
				t.Error(d)
			}
			lost := false
			for _, l := range losses {
				lost = lost || strings.Contains(l.Reason, "names every version")
			}
			if lost != tt.lost {
				t.Errorf("lost %v: %v", lost, losses)
			}
			for p, want := range tt.asked {
				if a := vex.StatusOf([]*assay.VEX{v}, vex.PURLProduct(assay.MustPURL(p)), assay.Vulnerability{ID: "X-1"}, on(1)); a.Status != want {
					t.Errorf("%s: got %q, want %q", p, a.Status, want)
				}
			}
		})
	}
}

// What is not affected in a part of a part is not so everywhere in the whole; a build that
// is fixed there is fixed.
func TestReadCSAFPartsOfParts(t *testing.T) {
	const (
		lib      = "pkg:rpm/vendor/lib@1.0-1?arch=x86_64"
		long     = `[{"category": "installed_with", "next_product_reference": "app"}, {"category": "default_component_of", "next_product_reference": "os"}]`
		short    = `[{"category": "default_component_of", "next_product_reference": "os"}]`
		relation = `"relationships": [{"category": "default_component_of", "product_reference": "lib", "relates_to_product_reference": "os", "full_product_name"`
	)
	nested := strings.Replace(csafInput(), relation, `"relationships": [{"category": "default_component_of", "product_reference": "lib", "relates_to_product_reference": "app", "full_product_name": {"name": "lib in app", "product_id": "app:lib"}}, `+
		`{"category": "default_component_of", "product_reference": "app:lib", "relates_to_product_reference": "os", "full_product_name"`, 1)
	// In place of not affected, without flag and remedy.
	fixed := strings.NewReplacer(`"known_not_affected": ["os:lib", "a b"]`, `"fixed": ["os:lib"]`, `"flags": [{"label": "component_not_present", "date": "2026-10-15T00:00:00Z", "product_ids": ["os:lib"]}],`, "",
		`"group_ids": ["g"], "date"`, `"product_ids": ["app"], "date"`)
	unversioned := strings.NewReplacer("lib@1.0-1?arch", "lib?arch")
	for name, tt := range map[string]struct {
		in   string
		want assay.Status
	}{
		"a path of two":                 {strings.Replace(csafInput21(), long, short, 1), assay.NotAffected},
		"a path of three":               {csafInput21(), ""},
		"a path of three, fixed":        {fixed.Replace(csafInput21()), assay.Fixed},
		"a path of three, any fixed":    {unversioned.Replace(strings.Replace(fixed.Replace(csafInput21()), ", \"pkg:rpm/vendor/lib@1.0-1?arch=noarch\"", "", 1)), ""},
		"a relationship":                {csafInput(), assay.NotAffected},
		"a relationship of one":         {nested, ""},
		"a relationship of one, fixed":  {fixed.Replace(nested), assay.Fixed},
		"a relationship, and any fixed": {unversioned.Replace(fixed.Replace(csafInput())), assay.Fixed},
	} {
		v, losses, err := vex.ReadCSAF(name, []byte(tt.in))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		asked := parts(assay.Product{CPEs: []string{"cpe:/o:vendor:os:9"}}, vex.PURLProduct(assay.MustPURL(lib)))
		if a := vex.StatusOf([]*assay.VEX{v}, asked, assay.Vulnerability{ID: "CVE-2026-0001"}, on(1)); a.Status != tt.want {
			t.Errorf("%s: got %q, want %q", name, a.Status, tt.want)
		}
		lost := false
		for _, l := range losses {
			lost = lost || strings.Contains(l.Reason, "in one part of the whole")
		}
		if lost != (tt.want == "") {
			t.Errorf("%s: lost %v: %v", name, lost, losses)
		}
	}
}
