// Package rpmtest builds rpm databases in code, for tests: headers, and each of the
// three formats that keep them, with SQLite's write-ahead log.
//
// Start with [Package]. The same arguments give the same bytes.
package rpmtest

import (
	"cmp"
	"crypto/md5"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"path"
	"slices"
	"strconv"
	"strings"
)

// Package is a package to make a header of. Empty fields but for Version, Release
// and Arch are left out.
type Package struct {
	Name string
	// Version is "1", Release "1" and Arch "x86_64" if empty.
	Version, Release, Arch string
	Epoch                  string
	SourceRPM, License     string
	Vendor, Summary        string
	Modularity             string
	// Provides and Requires are "name", or "name flags version" with the flags in
	// decimal.
	Provides, Requires []string
	// Files are absolute paths; one with "!" in front is recorded as not installed.
	Files []string
}

type tag struct {
	tag, typ, count int
	data            []byte
}

// Header gives the header as a database has it: a region with its digest behind it.
func (p Package) Header() []byte {
	text := func(t int, s string) tag { return tag{t, 6, 1, []byte(s + "\x00")} }
	array := func(t int, s []string) tag {
		return tag{t, 8, len(s), []byte(strings.Join(s, "\x00") + "\x00")}
	}
	numbers := func(t int, n []uint32) tag {
		var b []byte
		for _, v := range n {
			b = binary.BigEndian.AppendUint32(b, v)
		}
		return tag{t, 4, len(n), b}
	}
	tags := []tag{text(1000, p.Name), text(1001, cmp.Or(p.Version, "1")), text(1002, cmp.Or(p.Release, "1")), text(1022, cmp.Or(p.Arch, "x86_64"))}
	if p.Epoch != "" {
		n, err := strconv.ParseUint(p.Epoch, 10, 32)
		if err != nil {
			panic(err)
		}
		tags = append(tags, numbers(1003, []uint32{uint32(n)}))
	}
	for t, s := range map[int]string{1044: p.SourceRPM, 1014: p.License, 1011: p.Vendor, 5096: p.Modularity} {
		if s != "" {
			tags = append(tags, text(t, s))
		}
	}
	if p.Summary != "" {
		tags = append(tags, tag{1004, 9, 2, []byte(p.Summary + "\x00in another language\x00")}, array(100, []string{"C", "de"}))
	}
	depends := func(list []string, name, flags, version int) {
		if len(list) == 0 {
			return
		}
		var names, versions []string
		var f []uint32
		for _, d := range list {
			// Boolean dependencies have blanks and no version of their own.
			n, v, sense := d, "", uint64(0)
			if w := strings.Fields(d); len(w) == 3 && d[0] != '(' {
				n, v = w[0], w[2]
				var err error
				if sense, err = strconv.ParseUint(w[1], 10, 32); err != nil {
					panic(err)
				}
			}
			names, versions, f = append(names, n), append(versions, v), append(f, uint32(sense))
		}
		tags = append(tags, array(name, names), numbers(flags, f), array(version, versions))
	}
	depends(p.Provides, 1047, 1112, 1113)
	depends(p.Requires, 1049, 1048, 1050)
	var states []byte
	if len(p.Files) > 0 {
		var bases, dirs []string
		var index []uint32
		for _, f := range p.Files {
			f, skipped := strings.CutPrefix(f, "!")
			state := byte(0)
			if skipped {
				state = 2
			}
			states = append(states, state)
			dir := strings.TrimSuffix(path.Dir(f), "/") + "/"
			i := slices.Index(dirs, dir)
			if i < 0 {
				i = len(dirs)
				dirs = append(dirs, dir)
			}
			bases, index = append(bases, path.Base(f)), append(index, uint32(i))
		}
		tags = append(tags, array(1117, bases), array(1118, dirs), numbers(1116, index))
	}
	slices.SortFunc(tags, func(a, b tag) int { return cmp.Compare(a.tag, b.tag) })

	region, data := encode(tags, nil)
	// The region ends with a copy of its own entry.
	end := len(data)
	il := len(tags) + 1
	data = append(data, entry(63, 7, -int32(16*il), 16)...)
	index := append(entry(63, 7, int32(end), 16), region...)
	whole := func(index, data []byte) []byte {
		b := binary.BigEndian.AppendUint32(nil, uint32(len(index)/16))
		b = binary.BigEndian.AppendUint32(b, uint32(len(data)))
		return append(append(b, index...), data...)
	}
	signed := whole(index, data)
	sum := sha256.Sum256(append([]byte("\x8e\xad\xe8\x01\x00\x00\x00\x00"), signed...))
	weak := md5.Sum(signed)
	late := []tag{{261, 7, 16, weak[:]}, text(273, hex.EncodeToString(sum[:]))}
	if len(states) > 0 {
		late = append(late, tag{1029, 1, len(states), states})
	}
	more, data := encode(late, data)
	return whole(append(index, more...), data)
}

func encode(tags []tag, data []byte) (index, all []byte) {
	for _, t := range tags {
		for t.typ == 4 && len(data)%4 != 0 {
			data = append(data, 0)
		}
		index = append(index, entry(t.tag, t.typ, int32(len(data)), t.count)...)
		data = append(data, t.data...)
	}
	return index, data
}

func entry(tag, typ int, at int32, count int) []byte {
	b := binary.BigEndian.AppendUint32(nil, uint32(tag))
	b = binary.BigEndian.AppendUint32(b, uint32(typ))
	b = binary.BigEndian.AppendUint32(b, uint32(at))
	return binary.BigEndian.AppendUint32(b, uint32(count))
}

// Headers gives the headers of packages.
func Headers(packages ...Package) [][]byte {
	var out [][]byte
	for _, p := range packages {
		out = append(out, p.Header())
	}
	return out
}
