package assay

import "strconv"

// State is the answer to one question about evidence. The zero value is Unknown.
type State int

const (
	// Unknown: it could not be checked, or nothing speaks to it. It never passes a
	// required check.
	Unknown State = iota
	// Proven: it was checked and holds.
	Proven
	// Refuted: it was checked and does not hold.
	Refuted
)

var stateNames = [...]string{Unknown: "unknown", Proven: "proven", Refuted: "refuted"}

func (s State) String() string { return name(stateNames[:], int(s)) }

// And gives the state of "both hold": refuted if either is, proven only if both are.
func (s State) And(o State) State {
	switch {
	case s == Refuted || o == Refuted:
		return Refuted
	case s == Proven && o == Proven:
		return Proven
	}
	return Unknown
}

// MarshalText implements [encoding.TextMarshaler]. A value that is not one of the
// three is an error.
func (s State) MarshalText() ([]byte, error) { return textName(stateNames[:], "state", s) }

// UnmarshalText implements [encoding.TextUnmarshaler].
func (s *State) UnmarshalText(b []byte) error { return parseName(stateNames[:], "state", b, s) }

// Stage is how far an image has come. Each stage includes those before it.
type Stage int

const (
	// None: not shown to be minimal.
	None Stage = iota
	// Minimal: contains only what the application needs.
	Minimal
	// Hardened: minimal, and runs with locked-down users, permissions and files.
	Hardened
	// Secure: hardened, built from verified source, signed, documented by SBOM and
	// VEX, scanned, and every vulnerability remediated inside its SLA.
	Secure
)

var stageNames = [...]string{None: "none", Minimal: "minimal", Hardened: "hardened", Secure: "secure"}

func (s Stage) String() string { return name(stageNames[:], int(s)) }

// MarshalText implements [encoding.TextMarshaler]. A value that is not one of the
// four is an error.
func (s Stage) MarshalText() ([]byte, error) { return textName(stageNames[:], "stage", s) }

// UnmarshalText implements [encoding.TextUnmarshaler].
func (s *Stage) UnmarshalText(b []byte) error { return parseName(stageNames[:], "stage", b, s) }

const invalidName = "invalid"

func name(names []string, i int) string {
	if i < 0 || i >= len(names) {
		return invalidName
	}
	return names[i]
}

func textName[T ~int](names []string, what string, v T) ([]byte, error) {
	if n := name(names, int(v)); n != invalidName {
		return []byte(n), nil
	}
	return nil, &Error{Op: "encode " + what, Kind: ErrInvalid, Value: strconv.Itoa(int(v)), Bound: "one of the named " + what + "s"}
}

func parseName[T ~int](names []string, what string, b []byte, v *T) error {
	for i, n := range names {
		if n == string(b) {
			*v = T(i)
			return nil
		}
	}
	return &Error{Op: "parse " + what, Kind: ErrInvalid, Value: string(b), Bound: "one of the named " + what + "s"}
}
