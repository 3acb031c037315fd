package posture

import (
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/assaykit/assay"
)

// named makes a rule of names of executables, wherever they are.
func named(im *image, e *entry, is func(string) bool) bool {
	if !e.Executable() && e.Mode&fs.ModeSymlink == 0 {
		return false
	}
	for _, name := range e.toolNames() {
		if is(name) {
			return im.executable(e)
		}
	}
	return false
}

// toolNames are what an executable is judged by: its name, and that of the file it is
// a hard link to; each as it is, without its version ("gcc-12", "pip3.11"), and
// without the platform it is for ("x86_64-linux-gnu-gcc").
func (e *entry) toolNames() []string {
	if len(e.names) > 0 {
		return e.names
	}
	add := func(name string) {
		e.names = append(e.names, name)
		if _, rest, ok := strings.Cut(name, "-linux-"); ok {
			if _, tool, ok := strings.Cut(rest, "-"); ok && tool != "" {
				name = tool
				e.names = append(e.names, name)
			}
		}
		bare := strings.TrimRight(name, "0123456789.")
		if bare = strings.TrimSuffix(bare, "-"); bare != "" && bare != name {
			e.names = append(e.names, bare)
		}
	}
	add(e.base)
	if e.HardLink != "" {
		add(path.Base(e.HardLink))
	}
	return e.names
}

func isShell(im *image, e *entry) bool { return named(im, e, shell) }

func shell(name string) bool {
	switch name {
	case "sh", "ash", "bash", "rbash", "bash-static", "static-sh", "csh", "dash", "elvish", "fish", "hush", "ksh", "ksh93", "lksh", "loksh", "mksh", "mksh-static",
		"msh", "nu", "oil", "osh", "posh", "pwsh", "rc", "sash", "tcsh", "xonsh", "yash", "ysh", "zsh", "zsh-static",
		"busybox", "busybox.static", "busybox-static", "busybox-extras", "toybox", "toybox-static":
		return true
	}
	return false
}

func isPackageManager(im *image, e *entry) bool {
	// A module of an interpreter needs no execute bit.
	if strings.HasSuffix(e.Path, "-packages/pip/__main__.py") || strings.HasSuffix(e.Path, "node_modules/npm/bin/npm-cli.js") {
		return e.Mode.IsRegular()
	}
	return named(im, e, packageManager)
}

func packageManager(name string) bool {
	switch name {
	case "apt", "apt-get", "aptitude", "dpkg", "apk", "apk.static", "rpm", "rpm-ostree", "dnf", "microdnf", "tdnf", "yum", "zypper", "pacman", "emerge", "xbps-install",
		"opkg", "ipkg", "swupd", "nix", "nix-env", "guix", "snap", "flatpak", "brew", "urpmi",
		"pip", "pipx", "easy_install", "poetry", "pdm", "uv", "conda", "mamba", "micromamba",
		"npm", "npx", "yarn", "yarnpkg", "pnpm", "corepack", "gem", "bundle", "bundler", "composer", "cpan", "cpanm", "luarocks", "opam", "stack", "cabal", "mvn", "gradle":
		return true
	}
	return false
}

func isCompiler(im *image, e *entry) bool { return named(im, e, compiler) }

func compiler(name string) bool {
	switch name {
	case "cc", "c++", "c89", "c99", "cpp", "gcc", "g++", "cc1", "cc1plus", "collect2", "lto1", "clang", "clang++", "tcc", "gfortran", "gnat", "gccgo", "gdc", "dmd", "ldc2",
		"as", "ld", "ld.bfd", "ld.gold", "ld.lld", "lld", "mold", "ar", "ranlib", "nasm", "yasm",
		"make", "gmake", "cmake", "ninja", "meson", "autoconf", "automake", "libtool", "bazel", "scons",
		"go", "rustc", "cargo", "javac", "ghc", "ocamlopt", "fpc", "nim", "zig", "swiftc", "kotlinc", "scalac", "nvcc", "tsc", "mcs", "csc", "valac":
		return true
	}
	return false
}

func isDebugTool(im *image, e *entry) bool { return named(im, e, debugTool) }

func debugTool(name string) bool {
	switch name {
	case "gdb", "gdbserver", "gdb-multiarch", "lldb", "lldb-server", "dlv", "strace", "ltrace", "bpftrace", "bpftool", "perf", "valgrind", "uftrace", "systemtap", "stap",
		"objdump", "readelf", "nm", "lsof", "fuser", "gcore", "pstack", "eu-readelf", "eu-stack", "crash", "nsenter", "jdb", "jstack", "jmap":
		return true
	}
	return false
}

// isNetworkTool leaves out the workers of apt, which are named after protocols and
// speak to apt only.
func isNetworkTool(im *image, e *entry) bool {
	return !under(e.Path, "usr/lib/apt/methods") && named(im, e, networkTool)
}

func networkTool(name string) bool {
	switch name {
	case "curl", "wget", "wget2", "aria2c", "xh", "nc", "ncat", "netcat", "nc.openbsd", "nc.traditional", "socat", "telnet", "telnetd", "in.telnetd",
		"ssh", "sshd", "scp", "sftp", "dropbear", "dbclient", "rsh", "rlogin", "rexec", "rsync", "ftp", "lftp", "tftp", "ftpd", "vsftpd",
		"tcpdump", "tshark", "dumpcap", "ngrep", "nmap", "masscan", "hping3", "ettercap", "mtr", "traceroute", "tracepath", "ping", "ping6", "arping", "iperf", "iperf3",
		"dig", "host", "nslookup", "whois", "ip", "ifconfig", "route", "arp", "ss", "netstat", "iptables", "nft", "tc", "git", "svn", "hg":
		return true
	}
	return false
}

func isDoc(_ *image, e *entry) bool {
	if !e.Mode.IsRegular() {
		return false
	}
	for _, folder := range [...]string{
		"usr/share/doc", "usr/share/man", "usr/share/info", "usr/share/gtk-doc", "usr/share/help",
		"usr/local/share/doc", "usr/local/share/man", "usr/local/share/info", "usr/local/man", "usr/local/doc", "usr/man", "usr/doc", "usr/info",
	} {
		if under(e.Path, folder) {
			return !isLicense(e.base)
		}
	}
	return false
}

// isLicense reports texts that have to go with the software.
func isLicense(base string) bool {
	base = strings.ToLower(base)
	for _, prefix := range [...]string{"copyright", "copying", "license", "licence", "unlicense", "unlicence", "notice", "legal", "patents", "authors"} {
		if strings.HasPrefix(base, prefix) {
			return true
		}
	}
	return false
}

// isCache leaves out empty files: package managers keep locks where their caches were.
func isCache(_ *image, e *entry) bool {
	if !e.Mode.IsRegular() || e.Size == 0 {
		return false
	}
	for _, folder := range [...]string{
		"var/cache/apt", "var/lib/apt/lists", "var/cache/apk", "etc/apk/cache", "var/cache/dnf", "var/cache/libdnf5", "var/cache/yum", "var/cache/zypp",
		"var/cache/pacman", "var/cache/man", "var/cache/fontconfig",
	} {
		if under(e.Path, folder) {
			return true
		}
	}
	for part := range strings.SplitSeq(path.Dir(e.Path), "/") {
		switch part {
		case ".cache", "_cacache", ".npm", ".pnpm-store", ".ccache", ".bundle-cache":
			return true
		}
	}
	dir := "/" + path.Dir(e.Path) + "/"
	for _, folder := range [...]string{"/.cargo/registry/", "/.gradle/caches/", "/.m2/repository/", "/go/pkg/mod/cache/", "/.yarn/cache/", "/.yarn/berry/cache/"} {
		if strings.Contains(dir, folder) {
			return true
		}
	}
	return false
}

// isVCS names the folder, not what is in it. A .git file leads to a worktree or
// submodule.
func isVCS(_ *image, e *entry) bool {
	switch e.base {
	case ".git", ".svn", ".hg", ".bzr", "_darcs":
		return true
	case "CVS":
		return e.Mode.IsDir()
	}
	return false
}

func isSetuid(_ *image, e *entry) bool {
	return e.Mode.IsRegular() && e.Mode&(fs.ModeSetuid|fs.ModeSetgid) != 0
}

// hasCapabilities counts an attribute that cannot be read: another kernel may.
func hasCapabilities(_ *image, e *entry) bool {
	if e.RawCapabilities == "" {
		return false
	}
	c, err := e.Capabilities()
	return err != nil || !c.IsZero()
}

func isWorldWritable(im *image, e *entry) bool {
	if e.Mode&0o002 == 0 || e.Mode&fs.ModeSymlink != 0 || e.Mode.IsDir() && e.Mode&fs.ModeSticky != 0 {
		return false
	}
	for _, folder := range [...]string{"tmp", "var/tmp", "run", "var/run", "dev", "proc", "sys"} {
		if under(e.Path, folder) {
			return false
		}
	}
	return !slices.ContainsFunc(im.volumes, func(v string) bool { return under(e.Path, v) })
}

// deletedFiles looks at each layer, so it is about images only. A file that another
// one replaced is no finding: nearly every image changes etc/passwd.
func deletedFiles(im *image, found *finding) answer {
	if im.Manifest.IsZero() {
		return answer{assay.Unknown, "there are no layers"}
	}
	for r := range im.Removed() {
		if r.Deleted && r.File.Mode.IsRegular() {
			found.add(r.File.Location())
		}
	}
	if found.total > 0 {
		return answer{assay.Refuted, fmt.Sprintf("files that a later layer deletes: %d", found.total)}
	}
	return answer{assay.Proven, "no layer deletes a file of another"}
}
