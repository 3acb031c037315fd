package triage

import (
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/strictjson"
)

// maxGovulncheck bounds a stream. One of a program with all vulnerabilities that are
// known in Go, each with a hundred traces, has less.
const maxGovulncheck = 512 << 20

// Level is how far govulncheck looked, or how far a vulnerability was found.
type Level string

const (
	ModuleLevel  Level = "module"
	PackageLevel Level = "package"
	SymbolLevel  Level = "symbol"
)

// Govulncheck is a run of govulncheck on one program, read from its JSON.
type Govulncheck struct {
	Scanner assay.Scanner
	// Level is how far it looked; Mode is "source" or "binary".
	Level Level
	Mode  string
	// GoVersion is that of the standard library that was looked at, as it is written.
	GoVersion string
	// Roots are the packages that were scanned.
	Roots []string
	// Calls are what it found, one for each vulnerability and module, sorted.
	Calls []Call
}

// Call is a vulnerability of a module that the program has at an affected version.
type Call struct {
	Vulnerability assay.Vulnerability
	Published     time.Time
	// Module is its package URL, "pkg:golang/stdlib@1.26.3" for the standard library.
	Module assay.PURL
	// Fixed is the version that fixes it; empty if there is none.
	Fixed string
	// Level is the closest that the program comes to it.
	Level Level
	// Symbols are those that it calls or contains, sorted; of SymbolLevel only.
	Symbols []string
}

// ReadGovulncheck reads the output of "govulncheck -format json", protocol version 1: a
// stream of objects, each with one of config, progress, SBOM, osv and finding, the config
// first and once. Anything else is an error, as are findings without trace or module, or of a
// vulnerability that the stream does not describe. Members of these that are not
// known are ignored. The stream has no end mark: one that was cut between two messages
// reads as one that found less, so check the exit code of what wrote it.
//
// A run without level, or with the mode query or extract, is refused: it has not looked
// at a program.
func ReadGovulncheck(name string, r io.Reader) (*Govulncheck, error) {
	g := &govulncheckReader{name: name, osvs: map[string]*govulncheckOSV{}, calls: map[callKey]*Call{}}
	if e := g.read(r); e != nil {
		if e.Op == "" {
			e.Op = "read govulncheck's JSON"
		}
		e.Subject = name
		return nil, e
	}
	return &g.out, nil
}

type govulncheckMessage struct {
	Config   *govulncheckConfig  `json:"config,omitempty"`
	Progress *struct{}           `json:"progress,omitempty"`
	SBOM     *govulncheckSBOM    `json:"SBOM,omitempty"`
	OSV      *govulncheckOSV     `json:"osv,omitempty"`
	Finding  *govulncheckFinding `json:"finding,omitempty"`
}

type govulncheckConfig struct {
	ProtocolVersion string    `json:"protocol_version"`
	ScannerName     string    `json:"scanner_name"`
	ScannerVersion  string    `json:"scanner_version"`
	DB              string    `json:"db"`
	DBLastModified  time.Time `json:"db_last_modified"`
	GoVersion       string    `json:"go_version"`
	ScanLevel       Level     `json:"scan_level"`
	ScanMode        string    `json:"scan_mode"`
}

type govulncheckSBOM struct {
	GoVersion string   `json:"go_version"`
	Roots     []string `json:"roots"`
}

type govulncheckOSV struct {
	ID        string    `json:"id"`
	Aliases   []string  `json:"aliases"`
	Summary   string    `json:"summary"`
	Published time.Time `json:"published"`
	Withdrawn time.Time `json:"withdrawn"`
}

type govulncheckFinding struct {
	OSV          string             `json:"osv"`
	FixedVersion string             `json:"fixed_version"`
	Trace        []govulncheckFrame `json:"trace"`
}

type govulncheckFrame struct {
	Module   string `json:"module"`
	Version  string `json:"version"`
	Package  string `json:"package"`
	Function string `json:"function"`
	Receiver string `json:"receiver"`
}

type callKey struct {
	osv    string
	module assay.PURL
}

type govulncheckReader struct {
	name  string
	out   Govulncheck
	begun bool
	osvs  map[string]*govulncheckOSV
	calls map[callKey]*Call
}

func badGovulncheck(field, value, want string) *assay.Error {
	return &assay.Error{Kind: assay.ErrInvalid, Field: field, Value: value, Bound: want}
}

func (g *govulncheckReader) read(r io.Reader) *assay.Error {
	source := &failing{r: r}
	limited := &io.LimitedReader{R: source, N: maxGovulncheck + 1}
	dec := jsontext.NewDecoder(limited)
	for n := 0; ; n++ {
		at := "message " + strconv.Itoa(n)
		value, err := dec.ReadValue()
		if limited.N == 0 {
			return &assay.Error{Kind: assay.ErrBound, Field: at, Bound: strconv.Itoa(maxGovulncheck) + " bytes"}
		}
		if err == io.EOF {
			break
		}
		if source.err != nil {
			return &assay.Error{Kind: assay.ErrUnchecked, Field: at, Err: source.err}
		}
		if err != nil {
			return &assay.Error{Kind: assay.ErrInvalid, Field: at, Err: err}
		}
		if e := g.message(at, value); e != nil {
			return e
		}
	}
	if !g.begun {
		return badGovulncheck("message 0", "", "the configuration")
	}
	return g.finish()
}

// failing keeps the error of a reader apart from those of what it reads.
type failing struct {
	r   io.Reader
	err error
}

func (f *failing) Read(b []byte) (int, error) {
	n, err := f.r.Read(b)
	if err != nil && err != io.EOF {
		f.err = err
	}
	return n, err
}

func (g *govulncheckReader) message(at string, value jsontext.Value) *assay.Error {
	var m map[string]jsontext.Value
	if e := strictly(at, value, &m); e != nil {
		return e
	}
	if len(m) != 1 {
		return badGovulncheck(at, strconv.Itoa(len(m))+" members", "exactly one of config, progress, SBOM, osv and finding")
	}
	var w govulncheckMessage
	if e := strictly(at, value, &w); e != nil {
		return e
	}
	switch {
	case w.Config != nil && g.begun:
		return badGovulncheck(at+"/config", "", "one configuration")
	case w.Config != nil:
		g.begun = true
		return g.config(at+"/config", w.Config)
	case !g.begun:
		return badGovulncheck(at, "", "the configuration first")
	case w.Progress != nil:
		return nil
	case w.SBOM != nil:
		g.out.GoVersion, g.out.Roots = w.SBOM.GoVersion, slices.Sorted(slices.Values(w.SBOM.Roots))
		return nil
	case w.OSV != nil:
		if w.OSV.ID == "" {
			return badGovulncheck(at+"/osv/id", "", "an identifier")
		}
		g.osvs[w.OSV.ID] = w.OSV
		return nil
	case w.Finding != nil:
		return g.finding(at+"/finding", w.Finding)
	}
	for k := range m {
		return badGovulncheck(at, k, "exactly one of config, progress, SBOM, osv and finding, and not null")
	}
	return nil
}

// strictly decodes a message; what it has besides is ignored.
func strictly(at string, value jsontext.Value, v any) *assay.Error {
	err := strictjson.Unmarshal(at, value, v, strictjson.Limits{})
	if err == nil {
		return nil
	}
	e := &assay.Error{Kind: assay.ErrInvalid, Field: at}
	if inner, ok := errors.AsType[*assay.Error](err); ok {
		*e = *inner
		e.Field = at + inner.Field
	} else {
		e.Err = err
	}
	return e
}

func (g *govulncheckReader) config(at string, c *govulncheckConfig) *assay.Error {
	if c.ProtocolVersion != "v1" && !strings.HasPrefix(c.ProtocolVersion, "v1.") {
		return badGovulncheck(at+"/protocol_version", c.ProtocolVersion, "v1")
	}
	switch c.ScanLevel {
	case ModuleLevel, PackageLevel, SymbolLevel:
	default:
		return badGovulncheck(at+"/scan_level", string(c.ScanLevel), "module, package or symbol")
	}
	if c.ScanMode != "source" && c.ScanMode != "binary" {
		return badGovulncheck(at+"/scan_mode", c.ScanMode, "source or binary")
	}
	g.out.Level, g.out.Mode, g.out.GoVersion = c.ScanLevel, c.ScanMode, c.GoVersion
	g.out.Scanner = assay.Scanner{
		URI: "https://pkg.go.dev/golang.org/x/vuln/cmd/govulncheck", Version: c.ScannerVersion, DBURI: c.DB, DBUpdated: c.DBLastModified.UTC(),
	}
	if c.ScannerName != "" && c.ScannerName != "govulncheck" {
		g.out.Scanner.URI = c.ScannerName
	}
	if c.DBLastModified.IsZero() {
		g.out.Scanner.DBUpdated = time.Time{}
	}
	return nil
}

func (g *govulncheckReader) finding(at string, f *govulncheckFinding) *assay.Error {
	if len(f.Trace) == 0 {
		return badGovulncheck(at+"/trace", "", "at least one frame")
	}
	frame := f.Trace[0]
	if frame.Module == "" {
		return badGovulncheck(at+"/trace/0/module", "", "a module")
	}
	module, err := modulePURL(frame.Module, frame.Version)
	if err != nil {
		e := badGovulncheck(at+"/trace/0/module", frame.Module+"@"+frame.Version, "a module")
		e.Err = err
		return e
	}
	level, symbol := ModuleLevel, ""
	switch {
	case frame.Function != "":
		level, symbol = SymbolLevel, frame.Function
		if frame.Receiver != "" {
			symbol = strings.TrimPrefix(frame.Receiver, "*") + "." + frame.Function
		}
		if frame.Package != "" {
			symbol = frame.Package + "." + symbol
		}
	case frame.Package != "":
		level = PackageLevel
	}
	if reach(level) > reach(g.out.Level) {
		return badGovulncheck(at+"/trace/0", string(level), "no more than the level of the scan, "+string(g.out.Level))
	}
	k := callKey{f.OSV, module}
	c := g.calls[k]
	if c == nil {
		c = &Call{Module: module, Level: level}
		g.calls[k] = c
	}
	if reach(level) > reach(c.Level) {
		c.Level = level
	}
	if c.Fixed == "" {
		c.Fixed = f.FixedVersion
	}
	if symbol != "" && !slices.Contains(c.Symbols, symbol) {
		c.Symbols = append(c.Symbols, symbol)
	}
	return nil
}

func reach(l Level) int { return slices.Index([]Level{ModuleLevel, PackageLevel, SymbolLevel}, l) }

// modulePURL spells a module as SBOMs do: the standard library without "v" or "go".
func modulePURL(path, version string) (assay.PURL, error) {
	parts := assay.PURLParts{Type: "golang", Name: path, Version: version}
	if i := strings.LastIndexByte(path, '/'); i >= 0 {
		parts.Namespace, parts.Name = path[:i], path[i+1:]
	}
	if path == "stdlib" || path == "toolchain" {
		parts.Version = strings.TrimPrefix(strings.TrimPrefix(version, "go"), "v")
	}
	return assay.NewPURL(parts)
}

// finish names the vulnerabilities, which the stream may tell after the findings.
func (g *govulncheckReader) finish() *assay.Error {
	for k, c := range g.calls {
		o := g.osvs[k.osv]
		if o == nil {
			return badGovulncheck("finding/osv", k.osv, "a vulnerability that the stream describes")
		}
		id, err := assay.ParseVulnID(o.ID)
		if err != nil {
			e := badGovulncheck("osv/id", o.ID, "an identifier")
			e.Err = err
			return e
		}
		c.Vulnerability = assay.Vulnerability{ID: id, Description: o.Summary, IRI: "https://pkg.go.dev/vuln/" + o.ID}
		if !strings.HasPrefix(o.ID, "GO-") {
			c.Vulnerability.IRI = ""
		}
		for _, a := range o.Aliases {
			alias, err := assay.ParseVulnID(a)
			if err != nil {
				e := badGovulncheck("osv/aliases", a, "an identifier")
				e.Err = err
				return e
			}
			c.Vulnerability.Aliases = append(c.Vulnerability.Aliases, alias)
		}
		slices.Sort(c.Vulnerability.Aliases)
		c.Vulnerability.Aliases = slices.Compact(c.Vulnerability.Aliases)
		// The database writes year 1 where it does not know.
		if o.Published.Year() > 1970 {
			c.Published = o.Published.UTC()
		}
		if o.Withdrawn.IsZero() {
			slices.Sort(c.Symbols)
			g.out.Calls = append(g.out.Calls, *c)
		}
	}
	slices.SortFunc(g.out.Calls, func(a, b Call) int {
		if a.Vulnerability.ID != b.Vulnerability.ID {
			return strings.Compare(string(a.Vulnerability.ID), string(b.Vulnerability.ID))
		}
		return a.Module.Compare(b.Module)
	})
	return nil
}

// Reach says whether the code of a vulnerability can be reached from the program, and
// with which justification it is not.
//
//   - A trace from the program's source to a vulnerable symbol is proof that it can.
//   - A symbol that a binary contains is not: nothing shows a way to it. Unknown.
//   - A scan at symbol level that finds the module only, or its package but no symbol,
//     refutes it, with vulnerable_code_not_present and
//     vulnerable_code_not_in_execute_path as govulncheck itself says it; one at package
//     level, that finds the module only, with the first.
//   - Anything else is unknown, and so is what the run did not find at all.
//
// The analysis is as complete as govulncheck's, which does not see calls by reflection
// and unsafe pointers, nor what assembly calls.
func (g *Govulncheck) Reach(v assay.Vulnerability, module assay.PURL) (assay.State, assay.Justification) {
	state, label, _ := g.reachIn(v, module)
	return state, label
}

// reachIn is Reach; contained says that the program has a vulnerable symbol, whether or
// not something reaches it.
func (g *Govulncheck) reachIn(v assay.Vulnerability, module assay.PURL) (state assay.State, label assay.Justification, contained bool) {
	first := true
	for _, c := range g.Calls {
		if !c.same(v) || !covers(c.Module, module) && !covers(module, c.Module) {
			continue
		}
		contained = contained || c.Level == SymbolLevel
		s, why := g.reach(c)
		switch {
		case s == assay.Proven:
			return s, "", true
		case first:
			state, label = s, why
		case s == assay.Unknown || state == assay.Unknown:
			state, label = assay.Unknown, "" // of several records the worst counts
		case why == assay.VulnerableCodeNotInExecutePath:
			label = why // holds for code that is not present as well
		}
		first = false
	}
	return state, label, contained
}

func (c *Call) same(v assay.Vulnerability) bool {
	return v.Is(c.Vulnerability.ID) || c.Vulnerability.Is(v.ID)
}

func (g *Govulncheck) reach(c Call) (assay.State, assay.Justification) {
	switch {
	case c.Level == SymbolLevel && g.Mode == "source":
		return assay.Proven, ""
	case c.Level == SymbolLevel || c.Level == g.Level:
		return assay.Unknown, ""
	case c.Level == PackageLevel:
		return assay.Refuted, assay.VulnerableCodeNotInExecutePath
	}
	return assay.Refuted, assay.VulnerableCodeNotPresent
}

// Scan gives the run as a scan of the program, each finding with its fix and its
// reachability.
func (g *Govulncheck) Scan() *assay.Scan {
	s := &assay.Scan{Scanner: g.Scanner, Findings: make([]assay.Finding, 0, len(g.Calls))}
	for _, c := range g.Calls {
		f := assay.Finding{Vulnerability: c.Vulnerability, PURL: c.Module, Published: c.Published}
		f.Vulnerability.Aliases = slices.Clone(c.Vulnerability.Aliases)
		f.Reachable, _ = g.reach(c)
		f.Fix.State = assay.FixNone
		if c.Fixed != "" {
			f.Fix = assay.Fix{Version: c.Fixed, State: assay.FixAvailable}
		}
		s.Findings = append(s.Findings, f)
	}
	slices.SortStableFunc(s.Findings, assay.Finding.Compare)
	return s
}
