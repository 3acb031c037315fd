package remediation

import (
	"embed"
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/strictjson"
)

// Profile is a policy for deadlines, as data. Its JSON is read by [ReadProfile].
type Profile struct {
	// Name is for reports. REQUIRED.
	Name        string `json:"name"`
	Description string `json:"description,omitempty"`
	// Start is what starts the clock. REQUIRED.
	Start Start `json:"start"`
	// Limits give the time for each rating: all of critical, high, medium and low, or
	// none where Due.Only is set. The rating "none" has that of low unless it is given.
	Limits map[assay.Rating]Limit `json:"limits,omitzero"`
	// UnknownRating is the rating that counts where nobody gave one; empty is critical.
	UnknownRating assay.Rating `json:"unknownRating,omitempty"`
	// SeveritySources are whose ratings count, the first that has one; empty is the
	// worst of all sources. Package vex/severity decides.
	SeveritySources []string `json:"severitySources,omitzero"`
	// SeverityChange is what another rating does to the deadline; empty is [Tighten].
	SeverityChange SeverityRule `json:"severityChange,omitempty"`
	// Due takes due dates from a catalogue of vulnerabilities in use.
	Due *Due `json:"due,omitempty"`
	// Stop is what stops the clock, whichever is first. REQUIRED.
	Stop []Stop `json:"stop"`
	// Exclusions are the reasons for which no deadline applies, each once.
	Exclusions []ExclusionRule `json:"exclusions,omitzero"`
	// Regression is when the clock of a vulnerability starts that comes back; empty is
	// [Original].
	Regression RegressionRule `json:"regression,omitempty"`
	Calendar   Calendar       `json:"calendar,omitzero"`
	// Rebuild is how often the stream is to be built anew; nil asks for nothing.
	Rebuild *RebuildRule `json:"rebuild,omitempty"`
	// AllowClaimedTimesUnsafe takes the time of a signed claim where a witnessed one
	// is wanted. Whoever signs can then write down any time that suits. Claims that
	// nobody signed never count.
	AllowClaimedTimesUnsafe bool `json:"allowClaimedTimesUnsafe,omitempty"`
}

// Start is what starts the clock.
type Start struct {
	// Events are all needed: where the date of one is missing, the clock is unknown. If the
	// latest counts, what is in time by those that are known is in time all the same.
	Events []StartEvent `json:"events"`
	// Pick chooses among them; empty is [Latest].
	Pick Pick `json:"pick,omitempty"`
}

// StartEvent is an event in the life of a vulnerability.
type StartEvent string

const (
	// Published: the vulnerability became public.
	Published StartEvent = "published"
	// FixAvailable: a release that fixes it could be had.
	FixAvailable StartEvent = "fix-available"
	// FirstSeen: the first scan of the stream that reported it ended.
	FirstSeen StartEvent = "first-seen"
	// KEVAdded: it was added to the catalogue of Due, [CISAKEV] without.
	KEVAdded StartEvent = "kev-added"
)

// CISAKEV is the name of CISA's catalogue in [assay.Catalogued].
const CISAKEV = "CISA KEV"

// Pick chooses one of several dates.
type Pick string

const (
	Latest   Pick = "latest"
	Earliest Pick = "earliest"
)

// Limit is the time to remediate; one of its fields is set. [Calendar] says how days
// are counted.
type Limit struct {
	Days        int `json:"days,omitempty"`
	WorkingDays int `json:"workingDays,omitempty"`
	// Unlimited says that there is no deadline, which nobody gets by leaving it out.
	Unlimited bool `json:"unlimited,omitempty"`
}

// SeverityRule is what a change of the rating does to the deadline. Changes after the
// deadline, or after the clock stopped, do nothing.
type SeverityRule string

const (
	// Tighten: the new limit counts from the change, if that makes the deadline earlier.
	Tighten SeverityRule = "tighten"
	// Restart: the new limit counts from the change.
	Restart SeverityRule = "restart"
	// AsFirstRated: the first rating counts for good.
	AsFirstRated SeverityRule = "first"
)

// Due takes due dates from a catalogue.
type Due struct {
	// Catalogue is its name, such as [CISAKEV].
	Catalogue string `json:"catalogue"`
	// Only says that what is not in the catalogue has no deadline, and its date is the
	// only one of what is; else the earlier of date and limit counts.
	Only bool `json:"only,omitempty"`
}

// Stop is an event that stops the clock.
type Stop string

const (
	// PatchedImageSigned: the first image that a signed scan shows not to have it was
	// signed.
	PatchedImageSigned Stop = "patched-image-signed"
	// FirstClean: the first scan that shows that ended.
	FirstClean Stop = "first-clean-scan"
	// VEXFixed and VEXNotAffected: that became its status, and still is.
	VEXFixed       Stop = "vex-fixed"
	VEXNotAffected Stop = "vex-not-affected"
)

// Reason is why no deadline applies.
type Reason string

const (
	// NoFix: the last scan that reported it says that there is no fix, or will be none.
	NoFix Reason = "no-fix-available"
	// EndOfLife: the component is not maintained any more, and the consumer was told.
	EndOfLife Reason = "end-of-life"
	// Disputed: it is contested that this is a vulnerability.
	Disputed Reason = "disputed"
	// RiskAccepted: somebody who may accepted the risk, before the deadline.
	RiskAccepted Reason = "risk-accepted"
	// NotAffected: the VEX status is not_affected, since whenever.
	NotAffected Reason = "vex-not-affected"

	// NoLimit and NotCatalogued come from the profile itself: the rating is unlimited,
	// or the catalogue does not have the vulnerability.
	NoLimit       Reason = "no-limit"
	NotCatalogued Reason = "not-in-catalogue"
)

// ExclusionRule allows one reason. Each needs evidence with a digest that identifies
// content: for [NoFix] the last scan's statement, for [NotAffected] the VEX document's,
// for the others what the record names; and, but for NoFix, a witnessed time.
type ExclusionRule struct {
	Reason Reason `json:"reason"`
	// MaxDays is the longest time for which it is granted; then it has to have an end.
	// For NoFix it is how old the scan may be. Zero is any.
	MaxDays int `json:"maxDays,omitempty"`
}

// RegressionRule is when the clock starts for what comes back.
type RegressionRule string

const (
	// Original: as the first time, which mostly means that the deadline has passed.
	Original RegressionRule = "original"
	// Reappearance: not before it was seen again.
	Reappearance RegressionRule = "reappearance"
)

// RebuildRule is how often a stream is to be built.
type RebuildRule struct {
	// WithinHours is the longest time from one image's signing to the next.
	WithinHours int `json:"withinHours"`
	// OverDays is how far back gaps count, by their end; zero is the whole record.
	OverDays int `json:"overDays,omitempty"`
}

//go:embed profiles/*.json
var profiles embed.FS

// The names of the profiles that are built in; see [Named].
const (
	// ProfileDefault is this project's: critical 7 days, all others 14, from when the
	// vulnerability is public and a fix can be had; rebuilt within 30 hours, which is
	// every night with room for one that is late.
	ProfileDefault = "7-14"
	// ProfileHighAsCritical is the same with 7 days for high too.
	ProfileHighAsCritical = "7-14-high-as-critical"
	// ProfileFedRAMP is FedRAMP Rev 5: 30, 90 and 180 days from detection.
	ProfileFedRAMP = "fedramp-rev5"
	// ProfileCISAKEV has the due dates of CISA's catalogue, and no others.
	ProfileCISAKEV = "cisa-kev"
	// ProfileSevenWorkingDays is 7 working days for critical and high, from the fix.
	ProfileSevenWorkingDays = "7-working-days"
)

// Names lists the profiles that are built in, sorted.
func Names() []string {
	entries, _ := profiles.ReadDir("profiles") // embedded, so it is there
	names := make([]string, len(entries))
	for i, e := range entries {
		names[i] = strings.TrimSuffix(e.Name(), ".json")
	}
	slices.Sort(names)
	return names
}

// Named gives a profile that is built in; an unknown name is [assay.ErrAbsent].
func Named(name string) (*Profile, error) {
	if !slices.Contains(Names(), name) {
		return nil, &assay.Error{Op: "find remediation profile", Kind: assay.ErrAbsent, Value: name, Bound: strings.Join(Names(), ", ")}
	}
	data, err := profiles.ReadFile("profiles/" + name + ".json")
	if err != nil {
		return nil, &assay.Error{Op: "find remediation profile", Kind: assay.ErrUnchecked, Value: name, Err: err}
	}
	return ReadProfile(name+".json", data)
}

// ReadProfile reads a profile. An unknown member or word is an error, since a rule
// that is misspelt must not silently be none. The name, of the file, is for errors.
func ReadProfile(name string, data []byte) (*Profile, error) {
	if err := refuseNull("read remediation profile", name, data); err != nil {
		return nil, err
	}
	var p Profile
	if err := strictjson.Unmarshal(name, data, &p, strictjson.Limits{RejectUnknown: true}); err != nil {
		return nil, err
	}
	if e := p.check(); e != nil {
		e.Subject = name
		return nil, e
	}
	return &p, nil
}

// Encode writes the profile as JSON that [ReadProfile] reads.
func (p *Profile) Encode() ([]byte, error) {
	if e := p.check(); e != nil {
		return nil, e
	}
	return strictjson.MarshalIndent(p)
}

// maxDays bounds limits to what a date can be moved by.
const maxDays = 36500

func (p *Profile) check() *assay.Error {
	if p == nil {
		return wrong("", "", "a profile")
	}
	if strings.TrimSpace(p.Name) == "" {
		return wrong("/name", p.Name, "a name")
	}
	if e := oneOf("/start/pick", p.Start.Pick, "", Latest, Earliest); e != nil {
		return e
	}
	if e := distinct("/start/events", p.Start.Events, Published, FixAvailable, FirstSeen, KEVAdded); e != nil {
		return e
	}
	if e := distinct("/stop", p.Stop, PatchedImageSigned, FirstClean, VEXFixed, VEXNotAffected); e != nil {
		return e
	}
	if e := p.checkLimits(); e != nil {
		return e
	}
	if e := oneOf("/unknownRating", p.UnknownRating, "", assay.RatingCritical, assay.RatingHigh, assay.RatingMedium, assay.RatingLow); e != nil {
		return e
	}
	for i, s := range p.SeveritySources {
		if s == "" || slices.Contains(p.SeveritySources[:i], s) {
			return wrong("/severitySources/"+strconv.Itoa(i), s, "a source, once")
		}
	}
	if e := oneOf("/severityChange", p.SeverityChange, "", Tighten, Restart, AsFirstRated); e != nil {
		return e
	}
	if e := oneOf("/regression", p.Regression, "", Original, Reappearance); e != nil {
		return e
	}
	seen := map[Reason]bool{}
	for i, x := range p.Exclusions {
		at := "/exclusions/" + strconv.Itoa(i)
		if e := oneOf(at+"/reason", x.Reason, NoFix, EndOfLife, Disputed, RiskAccepted, NotAffected); e != nil {
			return e
		}
		if seen[x.Reason] {
			return wrong(at+"/reason", string(x.Reason), "each reason once")
		}
		seen[x.Reason] = true
		if x.MaxDays < 0 || x.MaxDays > maxDays {
			return wrong(at+"/maxDays", strconv.Itoa(x.MaxDays), "0 to "+strconv.Itoa(maxDays))
		}
		if x.Reason == NotAffected && x.MaxDays != 0 {
			return wrong(at+"/maxDays", strconv.Itoa(x.MaxDays), "none: a VEX status has no end")
		}
		if x.Reason == RiskAccepted && x.MaxDays == 0 {
			return wrong(at+"/maxDays", "", "the longest time for which a risk may be accepted")
		}
	}
	if r := p.Rebuild; r != nil {
		if r.WithinHours < 1 || r.WithinHours > 24*maxDays {
			return wrong("/rebuild/withinHours", strconv.Itoa(r.WithinHours), "1 to "+strconv.Itoa(24*maxDays))
		}
		if r.OverDays < 0 || r.OverDays > maxDays {
			return wrong("/rebuild/overDays", strconv.Itoa(r.OverDays), "0 to "+strconv.Itoa(maxDays))
		}
	}
	_, e := p.Calendar.open()
	return e
}

func (p *Profile) checkLimits() *assay.Error {
	if d := p.Due; d != nil {
		if d.Catalogue == "" {
			return wrong("/due/catalogue", "", "the name of a catalogue")
		}
		if d.Only {
			if len(p.Limits) > 0 {
				return wrong("/limits", "", "no limits beside due dates only")
			}
			return nil
		}
	}
	for _, r := range [...]assay.Rating{assay.RatingCritical, assay.RatingHigh, assay.RatingMedium, assay.RatingLow} {
		if _, ok := p.Limits[r]; !ok {
			return wrong("/limits/"+string(r), "", "a limit for each rating")
		}
	}
	for _, r := range slices.Sorted(mapKeys(p.Limits)) {
		if e := oneOf("/limits", r, assay.RatingCritical, assay.RatingHigh, assay.RatingMedium, assay.RatingLow, assay.RatingNone); e != nil {
			return e
		}
		l := p.Limits[r]
		n := 0
		for _, set := range [...]bool{l.Days != 0, l.WorkingDays != 0, l.Unlimited} {
			if set {
				n++
			}
		}
		if n != 1 || l.Days < 0 || l.WorkingDays < 0 || l.Days > maxDays || l.WorkingDays > maxDays {
			text, _ := json.Marshal(l)
			return wrong("/limits/"+string(r), string(text), "one of days, workingDays (1 to "+strconv.Itoa(maxDays)+") and unlimited")
		}
	}
	return nil
}

func wrong(field, value, bound string) *assay.Error {
	return &assay.Error{Op: "check remediation profile", Kind: assay.ErrInvalid, Field: field, Value: value, Bound: bound}
}

func oneOf[T ~string](field string, v T, words ...T) *assay.Error {
	if slices.Contains(words, v) {
		return nil
	}
	return wrong(field, string(v), "one of "+list(words))
}

// distinct wants at least one of the words, each once.
func distinct[T ~string](field string, vs []T, words ...T) *assay.Error {
	if len(vs) == 0 {
		return wrong(field, "", "at least one of "+list(words))
	}
	for i, v := range vs {
		if e := oneOf(field+"/"+strconv.Itoa(i), v, words...); e != nil {
			return e
		}
		if slices.Contains(vs[:i], v) {
			return wrong(field+"/"+strconv.Itoa(i), string(v), "each once")
		}
	}
	return nil
}

func list[T ~string](words []T) string {
	var out []string
	for _, w := range words {
		if w != "" {
			out = append(out, string(w))
		}
	}
	return strings.Join(out, ", ")
}
