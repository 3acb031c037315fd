package spdx

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/sbom/internal/license"
)

// What the format has a place for is written there, in the form that these
// functions give. Where that form does not read back as the same value, the value
// is in an annotation as well, and a reader checks that both say the same: else two
// readers of one signed document could see different contents.

// slug makes an idstring of any text, the same each time and different for
// different texts.
func slug(s string) string {
	sum := sha256.Sum256([]byte(s))
	short := make([]byte, 0, 80)
	for i := 0; i < len(s) && len(short) < 60; i++ {
		switch {
		case isIDByte(s[i]) && s[i] != '-':
			short = append(short, s[i])
		case len(short) > 0 && short[len(short)-1] != '-':
			short = append(short, '-')
		}
	}
	if len(short) > 0 && short[len(short)-1] != '-' {
		short = append(short, '-')
	}
	return string(hex.AppendEncode(short, sum[:8]))
}

// elementID gives the SPDXID of a component.
func elementID(id assay.ComponentID) string {
	if ref := refPrefix + string(id); ref != documentID && isElement(ref) {
		return ref
	}
	return refPrefix + slug(string(id))
}

var purposes = map[assay.ComponentType]string{
	assay.TypeApplication: "APPLICATION", assay.TypeFramework: "FRAMEWORK", assay.TypeLibrary: "LIBRARY", assay.TypeContainer: "CONTAINER",
	assay.TypeOperatingSystem: "OPERATING_SYSTEM", assay.TypeDevice: "DEVICE", assay.TypeFirmware: "FIRMWARE", assay.TypeFile: "FILE",
}

func purposeOf(t assay.ComponentType) string {
	if p, ok := purposes[t]; ok {
		return p
	}
	return "OTHER"
}

// typeOf reads a purpose; ok is false where it says something that the model's
// types do not. A package without a purpose is a library.
func typeOf(purpose string) (t assay.ComponentType, ok bool) {
	if purpose == "" {
		return assay.TypeLibrary, true
	}
	if t, ok := typesByPurpose[strings.ReplaceAll(purpose, "-", "_")]; ok {
		return t, true
	}
	return assay.TypeLibrary, false
}

var typesByPurpose = func() map[string]assay.ComponentType {
	m := make(map[string]assay.ComponentType, len(purposes))
	for t, p := range purposes {
		m[p] = t
	}
	return m
}()

func supplierOf(s string) string {
	if s == "" {
		return ""
	}
	if out := "Organization: " + s; agentName(out) == s {
		return out
	}
	return noAssertion
}

// agentName reads a supplier or a creator.
func agentName(s string) string {
	if s == noAssertion {
		return ""
	}
	_, name, _ := strings.Cut(s, ":")
	return strings.TrimSpace(name)
}

func isPerson(s string) bool { return strings.HasPrefix(s, "Person:") }

// creatorsOf gives tools, then authors. The format requires one, and has no tool
// without a name.
func creatorsOf(tools []assay.Tool, authors []string) []string {
	var out []string
	for _, t := range tools {
		out = append(out, creator("Tool: ", ToolName(t)))
	}
	for _, a := range authors {
		if name, email, ok := SplitAuthor(a); ok {
			out = append(out, creator("Person: ", name+" ("+email+")"))
		} else {
			out = append(out, creator("Organization: ", a))
		}
	}
	if out == nil {
		out = []string{"Tool: assay"}
	}
	return out
}

func creator(kind, name string) string {
	if strings.TrimSpace(name) == "" {
		return kind + "unnamed"
	}
	return kind + name
}

// readCreators is the reverse.
func readCreators(creators []string) (tools []assay.Tool, authors []string) {
	for _, c := range creators {
		name := agentName(c)
		if strings.HasPrefix(c, "Tool:") {
			tools = append(tools, ParseTool(name))
			continue
		}
		if rest, ok := strings.CutSuffix(name, ")"); ok && isPerson(c) {
			if person, email, ok := strings.Cut(rest, " ("); ok && strings.Contains(email, "@") && !strings.ContainsAny(email, "<>()") {
				name = person + " <" + email + ">"
			}
		}
		if name != "" {
			authors = append(authors, name)
		}
	}
	return tools, authors
}

// ToolName is a tool in one name, as both SPDX 2 and 3 have it.
func ToolName(t assay.Tool) string {
	if t.Version == "" {
		return t.Name
	}
	return t.Name + "-" + t.Version
}

// ParseTool is the reverse, as far as there is one.
func ParseTool(name string) assay.Tool {
	if i := strings.LastIndexByte(name, '-'); i > 0 && startsVersion(name[i+1:]) {
		return assay.Tool{Name: name[:i], Version: name[i+1:]}
	}
	return assay.Tool{Name: name}
}

// SplitAuthor takes "Name <email>" apart, the form that persons have in the model.
func SplitAuthor(author string) (name, email string, ok bool) {
	rest, ok := strings.CutSuffix(author, ">")
	if !ok {
		return "", "", false
	}
	name, email, ok = strings.Cut(rest, " <")
	return name, email, ok && strings.Contains(email, "@") && !strings.ContainsAny(email, "<>()")
}

func startsVersion(s string) bool {
	s = strings.TrimPrefix(s, "v")
	return s != "" && s[0] >= '0' && s[0] <= '9'
}

// LicenseRef is the id under which a statement that is no expression is kept.
func LicenseRef(name string) string { return "LicenseRef-" + slug(name) }

// licensesOf joins licences to the two expressions that the format has.
func licensesOf(list []assay.License, refOf func(name string) string) (declared, concluded string) {
	if len(list) == 0 {
		return noAssertion, noAssertion
	}
	join := func(wantConcluded bool) string {
		var terms []string
		for _, l := range list {
			switch {
			case l.Concluded != wantConcluded:
			case l.Expression != "":
				terms = append(terms, l.Expression)
			default:
				terms = append(terms, refOf(l.Name))
			}
		}
		if len(terms) > 1 {
			for i, t := range terms {
				if license.IsCompound(t) {
					terms[i] = "(" + t + ")"
				}
			}
		}
		if len(terms) == 0 {
			return noAssertion
		}
		return strings.Join(terms, " AND ")
	}
	return join(false), join(true)
}

// readLicense is the reverse for one expression. A lone LicenseRef stands for its
// name in the document. The flag is false for text that is no expression.
func readLicense(s string, concluded bool, infos map[string]extracted) (assay.License, bool) {
	trimmed := strings.TrimSpace(s)
	info, ok := infos[trimmed]
	if ok && info.Name != "" {
		return license.Parse(info.Name, concluded), true
	}
	if ok && info.Text != "" && info.Text != noAssertion && len(info.Text) <= 120 && !strings.ContainsAny(info.Text, "\r\n") {
		return license.Parse(info.Text, concluded), true
	}
	l := license.Parse(s, concluded)
	return l, l.Expression != ""
}

func stated(s string) bool { return s != "" && s != noAssertion && s != none }

var algorithms = map[string]assay.Algorithm{
	"MD5": assay.MD5, "SHA1": assay.SHA1, "SHA224": assay.SHA224, "SHA256": assay.SHA256, "SHA384": assay.SHA384, "SHA512": assay.SHA512,
	"SHA3-256": assay.SHA3_256, "SHA3-384": assay.SHA3_384, "SHA3-512": assay.SHA3_512, "BLAKE2b-512": assay.BLAKE2B, "BLAKE3": assay.BLAKE3,
}

var algorithmNames = func() map[assay.Algorithm]string {
	m := make(map[assay.Algorithm]string, len(algorithms))
	for name, alg := range algorithms {
		m[alg] = name
	}
	return m
}()

// relationType is how a type of relationship is read.
type relationType struct {
	kind     assay.RelationKind
	reversed bool // its ends are the other way around
	less     bool // the kind says less than the type
}

var relationTypes = map[string]relationType{
	"DEPENDS_ON": {kind: assay.DependsOn}, "DEPENDENCY_OF": {kind: assay.DependsOn, reversed: true},
	"RUNTIME_DEPENDENCY_OF": {assay.DependsOn, true, true}, "BUILD_DEPENDENCY_OF": {assay.DependsOn, true, true},
	"HAS_PREREQUISITE": {assay.DependsOn, false, true}, "PREREQUISITE_FOR": {assay.DependsOn, true, true},
	"DYNAMIC_LINK": {assay.DependsOn, false, true}, "STATIC_LINK": {assay.DependsOn, false, true},
	"CONTAINS": {kind: assay.Contains}, "CONTAINED_BY": {kind: assay.Contains, reversed: true},
	"GENERATED_FROM": {kind: assay.GeneratedFrom}, "GENERATES": {kind: assay.GeneratedFrom, reversed: true},
	"DESCENDANT_OF": {kind: assay.DescendantOf}, "ANCESTOR_OF": {kind: assay.DescendantOf, reversed: true},
}

// written are the types that the model's kinds are written as. Other kinds are
// OTHER, with the kind in the comment.
var written = map[assay.RelationKind]string{
	assay.DependsOn: "DEPENDS_ON", assay.Contains: "CONTAINS", assay.GeneratedFrom: "GENERATED_FROM", assay.DescendantOf: "DESCENDANT_OF",
}
