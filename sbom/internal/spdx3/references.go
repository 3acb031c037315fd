package spdx3

import (
	"slices"
	"strings"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/sbom/internal/canon"
	"github.com/assaykit/assay/sbom/internal/spdx"
)

// referenceTypes are the words of the format for those of the model. Others are
// "other", with the word in the facts.
var referenceTypes = map[assay.ReferenceType]string{
	"distribution": "altDownloadLocation", "source-distribution": "sourceArtifact", "website": "altWebPage", "vcs": "vcs",
	"issue-tracker": "issueTracker", "license": "license", "documentation": "documentation", "chat": "chat", "mailing-list": "mailingList",
	"social": "socialMedia", "support": "support", "release-notes": "releaseNotes", "build-meta": "buildMeta", "build-system": "buildSystem",
	"advisories": "securityAdvisory", "rfc-9116": "securityOther", "certification-report": "certificationReport",
	"static-analysis-report": "staticAnalysisReport", "dynamic-analysis-report": "dynamicAnalysisReport",
	"runtime-analysis-report": "runtimeAnalysisReport", "component-analysis-report": "componentAnalysisReport",
	"pentest-report": "securityPenTestReport", "threat-model": "securityThreatModel", "adversary-model": "securityAdversaryModel",
	"risk-assessment": "riskAssessment", "quality-metrics": "metrics", "exploitability-statement": "vulnerabilityExploitabilityAssessment",
	"other": "other",
}

var typesByReference = reversed(referenceTypes)

// references are those of a component by where they are written.
type references struct {
	home, download string
	external       []assay.Reference
	facts          []assay.Reference
	artifact       *assay.Reference // the one that the component's artifact says
}

// refer sorts them out. What a member of the format cannot say exactly is in the
// facts, and there as well where other readers look for it.
func (e *encoder) refer(c *assay.Component) references {
	var out references
	out.artifact = artifactOf(c)
	file := isFile(c)
	for list := c.References; len(list) > 0; {
		n, r := 1, list[0]
		exact := len(r.Hashes) == 0
		for ; n < len(list) && spdx.SameReference(list[n], r); n++ {
			exact = false // one of them has digests, since they differ
		}
		same := list[:n]
		list = list[n:]
		if out.artifact != nil && out.artifact.Compare(r) == 0 && n == 1 {
			continue
		}
		_, known := referenceTypes[r.Type]
		if !exact || !known || r.URL == "" {
			out.facts = append(out.facts, same...)
		}
		switch {
		case r.URL == "" || !known:
		case !file && r.Comment == "" && r.Type == assay.RefWebsite && out.home == "" && isIRI(r.URL):
			out.home = r.URL
		case !file && r.Comment == "" && r.Type == assay.RefDistribution && out.download == "" && isIRI(r.URL):
			out.download = r.URL
		default:
			out.external = append(out.external, r)
		}
	}
	return out
}

func (e *encoder) externals(list []assay.Reference) {
	if len(list) == 0 {
		return
	}
	e.member("externalRef")
	e.b = append(e.b, '[')
	for _, r := range list {
		e.external(r, referenceTypes[r.Type])
	}
	e.b = append(e.b, ']')
}

func (e *encoder) external(r assay.Reference, kind string) {
	e.open()
	e.optional("comment", r.Comment)
	e.raw("externalRefType", kind)
	e.member("locator")
	e.b = append(e.b, '[')
	e.b = spdx.AppendQuoted(e.b, r.URL)
	e.b = append(e.b, ']')
	e.raw("type", "ExternalRef")
	e.close()
}

// references reads those of a component, and what the facts say more exactly.
func (d *decoder) references(o *object, more []assay.Reference, c *assay.Component) error {
	var found []assay.Reference
	word := func(at func() place, url string) string {
		if w := canon.Word(url); w != url {
			d.lose(at(), c.ID, canon.Encoded)
			return w
		}
		return url
	}
	for _, m := range []struct {
		name string
		kind assay.ReferenceType
	}{{"software_homePage", assay.RefWebsite}, {"software_downloadLocation", assay.RefDistribution}} {
		if url := o.text(m.name); url != "" && url != "NOASSERTION" && url != "NONE" {
			found = append(found, assay.Reference{Type: m.kind, URL: word(func() place { return o.place.member(m.name) }, url)})
		}
	}
	for i, it := range o.node.get("externalRef").values() {
		at := func() place { return o.place.member("externalRef").at(i) }
		x := object{node: d.object(&it.value)}
		if x.node == nil {
			d.lose(at(), c.ID, noPlace)
			continue
		}
		kind := x.enum("externalRefType")
		t, ok := typesByReference[kind]
		if kind == "binaryArtifact" {
			t, ok = assay.RefDistribution, true
		}
		if !ok {
			d.lose(at(), c.ID, "the model has no references of type "+kind)
			continue
		}
		for j, l := range x.node.get("locator").values() {
			if url := scalar(&l.value); url != "" {
				url = word(func() place { return at().member("locator").at(j) }, url)
				found = append(found, assay.Reference{Type: t, URL: url, Comment: x.text("comment")})
			}
		}
		if x.node.get("contentType") != nil {
			d.lose(at().member("contentType"), c.ID, noPlace)
		}
	}
	for _, r := range more {
		if !canon.ValidReference(r.Type) || r.URL == "" && len(r.Hashes) == 0 || canon.Word(r.URL) != r.URL {
			return d.invalid(o.place.member("extension"), "references", "references of known types, with a URI or digests")
		}
	}
	c.References = assay.SortReferences(spdx.Unite(found, more))
	return nil
}

// The properties of files by the BSI (TR-03183-2 v2.1.0, 8.2), which have members of
// the format that only its comment tells from others.
const (
	propFilename   = "bsi:component:filename"
	propExecutable = "bsi:component:executable"
	propArchive    = "bsi:component:archive"
	propStructured = "bsi:component:structured"
	bsiComment     = "software_additionalPurpose field is used to indicate the properties of BSI TR-03183-2"
	distributed    = "hasDistributionArtifact"
)

// artifactOf gives the reference that is written as an artifact: the only one to
// where the component can be had with digests that the format can say.
func artifactOf(c *assay.Component) *assay.Reference {
	var out *assay.Reference
	for i := range c.References {
		r := &c.References[i]
		if r.Type != assay.RefDistribution || len(r.Hashes) == 0 {
			continue
		}
		if out != nil || r.Comment != "" || slices.ContainsFunc(r.Hashes, func(d assay.Digest) bool { return algorithmNames[d.Algorithm()] == "" }) {
			return nil
		}
		out = r
	}
	if out != nil && slices.ContainsFunc(c.References, func(r assay.Reference) bool { return len(r.Hashes) == 0 && spdx.SameReference(r, *out) }) {
		return nil
	}
	return out
}

// purposesOf gives the additional purposes that say what kind of file it is, and
// whether they say all of it.
func purposesOf(c *assay.Component) (purposes []string, all bool) {
	all = true
	add := func(name string, words map[string]string) {
		word, ok := words[c.Properties[name]]
		all = all && ok
		if word != "" {
			purposes = append(purposes, word)
		}
	}
	add(propArchive, map[string]string{"archive": "archive", "no archive": ""})
	add(propStructured, map[string]string{"structured": "container", "unstructured": "firmware"})
	add(propExecutable, map[string]string{"executable": "executable", "non-executable": ""})
	slices.Sort(purposes)
	return purposes, all
}

// artifacts writes the files that components are distributed as, as far as something
// is known of them.
func (e *encoder) artifacts(order []*assay.Component) {
	var with []*assay.Component
	for _, c := range order {
		if len(c.References)+len(c.Properties) == 0 {
			continue
		}
		if purposes, all := purposesOf(c); all || len(purposes) > 0 || c.Properties[propFilename] != "" || artifactOf(c) != nil {
			with = append(with, c)
		}
	}
	if with == nil {
		return
	}
	e.files = make(map[assay.ComponentID]string, len(with))
	for i, c := range with {
		id := e.ns.own("artifact/" + index(i, len(with)))
		e.files[c.ID] = id
		e.made = append(e.made, id)
		purposes, all := purposesOf(c)
		r := artifactOf(c)
		e.open()
		if all {
			e.raw("comment", bsiComment)
		}
		e.raw("creationInfo", creationID)
		if r != nil && r.URL != "" {
			e.member("externalRef")
			e.b = append(e.b, '[')
			e.external(*r, "binaryArtifact")
			e.b = append(e.b, ']')
		}
		e.optional("name", c.Properties[propFilename])
		e.list("software_additionalPurpose", purposes...)
		e.iri("spdxId", id)
		e.raw("type", "software_File")
		if r != nil {
			e.member("verifiedUsing")
			e.digests(r.Hashes)
		}
		e.close()
	}
}

// findArtifacts finds the files that are no more than what one component is
// distributed as.
func (d *decoder) findArtifacts() {
	m := model()
	uses := make(map[string]int)
	for _, o := range d.objects {
		if o.class == nil || !o.class.is(m["Relationship"]) {
			continue
		}
		for _, name := range []string{"from", "to"} {
			for _, it := range o.node.get(name).values() {
				iri, _ := d.target(&it.value)
				uses[iri]++
			}
		}
	}
	for _, o := range append([]*object{d.document}, d.boms...) {
		if o == nil {
			continue
		}
		for _, it := range o.node.get("rootElement").values() {
			iri, _ := d.target(&it.value)
			uses[iri]++
		}
	}
	d.artifacts, d.distributions = make(map[string]*object), make(map[*object]bool)
	taken := make(map[string]bool)
	for _, o := range d.objects {
		if o.class == nil || o.class != m["Relationship"] || o.enum("relationshipType") != distributed {
			continue
		}
		to := o.node.get("to").values()
		if len(to) != 1 {
			continue
		}
		fromIRI, from := d.target(o.node.get("from"))
		iri, file := d.target(&to[0].value)
		if from == nil || file == nil || from.class == nil || file.class != m["software_File"] || from == file || !from.class.is(m["software_SoftwareArtifact"]) ||
			uses[iri] != 1 || d.artifacts[fromIRI] != nil || taken[fromIRI] || o.enum("completeness") == "incomplete" {
			taken[fromIRI] = true
			continue
		}
		d.artifacts[fromIRI], d.distributions[o], d.used[iri] = file, true, true
	}
}

// artifact adds to a component what its file says.
func (d *decoder) artifact(of *object, c *assay.Component) error {
	o := d.artifacts[of.id]
	if o == nil {
		return nil
	}
	say := func(name, value, member string) error {
		if had, ok := c.Properties[name]; ok && had != value {
			return d.invalid(o.place.member(member), value, "what "+name+" of "+of.id+" says: "+had)
		}
		if c.Properties == nil {
			c.Properties = make(map[string]string)
		}
		c.Properties[name] = value
		return nil
	}
	if name := o.text("name"); name != "" {
		if err := say(propFilename, name, "name"); err != nil {
			return err
		}
	}
	purposes := make(map[string]bool)
	for i, it := range o.node.get("software_additionalPurpose").values() {
		_, word := term(it.value.text)
		if !slices.Contains([]string{"archive", "container", "executable", "firmware"}, word) {
			d.lose(o.place.member("software_additionalPurpose").at(i), c.ID, "the model has no such purpose of a file: "+word)
			continue
		}
		purposes[word] = true
	}
	all := strings.TrimSpace(o.text("comment")) == bsiComment
	for _, x := range []struct{ name, word, value, other, otherValue string }{
		{propArchive, "archive", "archive", "", "no archive"},
		{propExecutable, "executable", "executable", "", "non-executable"},
		{propStructured, "container", "structured", "firmware", "unstructured"},
	} {
		value := ""
		switch {
		case purposes[x.word]:
			value = x.value
		case purposes[x.other], all && x.other == "":
			value = x.otherValue
		}
		if value == "" {
			continue
		}
		if err := say(x.name, value, "software_additionalPurpose"); err != nil {
			return err
		}
	}
	r := assay.Reference{Type: assay.RefDistribution}
	var err error
	if r.Hashes, err = d.hashes(o, c.ID, nil); err != nil {
		return err
	}
	refs := o.node.get("externalRef").values()
	read := []string{"verifiedUsing", "software_additionalPurpose"}
	if len(refs) == 1 {
		x := object{node: d.object(&refs[0].value)}
		if x.node != nil && x.enum("externalRefType") == "binaryArtifact" && len(x.node.get("locator").values()) == 1 && x.node.get("comment") == nil && x.node.get("contentType") == nil {
			if r.URL = x.text("locator"); canon.Word(r.URL) != r.URL {
				r.URL = canon.Word(r.URL)
				d.lose(o.place.member("externalRef"), c.ID, canon.Encoded)
			}
			read = append(read, "externalRef")
		}
	}
	if all {
		read = append(read, "comment")
	}
	if purpose := o.enum("software_primaryPurpose"); purpose == "file" {
		read = append(read, "software_primaryPurpose")
	}
	if r.URL != "" || len(r.Hashes) > 0 {
		c.References = assay.SortReferences(append(c.References, r))
	}
	d.rest(o, c.ID, read...)
	return nil
}
