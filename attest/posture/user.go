package posture

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/assaykit/assay"
)

// user is the default user, as a runtime would resolve it.
type user struct {
	answer // proven: uid is known and not 0
	// known tells that uid, gid and groups are known.
	known    bool
	uid, gid int
	groups   []int // with gid
}

// refutedUser and unknownUser are users that are not known.
func refutedUser(format string, args ...any) user {
	return user{answer: answer{assay.Refuted, fmt.Sprintf(format, args...)}}
}

func unknownUser(err error) user {
	return user{answer: answer{assay.Unknown, err.Error()}}
}

// resolveUser finds out who the User of a configuration is (OCI image-spec v1.1,
// config.md: "user", "uid", "user:group", "uid:gid" and mixtures), by the rules of
// runc's and moby's user packages: the first line that fits counts, and a number that
// cannot be read is 0, which is root.
func resolveUser(spec string, read func(string) ([]byte, error)) user {
	if spec == "" {
		return user{answer: answer{assay.Refuted, "no user is set, which is root"}, known: true, groups: []int{0}}
	}
	name, group, hasGroup := strings.Cut(spec, ":")
	passwd, err := lines("etc/passwd", read)
	if err != nil {
		return unknownUser(err)
	}
	groups, err := lines("etc/group", read)
	if err != nil {
		return unknownUser(err)
	}
	u := user{known: true}
	number, numeric := id(name)
	if !numeric && !validName(name) {
		return refutedUser("user %q is neither a name nor a number that runtimes take", name)
	}
	entry := slices.IndexFunc(passwd, func(f []string) bool { return f[0] == name })
	switch {
	case entry >= 0:
		u.uid, u.gid = number0(passwd[entry], 2), number0(passwd[entry], 3)
		if numeric && u.uid != number {
			return refutedUser("user %s is a name of uid %d in etc/passwd, and runtimes differ in which they take", name, u.uid)
		}
	case numeric:
		u.uid = number
		if i := slices.IndexFunc(passwd, func(f []string) bool { return number0(f, 2) == number }); i >= 0 {
			name, u.gid = passwd[i][0], number0(passwd[i], 3)
		}
	default:
		return refutedUser("user %q is not in etc/passwd", name)
	}
	if hasGroup && group != "" {
		number, numeric := id(group)
		i := slices.IndexFunc(groups, func(f []string) bool { return f[0] == group })
		switch {
		case i >= 0:
			u.gid = number0(groups[i], 2)
		case numeric:
			u.gid = number
		default:
			return refutedUser("group %q is not in etc/group", group)
		}
	}
	u.groups = []int{u.gid}
	for _, g := range groups {
		if len(g) > 3 && slices.Contains(strings.Split(g[3], ","), name) {
			u.groups = append(u.groups, number0(g, 2))
		}
	}
	if u.uid == 0 {
		u.answer = answer{assay.Refuted, fmt.Sprintf("user %q is uid 0, which is root", spec)}
	} else {
		u.answer = answer{assay.Proven, fmt.Sprintf("user %q is uid %d, gid %d", spec, u.uid, u.gid)}
	}
	return u
}

// lines gives the fields of each line; a file that is not there has none.
func lines(file string, read func(string) ([]byte, error)) ([][]string, error) {
	data, err := read(file)
	if absent(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var out [][]string
	for line := range strings.Lines(string(data)) {
		if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
			out = append(out, strings.Split(line, ":"))
		}
	}
	return out, nil
}

// id reads a user or group number as runtimes do; not those that no runtime takes.
func id(s string) (int, bool) {
	n, err := strconv.Atoi(s)
	return n, err == nil && n >= 0 && n <= math.MaxInt32
}

func number0(fields []string, i int) int {
	if i >= len(fields) {
		return 0
	}
	n, _ := strconv.Atoi(fields[i])
	return n
}

// validName refuses numbers out of range, which would otherwise be looked for as
// names.
func validName(s string) bool { return s != "" && strings.Trim(s, "+-0123456789") != "" }

func nonRootUser(im *image, found *finding) answer {
	if im.config == nil {
		return noConfig()
	}
	if im.user.state == assay.Refuted {
		found.add(configField("User"))
	}
	return im.user.answer
}

func numericUser(im *image, found *finding) answer {
	if im.config == nil {
		return noConfig()
	}
	name, _, _ := strings.Cut(im.config.User, ":")
	if name != "" && strings.Trim(name, "0123456789") == "" {
		return answer{assay.Proven, fmt.Sprintf("user %q is a number", im.config.User)}
	}
	found.add(configField("User"))
	if name == "" {
		return answer{assay.Refuted, "no user is set"}
	}
	return answer{assay.Refuted, fmt.Sprintf("user %q is a name, and Kubernetes refuses to check those", im.config.User)}
}

func noConfig() answer { return answer{assay.Unknown, "there is no image configuration"} }

// configField is the location of a field of the image configuration. No file of an
// image has a path that starts so: paths are relative, and "#" needs no escape.
func configField(name string) assay.Location { return assay.Location{Path: ConfigPrefix + name} }

// ConfigPrefix starts the paths of findings that are fields of the image
// configuration, such as "#/config/User" or "#/config/Env/TOKEN".
const ConfigPrefix = "#/config/"
