package posture

import (
	"slices"

	"github.com/assaykit/assay"
)

// The attributes that this package proves; see the package comment.
const (
	NoShell                     assay.Attribute = "POSTURE_NO_SHELL"
	NoPackageManager            assay.Attribute = "POSTURE_NO_PACKAGE_MANAGER"
	NoCompiler                  assay.Attribute = "POSTURE_NO_COMPILER"
	NoDebugTools                assay.Attribute = "POSTURE_NO_DEBUG_TOOLS"
	NoNetworkTools              assay.Attribute = "POSTURE_NO_NETWORK_TOOLS"
	NoDocs                      assay.Attribute = "POSTURE_NO_DOCS"
	NoCache                     assay.Attribute = "POSTURE_NO_CACHE"
	NoVCS                       assay.Attribute = "POSTURE_NO_VCS"
	NoDeletedFiles              assay.Attribute = "POSTURE_NO_DELETED_FILES"
	NonRootUser                 assay.Attribute = "POSTURE_NONROOT_USER"
	NumericUser                 assay.Attribute = "POSTURE_NUMERIC_USER"
	NoSetuid                    assay.Attribute = "POSTURE_NO_SETUID"
	NoFileCapabilities          assay.Attribute = "POSTURE_NO_FILE_CAPABILITIES"
	NoWorldWritable             assay.Attribute = "POSTURE_NO_WORLD_WRITABLE"
	NoUserWritableExecutionPath assay.Attribute = "POSTURE_NO_USER_WRITABLE_EXECUTION_PATH"
	NoEnvSecrets                assay.Attribute = "POSTURE_NO_ENV_SECRETS"
)

// RulesVersion changes when a rule is added or answers otherwise than before. It is
// the version of the default producer.
const RulesVersion = "1"

// Rule is one question about an image.
type Rule struct {
	Attribute assay.Attribute
	// Stage is the stage that needs the attribute.
	Stage assay.Stage
	// Title says what the attribute states.
	Title string
	// Standards are the rules of published standards that it answers, sorted.
	Standards []string
}

// Rules gives all rules, sorted by attribute.
func Rules() []Rule {
	table := table()
	out := make([]Rule, len(table))
	for i, r := range table {
		out[i] = r.Rule
	}
	slices.SortFunc(out, func(a, b Rule) int { return compare(a.Attribute, b.Attribute) })
	return out
}

// Names of standards.
const (
	cisUser        = "cis-docker-1.6.0:4.1"
	cisPackages    = "cis-docker-1.6.0:4.3"
	cisSetuid      = "cis-docker-1.6.0:4.8"
	cisSecrets     = "cis-docker-1.6.0:4.10"
	cisNoSSH       = "cis-docker-1.6.0:5.7"
	pssRestricted  = "kubernetes-pss:restricted"
	nistConfigured = "nist-sp-800-190:4.1.2"
	nistSecrets    = "nist-sp-800-190:4.1.4"
)

// rule is a Rule and how it is answered. Those with file are refuted by each file of
// the merged file system for which it answers true; the others by judge.
type rule struct {
	Rule
	file  func(*image, *entry) bool
	judge func(*image, *finding) answer
	// found and clean are the reasons of file rules.
	found, clean string
}

// answer is the outcome of a rule that judges as a whole.
type answer struct {
	state  assay.State
	reason string
}

func table() []rule {
	minimal := func(a assay.Attribute, title, found, clean string, file func(*image, *entry) bool, standards ...string) rule {
		return rule{Rule: Rule{a, assay.Minimal, title, standards}, file: file, found: found, clean: clean}
	}
	hardened := func(a assay.Attribute, title string, standards ...string) rule {
		return rule{Rule: Rule{a, assay.Hardened, title, standards}}
	}
	rules := []rule{
		minimal(NoShell, "there is no shell", "executables named like a shell", "no executable is named like a shell", isShell, cisPackages),
		minimal(NoPackageManager, "there is no package manager", "executables named like a package manager", "no executable is named like a package manager", isPackageManager, cisPackages),
		minimal(NoCompiler, "there is no compiler or build tool", "executables named like a compiler or build tool", "no executable is named like a compiler or build tool", isCompiler, cisPackages),
		minimal(NoDebugTools, "there is no debugger or tracer", "executables named like a debugger or tracer", "no executable is named like a debugger or tracer", isDebugTool, cisPackages),
		minimal(NoNetworkTools, "there is no network client, scanner or remote shell", "executables named like a network tool", "no executable is named like a network tool", isNetworkTool, cisPackages, cisNoSSH, nistConfigured),
		minimal(NoDocs, "there is no documentation but texts of licences", "files of documentation", "no documentation but texts of licences", isDoc, cisPackages),
		minimal(NoCache, "there are no caches of package managers and build tools", "files in caches", "no file is in a cache of a package manager or build tool", isCache, cisPackages),
		minimal(NoVCS, "there is no version control metadata", "files or folders of version control metadata", "no file is version control metadata", isVCS, cisPackages),
		{Rule: Rule{NoDeletedFiles, assay.Minimal, "no layer ships a file that a later one deletes", []string{cisSecrets, nistSecrets}}, judge: deletedFiles},
	}
	setuid := hardened(NoSetuid, "no file is setuid or setgid", cisSetuid)
	setuid.file, setuid.found, setuid.clean = isSetuid, "files that are setuid or setgid", "no file is setuid or setgid"
	caps := hardened(NoFileCapabilities, "no file gives capabilities", cisSetuid)
	caps.file, caps.found, caps.clean = hasCapabilities, "files that give capabilities", "no file gives capabilities"
	writable := hardened(NoWorldWritable, "nothing is writable by everybody")
	writable.file, writable.found, writable.clean = isWorldWritable, "files or folders that everybody may write", "no file or folder is writable by everybody"
	user := hardened(NonRootUser, "the default user resolves and is not root", cisUser, pssRestricted)
	user.judge = nonRootUser
	numeric := hardened(NumericUser, "the default user is a number", pssRestricted)
	numeric.judge = numericUser
	execution := hardened(NoUserWritableExecutionPath, "the default user cannot change what is executed")
	execution.judge = executionPath
	secrets := hardened(NoEnvSecrets, "no environment variable looks like a secret", cisSecrets, nistSecrets)
	secrets.judge = envSecrets
	return append(rules, setuid, caps, writable, user, numeric, execution, secrets)
}
