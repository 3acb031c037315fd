package posture

import (
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/sbom"
)

// defaultPATH is what runtimes set where the configuration does not.
const defaultPATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// executionPath answers whether the default user could make the container execute
// something else at its next start.
func executionPath(im *image, found *finding) answer {
	switch {
	case im.config == nil:
		return noConfig()
	case !im.user.known:
		return answer{assay.Unknown, "the user is not known: " + im.user.reason}
	case im.user.uid == 0:
		found.add(configField("User"))
		return answer{assay.Refuted, "the user is root, who can write everything"}
	}
	command := slices.Concat(im.config.Entrypoint, im.config.Cmd)
	if len(command) == 0 || command[0] == "" {
		return answer{assay.Unknown, "no command is set"}
	}
	x := execution{im: im}
	search := strings.Split(im.env("PATH", defaultPATH), ":")
	program, err := x.program(command[0], search)
	if err != nil {
		return answer{assay.Unknown, "the command cannot be followed: " + err.Error()}
	}
	x.files(program)
	for _, arg := range command[1:] {
		// "node server.js": what is executed is among the arguments.
		if seen, err := im.walk(x.absolute(arg)); err == nil && arg != "" && last(seen).Mode.IsRegular() {
			x.files(seen)
		}
	}
	x.loaders()
	x.folders("PATH", search)
	if libs := im.env("LD_LIBRARY_PATH", ""); libs != "" {
		x.folders("LD_LIBRARY_PATH", strings.Split(libs, ":"))
	}
	if len(x.writable) == 0 {
		return answer{assay.Proven, fmt.Sprintf("uid %d can write nothing that %s executes", im.user.uid, last(program).Path)}
	}
	found.addAll(x.writable)
	return answer{assay.Refuted, fmt.Sprintf("files, folders or variables on the way of what is executed that uid %d can write: %d", im.user.uid, found.total)}
}

// env gives a variable of the configuration.
func (im *image) env(name, otherwise string) string {
	for _, kv := range slices.Backward(im.config.Env) {
		if k, v, ok := strings.Cut(kv, "="); ok && k == name {
			return v
		}
	}
	return otherwise
}

// execution collects what the user can write.
type execution struct {
	im       *image
	writable []assay.Location
}

func (x *execution) absolute(p string) string {
	if strings.HasPrefix(p, "/") {
		return p
	}
	return path.Join("/", x.im.config.WorkingDir) + "/" + p
}

// program finds the executable as execvp does.
func (x *execution) program(name string, search []string) ([]sbom.File, error) {
	if strings.Contains(name, "/") {
		seen, err := x.im.walk(x.absolute(name))
		if err == nil && !last(seen).Executable() {
			err = &assay.Error{Op: "find command", Kind: assay.ErrInvalid, Subject: name, Bound: "an executable file"}
		}
		return seen, err
	}
	for _, dir := range search {
		seen, err := x.im.walk(x.absolute(path.Join(dir, name)))
		if err == nil && last(seen).Executable() {
			return seen, nil
		}
	}
	return nil, &assay.Error{Op: "find command", Kind: assay.ErrAbsent, Subject: name, Bound: "an executable in PATH"}
}

// can reports whether the user can write a file. Its owner can, by changing the mode.
func (x *execution) can(f sbom.File) bool {
	u := x.im.user
	return f.UID == u.uid || f.Mode&0o002 != 0 || f.Mode&0o020 != 0 && slices.Contains(u.groups, f.GID)
}

// files judges a file with the folders on the way to it. A sticky folder keeps others'
// files from being replaced.
func (x *execution) files(seen []sbom.File) {
	for _, f := range seen {
		if f.Mode.IsDir() && f.Mode&fs.ModeSticky != 0 && f.UID != x.im.user.uid {
			continue
		}
		if x.can(f) {
			x.writable = append(x.writable, f.Location())
		}
	}
}

// folders judges those that are searched: who can put a file into one, or make one
// that does not exist yet, decides what is found. An empty or relative one is
// searched from wherever the process is.
func (x *execution) folders(variable string, list []string) {
	for _, dir := range list {
		if !strings.HasPrefix(dir, "/") {
			x.writable = append(x.writable, configField("Env/"+variable))
			continue
		}
		seen, _ := x.im.walk(dir)
		x.files(seen)
		if last(seen).Mode.IsDir() && x.can(last(seen)) {
			x.writable = append(x.writable, last(seen).Location())
		}
	}
}

// loaders judges the dynamic loaders and what configures them: which loader an
// executable names is in its content, so all of them count.
func (x *execution) loaders() {
	for _, p := range x.im.loaders {
		if seen, err := x.im.walk(p); err == nil {
			x.files(seen)
		}
	}
}

// isLoader reports names such as ld-linux-x86-64.so.2, ld-musl-x86_64.so.1, ld.so.1,
// and etc/ld.so.preload.
func isLoader(base string) bool {
	for _, prefix := range [...]string{"ld-linux", "ld-musl-", "ld.so", "ld64.so", "ld-uClibc"} {
		if strings.HasPrefix(base, prefix) {
			return true
		}
	}
	return false
}

// last is the end of a walk.
func last(seen []sbom.File) sbom.File {
	if len(seen) == 0 {
		return sbom.File{}
	}
	return seen[len(seen)-1]
}
