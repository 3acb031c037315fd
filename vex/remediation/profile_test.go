package remediation_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/vex/remediation"
)

func TestNamed(t *testing.T) {
	if diff := cmp.Diff([]string{remediation.ProfileDefault, remediation.ProfileHighAsCritical, remediation.ProfileSevenWorkingDays, remediation.ProfileCISAKEV, remediation.ProfileFedRAMP}, remediation.Names()); diff != "" {
		t.Error(diff)
	}
	for _, name := range remediation.Names() {
		p := named(t, name)
		data := must(p.Encode())
		again, err := remediation.ReadProfile(name, data)
		if err != nil || !cmp.Equal(p, again) {
			t.Errorf("%s: %v, %s", name, err, cmp.Diff(p, again))
		}
		if p.AllowClaimedTimesUnsafe {
			t.Errorf("%s is unsafe", name)
		}
	}
	if p, err := remediation.Named("7/14"); p != nil || !errors.Is(err, assay.ErrAbsent) || !strings.Contains(err.Error(), "fedramp-rev5") {
		t.Errorf("got %v, %v", p, err)
	}
	// What a caller changes is the caller's.
	p := named(t, "7-14")
	p.Limits[assay.RatingCritical] = remediation.Limit{Days: 99}
	if named(t, "7-14").Limits[assay.RatingCritical].Days != 7 {
		t.Error("profiles share their limits")
	}
}

func TestReadProfileRefuses(t *testing.T) {
	good := string(must(named(t, "7-14").Encode()))
	replace := func(old, with string) string {
		if !strings.Contains(good, old) {
			t.Fatalf("no %s in %s", old, good)
		}
		return strings.Replace(good, old, with, 1)
	}
	top := func(member string) string { return "{" + member + "," + good[1:] }
	for name, tt := range map[string]struct{ in, says string }{
		"unknown member":         {top(`"limit":{}`), "/limit"},
		"a member twice":         {top(`"name":"x"`), "/name"},
		"another case":           {replace(`"stop"`, `"Stop"`), "/Stop"},
		"null":                   {top(`"due":null`), "/due"},
		"no name":                {replace(`"7/14"`, `" "`), "/name"},
		"no start":               {`{"name":"x"}`, "/start/events"},
		"unknown event":          {replace(`"published"`, `"publish"`), "/start/events/0"},
		"an event twice":         {replace(`"published"`, `"fix-available"`), "/start/events/1"},
		"unknown pick":           {replace(`"latest"`, `"last"`), "/start/pick"},
		"unknown stop":           {replace(`"vex-fixed"`, `"vex-affected"`), "/stop/1"},
		"no stop":                {replace(`"stop": [`, `"stop": [], "x": [`), "/x"},
		"a rating without limit": {replace(`"low"`, `"none"`), "/limits/low"},
		"an unknown rating":      {replace(`"limits": {`, `"limits": {"urgent": {"days": 1}, `), "/limits"},
		"no days":                {replace(`"days": 7`, `"days": 0`), "/limits/critical"},
		"negative days":          {replace(`"days": 7`, `"days": -7`), "/limits/critical"},
		"days and working days":  {replace(`"days": 7`, `"days": 7, "workingDays": 7`), "/limits/critical"},
		"a century":              {replace(`"days": 7`, `"days": 36501`), "/limits/critical"},
		"unknown unknown":        {top(`"unknownRating":"none"`), "/unknownRating"},
		"a source twice":         {top(`"severitySources":["nvd","nvd"]`), "/severitySources/1"},
		"unknown change":         {replace(`"tighten"`, `"loosen"`), "/severityChange"},
		"unknown regression":     {top(`"regression":"never"`), "/regression"},
		"unknown reason":         {replace(`"vex-not-affected"`, `"no-time"`), "/exclusions/1/reason"},
		"a reason twice":         {replace(`"vex-not-affected"`, `"no-fix-available"`), "/exclusions/1/reason"},
		"an end of VEX":          {replace(`"vex-not-affected"`, `"vex-not-affected", "maxDays": 9`), "/exclusions/1/maxDays"},
		"a risk for ever":        {replace(`"vex-not-affected"`, `"risk-accepted"`), "/exclusions/1/maxDays"},
		"negative end":           {replace(`"maxDays": 7`, `"maxDays": -7`), "/exclusions/0/maxDays"},
		"due in no catalogue":    {top(`"due":{"catalogue":""}`), "/due/catalogue"},
		"due only, and limits":   {top(`"due":{"catalogue":"CISA KEV","only":true}`), "/limits"},
		"unknown zone":           {replace(`"rebuild"`, `"calendar":{"zone":"Mars/Olympus"},"rebuild"`), "/calendar/zone"},
		"local zone":             {replace(`"rebuild"`, `"calendar":{"zone":"Local"},"rebuild"`), "/calendar/zone"},
		"unknown day":            {replace(`"rebuild"`, `"calendar":{"weekend":["Sunday"]},"rebuild"`), "/calendar/weekend/0"},
		"a day twice":            {replace(`"rebuild"`, `"calendar":{"weekend":["sunday","sunday"]},"rebuild"`), "/calendar/weekend/1"},
		"all weekend":            {replace(`"rebuild"`, `"calendar":{"weekend":["sunday","monday","tuesday","wednesday","thursday","friday","saturday"]},"rebuild"`), "/calendar/weekend"},
		"no such day":            {replace(`"rebuild"`, `"calendar":{"holidays":["2026-02-29"]},"rebuild"`), "/calendar/holidays/0"},
		"holidays out of order":  {replace(`"rebuild"`, `"calendar":{"holidays":["2026-02-28","2026-02-27"]},"rebuild"`), "/calendar/holidays/1"},
		"rebuild in no time":     {replace(`"withinHours": 30`, `"withinHours": 0`), "/rebuild/withinHours"},
		"rebuild over what":      {replace(`"overDays": 30`, `"overDays": -1`), "/rebuild/overDays"},
		"no profile":             {`[]`, "profile.json"},
		"trailing data":          {good + "{}", "profile.json"},
	} {
		p, err := remediation.ReadProfile("profile.json", []byte(tt.in))
		kind := assay.ErrInvalid
		if name == "unknown zone" {
			kind = assay.ErrUnchecked
		}
		if p != nil || !errors.Is(err, kind) || !strings.Contains(err.Error(), tt.says) || !strings.Contains(err.Error(), "profile.json") {
			t.Errorf("%s: got %v, want %v that says %s", name, err, kind, tt.says)
		}
	}
	r := stream("2026-03-02", "", found())
	for name, p := range map[string]*remediation.Profile{"nil": nil, "zero": {}} {
		if res, err := remediation.Evaluate(r, p, at("2026-03-02")); res != nil || !errors.Is(err, assay.ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
