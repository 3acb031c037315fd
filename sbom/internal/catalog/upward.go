package catalog

import "strings"

// upward finds what is nearest to a folder, in it or above it. It remembers what it
// found: paths can be made to have hundreds of long parts, and an image a million of them.
type upward[T any] struct {
	// at gives what is in a folder. Above a folder that it says is the last nothing is
	// looked for.
	at   func(dir string) (found T, ok, last bool)
	memo map[string]T
}

// find looks from a folder up to the root, which is ".".
func (u *upward[T]) find(dir string) T {
	if u.memo == nil {
		u.memo = map[string]T{}
	}
	var out T
	var passed []string
	for {
		known, seen := u.memo[dir]
		if seen {
			out = known
			break
		}
		passed = append(passed, dir)
		found, ok, last := u.at(dir)
		if ok {
			out = found
		}
		if ok || last || dir == "." {
			break
		}
		dir = above(dir)
	}
	for _, p := range passed {
		u.memo[p] = out
	}
	return out
}

// forget is for when what is in folders changes.
func (u *upward[T]) forget() { u.memo = nil }

// above is [path.Dir] of a clean path that is not absolute.
func above(p string) string {
	if i := strings.LastIndexByte(p, '/'); i >= 0 {
		return p[:i]
	}
	return "."
}
