package remediation_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/vex/remediation"
)

// everything is a record in which every member has a value.
func everything(t testing.TB) *assay.Remediation {
	t.Helper()
	b := append(nightly(), build(image("d"), "2026-03-04 02:00"), build(image("e"), "2026-03-05 02:00", scan("2026-03-05 18:00", []assay.PURL{zlib12, curl}, bug())),
		build(image("f"), "2026-03-06 02:00"))
	for i := range b {
		for j := range b[i].Scans {
			s := &b[i].Scans[j]
			s.Scan.Scanner.DBURI, s.Scan.Scanner.DBDigest = "https://db.example", assay.DigestSet{assay.SumSHA256([]byte(s.Scan.FinishedOn.String()))}
			s.Statement.Name, s.Statement.MediaType = "scan", "application/vnd.in-toto+json"
			for k := range s.Scan.Findings {
				f := &s.Scan.Findings[k]
				f.Vulnerability.Aliases = []assay.VulnID{"GHSA-aaaa-bbbb-cccc"}
				f.Severities = []assay.Severity{{Source: "nvd", Vector: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", Score: 9.8, Rating: assay.RatingCritical}}
				f.Exploited = &assay.Exploited{Catalogue: "CISA KEV", Added: at("2026-03-02"), Due: at("2026-03-23")}
			}
		}
	}
	lost := bug()
	lost.PURL, lost.Component, lost.Published = assay.PURL{}, "c1", at("2031-01-01")
	mistaken := bug()
	mistaken.Vulnerability.ID = "CVE-2026-0007"
	b[0].Scans[0].Scan.Findings = append(b[0].Scans[0].Scan.Findings, lost, mistaken)
	r := record(t, b, remediation.Options{
		Repository: repository, AsOf: at("2026-03-06 12:00"),
		VEX: []remediation.VEX{{Doc: notAffected(imgB, "2026-03-02"), Statement: proof, Signed: witnessed("2026-03-02 03:00")}},
		Exclusions: []remediation.Exclusion{{Vulnerability: "CVE-2026-0001", Exclusion: assay.Exclusion{Reason: "risk-accepted",
			From: witnessed("2026-03-02"), Until: at("2026-04-01"), Evidence: []assay.Resource{proof}, Note: "by the owner"}}},
	})
	return r
}

func compiled(t testing.TB) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(remediation.Schema()))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	if err := c.AddResource("schema.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func valid(s *jsonschema.Schema, data []byte) error {
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		return err
	}
	return s.Validate(v)
}

func TestRoundTrip(t *testing.T) {
	schema := compiled(t)
	for name, r := range map[string]*assay.Remediation{
		"everything": everything(t), "nightly": record(t, nightly(), remediation.Options{}),
		"nothing": {Stream: "s", AsOf: at("2026-03-01"), Images: []assay.ImageBuild{{Digest: imgA}}, Entries: []entry{}},
	} {
		data := must(remediation.Encode(r))
		if err := valid(schema, data); err != nil {
			t.Errorf("%s: %v\n%s", name, err, data)
		}
		got, err := remediation.Read(name, data)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(r, got, same); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		if again := must(remediation.Encode(got)); !bytes.Equal(data, again) {
			t.Errorf("%s: wrote\n%s\nthen\n%s", name, data, again)
		}
		// The order of members and the space between them are free.
		var v any
		if err := json.Unmarshal(data, &v); err != nil {
			t.Fatal(err)
		}
		other, _ := json.MarshalIndent(v, "", "\t")
		if got, err := remediation.Read(name, other); err != nil || !cmp.Equal(r, got, same) {
			t.Errorf("%s, written by another: %v", name, err)
		}
	}
}

// The schema names every member that can be written, and no other.
func TestSchemaIsComplete(t *testing.T) {
	var schema, doc any
	if err := json.Unmarshal(remediation.Schema(), &schema); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(must(remediation.Encode(everything(t))), &doc); err != nil {
		t.Fatal(err)
	}
	known, written := map[string]bool{}, map[string]bool{}
	var names func(v any)
	names = func(v any) {
		switch v := v.(type) {
		case map[string]any:
			if p, ok := v["properties"].(map[string]any); ok && v["additionalProperties"] == false {
				for k := range p {
					known[k] = true
				}
			}
			for _, x := range v {
				names(x)
			}
		case []any:
			for _, x := range v {
				names(x)
			}
		}
	}
	names(schema)
	var members func(v any)
	members = func(v any) {
		switch v := v.(type) {
		case map[string]any:
			for k, x := range v {
				written[k] = true
				members(x)
			}
		case []any:
			for _, x := range v {
				members(x)
			}
		}
	}
	members(doc)
	for _, a := range strings.Fields("md5 sha1 gitCommit gitTree gitBlob gitTag sha224 sha3_224 sha3_256 blake2s blake2b_256 blake3 dirHash sha384 sha3_384 sha512 sha3_512 blake2b") {
		if !assay.Algorithm(a).Known() {
			t.Errorf("%s is no algorithm", a)
		}
		delete(known, a)
	}
	if diff := cmp.Diff(slices.Sorted(maps.Keys(known)), slices.Sorted(maps.Keys(written))); diff != "" {
		t.Errorf("(-schema +written)\n%s", diff)
	}
}

// mutations gives the documents that differ from this one in one place; places with
// the same names of the last two members are one.
func mutations(v any, yield func(what string)) {
	var walk func(at string, v any, set func(any))
	seen := map[string]bool{}
	walk = func(at string, v any, set func(any)) {
		shape := strings.Split(strings.Map(func(r rune) rune {
			if r >= '0' && r <= '9' {
				return -1
			}
			return r
		}, at), "/")
		say := yield
		if shape := strings.Join(shape[max(0, len(shape)-2):], "/"); seen[shape] {
			say = func(string) {}
		} else {
			seen[shape] = true
		}
		for _, x := range []any{nil, "", "x", "2026-02-30T00:00:00Z", "2026-03-01T00:00:00+02:00", "2026-03-01T00:00:00.10Z", "2031-01-01T00:00:00Z", "0001-01-01T00:00:00Z", "SHA256:" + strings.Repeat("A", 64),
			"md5:" + strings.Repeat("a", 32), "pkg:deb/debian/zlib1g@1", "cve-2026-0001", 0.0, -1.0, 11.0, 1.5, true, []any{}, map[string]any{}, []any{"x"}, map[string]any{"x": "y"}} {
			set(x)
			say(at + " = " + string(must(json.Marshal(x))))
		}
		set(v)
		switch v := v.(type) {
		case map[string]any:
			for _, k := range slices.Sorted(maps.Keys(v)) {
				old := v[k]
				delete(v, k)
				say(at + " without " + k)
				v[k] = old
				walk(at+"/"+k, old, func(x any) { v[k] = x })
			}
			for _, k := range []string{"unknown", "annotations", "content", "downloadLocation", "rating", "until"} {
				if _, ok := v[k]; !ok {
					v[k] = "x"
					say(at + " with " + k)
					delete(v, k)
				}
			}
		case []any:
			for i := range v {
				walk(at+"/"+strconv.Itoa(i), v[i], func(x any) { v[i] = x })
			}
			if len(v) > 0 {
				set(append(slices.Clone(v), v[len(v)-1]))
				say(at + " with the last twice")
				set(v)
			}
			if len(v) > 1 {
				slices.Reverse(v)
				say(at + " reversed")
				slices.Reverse(v)
			}
		}
	}
	walk("", v, func(any) {})
}

// What the schema refuses is refused by Read, with the place of the offence; and what
// Read accepts is what it writes.
func TestMutations(t *testing.T) {
	schema := compiled(t)
	var doc any
	if err := json.Unmarshal(must(remediation.Encode(everything(t))), &doc); err != nil {
		t.Fatal(err)
	}
	refused, read, both := 0, 0, 0
	mutations(doc, func(what string) {
		data := must(json.Marshal(doc))
		bad := valid(schema, data)
		r, err := remediation.Read("file", data)
		if err == nil {
			read++
			if bad != nil {
				t.Errorf("%s is read, and the schema refuses it: %v", what, bad)
			}
			var a, b any
			if err := errors.Join(json.Unmarshal(data, &a), json.Unmarshal(must(remediation.Encode(r)), &b)); err != nil || !cmp.Equal(a, b) {
				t.Errorf("%s is read as something else: %v", what, cmp.Diff(a, b))
			}
			return
		}
		var e *assay.Error
		if !errors.As(err, &e) || r != nil || !strings.Contains(err.Error(), "file") {
			t.Errorf("%s: %v", what, err)
		}
		refused++
		if bad != nil {
			both++
		}
	})
	t.Logf("%d mutations refused, %d of them by the schema as well; %d read", refused, both, read)
	if refused < 1500 || both < refused*9/10 || read == 0 {
		t.Errorf("refused %d, by the schema as well %d, read %d: one of the two is too lenient", refused, both, read)
	}
}

// Each rule of the package has a record that breaks it and no other.
func TestRules(t *testing.T) {
	first := func(r *assay.Remediation) *entry { return &r.Entries[0] }
	for name, tt := range map[string]struct {
		change      func(*assay.Remediation)
		rule, field string
	}{
		"stream":              {func(r *assay.Remediation) { r.Stream = "\u00a0" }, "R1", "/stream"},
		"no images":           {func(r *assay.Remediation) { r.Images = nil }, "R1", "/images"},
		"no entries":          {func(r *assay.Remediation) { r.Entries = nil }, "R1", "/entries"},
		"as of":               {func(r *assay.Remediation) { r.AsOf = time.Time{} }, "R2", "/asOf"},
		"a zone":              {func(r *assay.Remediation) { r.AsOf = r.AsOf.In(time.FixedZone("", 3600)) }, "R2", "/asOf"},
		"year 10000":          {func(r *assay.Remediation) { r.AsOf = at("9999-12-31").AddDate(0, 0, 1) }, "R2", "/asOf"},
		"signed later":        {func(r *assay.Remediation) { r.Images[5].Signed.Time = r.AsOf.Add(1) }, "R2", "/images/5/signed/time"},
		"images out of order": {func(r *assay.Remediation) { r.Images[3].Signed.Time = at("2026-03-03 00:59:59") }, "R2", "/images/3/signed/time"},
		"built out of order":  {func(r *assay.Remediation) { r.Images[3].Built.Time = at("2026-03-02 23:59:59") }, "R2", "/images/3/built/time"},
		"signed before built": {func(r *assay.Remediation) { r.Images[5].Built.Time = at("2026-03-06 03:00:01") }, "R2", "/images/5/signed/time"},
		"scanned before built": {func(r *assay.Remediation) {
			r.Images[0].Signed = assay.Dated{}
			r.Images[0].Built.Time = at("2026-03-01 19:00:01")
		}, "R2", "/images/0/scans/0/finished/time"},
		"scan signed before it ended": {func(r *assay.Remediation) { r.Images[0].Scans[0].Signed.Time = at("2026-03-01 16:59:59") }, "R2", "/images/0/scans/0/signed/time"},
		"published later":             {func(r *assay.Remediation) { r.Entries[1].Published.Time = r.AsOf.Add(1) }, "R2", "/entries/1/published/time"},
		"a basis without time":        {func(r *assay.Remediation) { r.Entries[1].Published.Time = time.Time{} }, "R2", "/entries/1/published/time"},
		"no basis":                    {func(r *assay.Remediation) { r.Entries[1].Published.Basis = "" }, "R3", "/entries/1/published/basis"},
		"witnessed by nobody":         {func(r *assay.Remediation) { r.Images[0].Signed.Evidence = nil }, "R3", "/images/0/signed/evidence"},
		"evidence of nothing":         {func(r *assay.Remediation) { r.Images[0].Signed.Evidence = []assay.Resource{{Name: "x"}} }, "R4", "/images/0/signed/evidence/0"},
		"evidence with content":       {func(r *assay.Remediation) { r.Images[0].Signed.Evidence = []assay.Resource{{Content: []byte("x")}} }, "R4", "/images/0/signed/evidence/0"},
		"evidence twice":              {func(r *assay.Remediation) { r.Images[0].Signed.Evidence = []assay.Resource{log, log} }, "R4", "/images/0/signed/evidence/1"},
		"weak digest":                 {func(r *assay.Remediation) { r.Images[0].Digest = assay.MustDigest("md5:" + strings.Repeat("a", 32)) }, "R5", "/images/0/digest"},
		"lineage that begins":         {func(r *assay.Remediation) { r.Images[0].Previous = image("9") }, "R5", "/images/0/previous"},
		"lineage that jumps":          {func(r *assay.Remediation) { r.Images[2].Previous = imgA }, "R5", "/images/2/previous"},
		"an image twice":              {func(r *assay.Remediation) { r.Images[2].Digest = imgA }, "R5", "/images/2/digest"},
		"no scanner":                  {func(r *assay.Remediation) { r.Images[0].Scans[0].Scanner = "" }, "R5", "/images/0/scans/0/scanner"},
		"covers less than nothing":    {func(r *assay.Remediation) { r.Images[0].Scans[0].Coverage.Components = -1 }, "R5", "/images/0/scans/0/coverage/components"},
		"no vulnerability":            {func(r *assay.Remediation) { first(r).Vulnerability.ID = "" }, "R6", "/entries/0/vulnerability/id"},
		"an alias of itself":          {func(r *assay.Remediation) { first(r).Vulnerability.Aliases = []assay.VulnID{"CVE-2026-0001"} }, "R6", "/entries/0/vulnerability/aliases"},
		"a description":               {func(r *assay.Remediation) { first(r).Vulnerability.Description = "x" }, "R6", "/entries/0/vulnerability"},
		"a version":                   {func(r *assay.Remediation) { r.Entries[1].Component = zlib12 }, "R6", "/entries/1/component"},
		"two names":                   {func(r *assay.Remediation) { r.Entries[1].ComponentID = "x" }, "R6", "/entries/1/component"},
		"an occurrence left out":      {func(r *assay.Remediation) { r.Entries[2].Occurrence = 3 }, "R6", "/entries"},
		"again, and never fixed": {func(r *assay.Remediation) {
			r.Entries[1].FixedImage, r.Entries[1].FirstClean = assay.Digest{}, assay.Dated{}
		}, "R6", "/entries"},
		"again, and not after":     {func(r *assay.Remediation) { r.Entries[2].FirstImage = imgC }, "R6", "/entries"},
		"last seen before first":   {func(r *assay.Remediation) { r.Entries[1].LastSeen.Time = at("2026-03-01") }, "R6", "/entries/1/lastSeen/time"},
		"a fix":                    {func(r *assay.Remediation) { first(r).Fix.State = "soon" }, "R6", "/entries/0/fix/state"},
		"an unknown image":         {func(r *assay.Remediation) { first(r).FirstImage = image("9") }, "R7", "/entries/0/firstImage"},
		"last before first":        {func(r *assay.Remediation) { r.Entries[2].LastImage = imgA }, "R7", "/entries/2/lastImage"},
		"fixed by the same":        {func(r *assay.Remediation) { r.Entries[1].FixedImage = r.Entries[1].LastImage }, "R7", "/entries/1/fixedImage"},
		"clean without fix":        {func(r *assay.Remediation) { r.Entries[2].FirstClean = witnessed("2026-03-06") }, "R7", "/entries/2/firstClean"},
		"withdrawn and fixed":      {func(r *assay.Remediation) { r.Entries[3].FixedImage = imgC }, "R7", "/entries/3/withdrawn"},
		"withdrawn later":          {func(r *assay.Remediation) { r.Entries[3].Withdrawn.Time = r.AsOf.Add(1) }, "R2", "/entries/3/withdrawn/time"},
		"undecided, but it has it": {func(r *assay.Remediation) { r.Entries[2].Undecided[0].Image = r.Entries[2].LastImage }, "R7", "/entries/2/undecided/0/image"},
		"undecided after it is gone": {func(r *assay.Remediation) {
			r.Entries[1].Undecided = []assay.Undecided{{Image: image("d"), Reason: "x"}}
		}, "R7", "/entries/1/undecided/0/image"},
		"a score":                  {func(r *assay.Remediation) { first(r).Severities[0].Severities[0].Score = 10.1 }, "R8", "/entries/0/severities/0/severities/0/score"},
		"a rating":                 {func(r *assay.Remediation) { first(r).Severities[0].Severities[0].Rating = "urgent" }, "R8", "/entries/0/severities/0/severities/0/rating"},
		"a status":                 {func(r *assay.Remediation) { r.Entries[1].VEX[0].Status = "fine" }, "R9", "/entries/1/vex/0/status"},
		"a justification of fixed": {func(r *assay.Remediation) { r.Entries[1].VEX[0].Status = assay.Fixed }, "R9", "/entries/1/vex/0/justification"},
		"a status at no time":      {func(r *assay.Remediation) { r.Entries[1].VEX[0].At = assay.Dated{} }, "R9", "/entries/1/vex/0/at"},
		"an exclusion by the scan": {func(r *assay.Remediation) { r.Entries[1].Exclusions[0].Reason = "no-fix-available" }, "R10", "/entries/1/exclusions/0/reason"},
		"an exclusion of no time":  {func(r *assay.Remediation) { r.Entries[1].Exclusions[0].From = assay.Dated{} }, "R10", "/entries/1/exclusions/0/from"},
		"it ends before it begins": {func(r *assay.Remediation) { r.Entries[1].Exclusions[0].Until = at("2026-03-01") }, "R10", "/entries/1/exclusions/0/until"},
	} {
		t.Run(name, func(t *testing.T) {
			r := must(remediation.Read("r", must(remediation.Encode(everything(t)))))
			tt.change(r)
			data, err := remediation.Encode(r)
			var e *assay.Error
			if data != nil || !errors.As(err, &e) || e.Kind != assay.ErrInvalid || e.Rule != "remediation "+tt.rule || e.Field != tt.field {
				t.Errorf("got %v, want rule %s at %s", err, tt.rule, tt.field)
			}
			if res, err := remediation.Evaluate(r, named(t, "7-14"), at("2099-01-01")); res != nil || !errors.Is(err, assay.ErrInvalid) {
				t.Errorf("evaluated: %v", err)
			}
		})
	}
	if _, err := remediation.Encode(nil); !errors.Is(err, assay.ErrInvalid) {
		t.Errorf("nil: %v", err)
	}
	if _, err := remediation.Read("f", []byte(`{"stream":"s","stream":"t"}`)); !errors.Is(err, assay.ErrInvalid) || !strings.Contains(err.Error(), "/stream") {
		t.Errorf("a member twice: %v", err)
	}
	big := &assay.Remediation{Stream: "s", AsOf: at("2026-03-01"), Images: make([]assay.ImageBuild, remediation.MaxImages+1), Entries: []entry{}}
	if _, err := remediation.Encode(big); !errors.Is(err, assay.ErrBound) {
		t.Errorf("too many: %v", err)
	}
}
