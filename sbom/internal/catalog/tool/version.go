package tool

import "bytes"

const (
	// maxVersionText is how much of a text that begins as a version is looked at, and
	// maxVersionTexts how many of a file: programs have some hundred of them, which
	// mostly are those of symbols, and no regular expression is to sweep more than that
	// of a hostile file.
	maxVersionText  = 128
	maxVersionTexts = 4096
)

// versions are the texts of a file that begin as versions do.
type versions struct {
	all  [][]byte
	full bool // there are more
}

func (v *versions) add(text []byte) {
	if len(v.all) == maxVersionTexts {
		v.full = true
		return
	}
	v.all = append(v.all, bytes.Clone(text))
}

// maxMajor is how many digits the first number of a version has.
const maxMajor = 4

// findVersions calls found for each text that begins as a version whose first point is
// at from or after it and before to: with what goes before it, a zero, "v" after a
// zero, or the name of a program in its identification, and with the zero that ends it,
// if that is near. A build id counts whatever is before it.
func findVersions(buf []byte, from, to int, found func(from, to int)) {
	for at := from; ; at++ {
		i := bytes.IndexByte(buf[at:to], '.')
		if i < 0 {
			return
		}
		at += i
		if at+1 >= len(buf) || !digit(buf[at+1]) {
			continue
		}
		start := at
		for start > 0 && at-start < maxMajor && digit(buf[start-1]) {
			start--
		}
		if start == at || start == 0 {
			continue
		}
		switch before := buf[:start]; {
		case before[start-1] == 0:
			start--
		case before[start-1] == 'v' && start > 1 && before[start-2] == 0:
			start -= 2
		case bytes.HasSuffix(before, []byte("curl ")):
			start -= len("curl ")
		case bytes.HasSuffix(before, []byte("git/")):
			start -= len("git/")
		case buildID(buf[start:min(len(buf), at+maxVersionText)]):
			// It may stand behind numbers, which no zero ends.
		default:
			continue
		}
		end := min(len(buf), at+maxVersionText)
		if zero := bytes.IndexByte(buf[at:end], 0); zero >= 0 {
			end = at + zero + 1
		}
		found(start, end)
	}
}

// buildID reports whether the text up to the next zero ends as the build id of Redis
// does: with a number of nine digits and more, and the eight of a commit.
func buildID(b []byte) bool {
	zero := bytes.IndexByte(b, 0)
	if zero < len("1.1.1")+17 {
		return false
	}
	for i, c := range b[zero-17 : zero] {
		if !digit(c) && (i < 9 || (c|0x20)-'a' >= 26 && c != '_') {
			return false
		}
	}
	return true
}

func digit(c byte) bool { return c-'0' < 10 }
