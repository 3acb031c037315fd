package sbom_test

import (
	order "cmp"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/sbom"
)

var formats = append(slices.DeleteFunc(sbom.Formats(), func(f sbom.Format) bool { return f == sbom.Table }), oldSPDXJSON, oldTagValue)

const (
	oldSPDXJSON sbom.Format = "spdx-json@2.2"
	oldTagValue sbom.Format = "spdx-tag-value@2.2"
)

// equal compares SBOMs by value.
var equal = cmp.Options{cmpopts.EquateEmpty(), cmpopts.IgnoreFields(assay.SBOM{}, "Rest"), cmp.Comparer(func(a, b assay.Digest) bool { return a == b }), cmp.Comparer(func(a, b assay.PURL) bool { return a == b })}

func purl(t testing.TB, s string) assay.PURL {
	t.Helper()
	p, err := assay.ParsePURL(s)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func digest(alg assay.Algorithm, n, length int) assay.Digest {
	return assay.MustDigest(string(alg) + ":" + fmt.Sprintf("%0*x", length, n))
}

// small is a document of three components, without anything out of the ordinary.
func small(t testing.TB) *assay.SBOM {
	layer := digest(assay.SHA256, 7, 64)
	doc := &assay.SBOM{
		Serial: "urn:uuid:3e671687-395b-41f5-a30f-a58921a69b79", Version: 1, Created: time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC),
		Tools: []assay.Tool{{Name: "assay", Version: "v0.1.0"}}, Lifecycle: "post-build", Layers: []assay.Digest{layer},
		Root: assay.Component{ID: "image", Type: assay.TypeContainer, Name: "registry.example/app", PURL: purl(t, "pkg:oci/app@sha256%3A"+strings.Repeat("a", 64)),
			Hashes: assay.DigestSet{digest(assay.SHA256, 1, 64)}},
		Components: []assay.Component{
			{ID: "libc6", Type: assay.TypeLibrary, Name: "libc6", Version: "2.36-9", PURL: purl(t, "pkg:deb/debian/libc6@2.36-9?arch=amd64"), FoundBy: "dpkg",
				Supplier: "GNU Libc Maintainers <debian-glibc@lists.debian.org>", Source: assay.SourcePackage{Name: "glibc"},
				Locations: []assay.Location{{Layer: layer, Path: "var/lib/dpkg/status"}}, Licenses: []assay.License{{Expression: "LGPL-2.1-only"}}},
			{ID: "base-files", Type: assay.TypeLibrary, Name: "base-files", Version: "12.4", PURL: purl(t, "pkg:deb/debian/base-files@12.4?arch=amd64"), FoundBy: "dpkg"},
		},
		Relations:    []assay.Relation{{From: "image", Kind: assay.Contains, To: "libc6"}, {From: "base-files", Kind: assay.DependsOn, To: "libc6"}},
		Completeness: []assay.Completeness{{Scope: "components", Aggregate: "complete"}},
	}
	if err := doc.Normalize(); err != nil {
		t.Fatal(err)
	}
	return doc
}

// rich is a document with everything that the model has, drawn from a seed.
func rich(t testing.TB, seed uint64, n int) *assay.SBOM {
	r := rand.New(rand.NewPCG(seed, 1))
	pick := func(list ...string) string { return list[r.IntN(len(list))] }
	odd := func() string {
		return pick("", "plain", "Ünï <cödé> & \"quotes\" \\ back", "tab\tand\nline", " lead and trail ", "a: b", "NOASSERTION", "NONE", "x-1.2", "名前", "\u2028", "</script>")
	}
	types := []assay.ComponentType{assay.TypeApplication, assay.TypeLibrary, assay.TypeFramework, assay.TypeContainer, assay.TypeOperatingSystem, assay.TypeFile,
		assay.TypeFirmware, assay.TypePlatform, assay.TypeDevice, assay.TypeDeviceDriver, assay.TypeModel, assay.TypeData, assay.TypeCrypto}
	lengths := map[assay.Algorithm]int{assay.SHA256: 64, assay.SHA512: 128, assay.SHA1: 40, assay.MD5: 32, assay.SHA224: 56, assay.BLAKE3: 64, assay.BLAKE2B: 128,
		assay.BLAKE2S: 64, assay.SHA3_384: 96, assay.DirHash: 64, assay.GitCommit: 40}
	licenses := []assay.License{{Expression: "MIT"}, {Expression: "MIT OR Apache-2.0"}, {Expression: "LicenseRef-own"}, {Name: "GPL"}, {Name: "some \"license\" <of> mine"},
		{Expression: "BSD-3-Clause", Concluded: true}, {Name: "GPL", Concluded: true}, {Expression: "GPL-2.0-only WITH Classpath-exception-2.0"}, {Expression: "mit"}}
	component := func(id assay.ComponentID) assay.Component {
		c := assay.Component{ID: id, Type: types[r.IntN(len(types))], Name: "name" + odd(), Version: odd(), Supplier: odd(), Description: odd(), FoundBy: pick("", "dpkg", odd())}
		if r.IntN(4) > 0 {
			c.PURL = purl(t, fmt.Sprintf("pkg:npm/%%40scope/p%d@1.%d?arch=x", r.IntN(1000), r.IntN(9)))
		}
		for range r.IntN(3) {
			c.CPEs = append(c.CPEs, pick("cpe:2.3:a:x:y:1:*:*:*:*:*:*:*", "cpe:/a:x:y:1", "not a cpe"))
		}
		for range r.IntN(4) {
			c.Licenses = append(c.Licenses, licenses[r.IntN(len(licenses))])
		}
		for alg, length := range lengths {
			if r.IntN(3) == 0 {
				c.Hashes = append(c.Hashes, digest(alg, r.IntN(1<<30), length))
			}
		}
		for range r.IntN(3) {
			l := assay.Location{Path: "usr/" + odd()}
			if r.IntN(2) == 0 {
				l.Layer = digest(assay.SHA256, r.IntN(9), 64)
			}
			c.Locations = append(c.Locations, l)
		}
		if r.IntN(2) == 0 {
			c.Source = assay.SourcePackage{Name: odd(), Version: odd()}
		}
		c.Creator = pick("", "", "Acme", "Jane Doe <jane@example.com>", "Acme <https://acme.example/x>", "<solo@example.com>", "a <b <c@d.example>", odd())
		for range r.IntN(5) {
			ref := assay.Reference{Type: assay.ReferenceType(pick("website", "distribution", "distribution", "vcs", "source-distribution", "advisories", "rfc-9116", "other", "chat", "log", "license", "security-contact")),
				URL:     pick("", "https://acme.example/x", "https://acme.example/y?a=b&c", "git+https://acme.example/r.git@v1", "relative/path", "NONE", "NOASSERTION", "urn:cdx:x", "https://müller.example/"),
				Comment: pick("", "", odd())}
			for alg, length := range map[assay.Algorithm]int{assay.SHA512: 128, assay.SHA256: 64, assay.BLAKE3: 64} {
				if r.IntN(4) == 0 {
					ref.Hashes = append(ref.Hashes, digest(alg, r.IntN(9), length))
				}
			}
			if ref.URL != "" || len(ref.Hashes) > 0 {
				slices.SortFunc(ref.Hashes, assay.Digest.Compare)
				c.References = append(c.References, ref)
			}
		}
		if r.IntN(3) == 0 {
			c.Properties = map[string]string{}
			for name, values := range map[string][]string{"filename": {"app", "lib.so", "a b"}, "executable": {"executable", "non-executable", "odd"}, "archive": {"archive", "no archive"}, "structured": {"structured", "unstructured"}} {
				if r.IntN(3) > 0 {
					c.Properties["bsi:component:"+name] = pick(values...)
				}
			}
		}
		for range r.IntN(4) {
			if c.Properties == nil {
				c.Properties = map[string]string{}
			}
			c.Properties[pick("go:sum", "assay:foundBy", "assay:hash:dirHash", "assay:relation:contains", "assay:property:x", "assay:cpe", "", "assay:other", odd())] = odd()
		}
		return c
	}
	doc := &assay.SBOM{Serial: "urn:uuid:3e671687-395b-41f5-a30f-a58921a69b79", Version: 1 + r.IntN(3), Created: time.Unix(1.7e9+int64(r.IntN(1e6)), 0).UTC(),
		Lifecycle: pick("", "build", "operations", "my own"), Root: component("ro/ot")}
	for range r.IntN(3) {
		doc.Authors = append(doc.Authors, pick("Acme Inc.", "Jane Doe <jane@example.com>", "Acme (EU) <x>", "<solo@example.com>", "a <b <c@d.example>", "Acme <https://acme.example>"))
		if tool := (assay.Tool{Name: pick("syft", "my-tool", "a-1"), Version: pick("", "1.2", "v3-rc"), Vendor: pick("", "Acme")}); !slices.Contains(doc.Tools, tool) {
			doc.Tools = append(doc.Tools, tool)
		}
		doc.Layers = append(doc.Layers, digest(assay.SHA256, r.IntN(99), 64))
	}
	ids := []assay.ComponentID{doc.Root.ID}
	for i := range n {
		c := component(assay.ComponentID(fmt.Sprintf("%s%d", pick("plain-", "pkg:deb/x@", "DOCUMENT", "SPDXRef-", "ü", "a b"), i)))
		ids = append(ids, c.ID)
		doc.Components = append(doc.Components, c)
	}
	for range 3 * n {
		doc.Relations = append(doc.Relations, assay.Relation{From: ids[r.IntN(len(ids))], To: ids[r.IntN(len(ids))],
			Kind: assay.RelationKind(pick("dependsOn", "contains", "ownedBy", "generatedFrom", "descendantOf", "my own"))})
	}
	for range r.IntN(5) {
		doc.Completeness = append(doc.Completeness, assay.Completeness{Of: assay.ComponentID(pick("", string(ids[r.IntN(len(ids))]))),
			Scope: pick("components", "dependencies", "components:npm", "dependencies:npm", "dependencies:deb"), Aggregate: pick("complete", "incomplete", "unknown")})
	}
	return canonical(t, doc)
}

// canonical is the order that a document read has.
func canonical(t testing.TB, doc *assay.SBOM) *assay.SBOM {
	out := *doc
	if err := out.Normalize(); err != nil {
		t.Fatal(err)
	}
	sortInside(&out.Root)
	for i := range out.Components {
		sortInside(&out.Components[i])
	}
	out.Completeness = slices.Compact(out.Completeness)
	return &out
}

func encode(t testing.TB, doc *assay.SBOM, f sbom.Format) []byte {
	t.Helper()
	data, _, err := sbom.Encode(doc, f, sbom.EncodeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// moduleDir finds a module whose files are read as test data.
func moduleDir(t testing.TB, module string) string {
	t.Helper()
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", module).Output()
	dir := strings.TrimSpace(string(out))
	if err != nil || dir == "" {
		t.Skipf("the files of %s are not in the module cache: %v", module, err)
	}
	return dir
}

func corpora(t testing.TB) string {
	t.Helper()
	dir := os.Getenv("ASSAY_CORPORA")
	if dir == "" {
		t.Skip("ASSAY_CORPORA is not set")
	}
	return dir
}

// cyclonedxSchema compiles the official schema that cyclonedx-go ships.
func cyclonedxSchema(t testing.TB, version string) *jsonschema.Schema {
	t.Helper()
	dir := filepath.Join(moduleDir(t, "github.com/CycloneDX/cyclonedx-go"), "schema")
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	for url, file := range map[string]string{
		"http://cyclonedx.org/schema/bom-" + version + ".schema.json": "bom-" + version + ".schema.json",
		"http://cyclonedx.org/schema/spdx.schema.json":                "spdx.schema.json",
		"http://cyclonedx.org/schema/jsf-0.82.schema.json":            "jsf-0.82.schemax.json",
	} {
		v := readJSON(t, filepath.Join(dir, file))
		if file == "bom-1.5.schema.json" {
			// The module's revision does not know the bom-ref of an expression yet,
			// which the specification's documents have.
			expression := v.(map[string]any)["definitions"].(map[string]any)["licenseChoice"].(map[string]any)["oneOf"].([]any)[1].(map[string]any)
			expression["items"].([]any)[0].(map[string]any)["properties"].(map[string]any)["bom-ref"] = map[string]any{"type": "string"}
		}
		c.AddResource(url, v)
	}
	// The module does not have the lists of algorithm families and curves of 1.7.
	c.AddResource("http://cyclonedx.org/schema/cryptography-defs.schema.json",
		map[string]any{"definitions": map[string]any{"algorithmFamiliesEnum": map[string]any{}, "ellipticCurvesEnum": map[string]any{}}})
	s, err := c.Compile("http://cyclonedx.org/schema/bom-" + version + ".schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func spdxSchema(t testing.TB, version string) *jsonschema.Schema {
	t.Helper()
	c := jsonschema.NewCompiler()
	c.UseRegexpEngine(func(pattern string) (jsonschema.Regexp, error) {
		rest, ok := strings.CutPrefix(pattern, "^(?!_:)")
		if !ok {
			return regexp.Compile(pattern)
		}
		re, err := regexp.Compile("^" + rest)
		return notBlank{re}, err
	})
	if err := c.AddResource("spdx.json", readJSON(t, filepath.Join(corpora(t), "spdx-schema", version, "spdx-schema.json"))); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("spdx.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// notBlank is a pattern that no blank node matches, for which Go has no syntax.
type notBlank struct{ *regexp.Regexp }

func (n notBlank) MatchString(s string) bool {
	return !strings.HasPrefix(s, "_:") && n.Regexp.MatchString(s)
}

func readJSON(t testing.TB, path string) any {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	v, err := jsonschema.UnmarshalJSON(f)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func validate(s *jsonschema.Schema, data []byte) error {
	var v any
	if err := json.Unmarshal(data, &v); err != nil {
		return err
	}
	return s.Validate(v)
}

func sortInside(c *assay.Component) {
	slices.SortFunc(c.Locations, assay.Location.Compare)
	c.Locations = slices.Compact(c.Locations)
	slices.Sort(c.CPEs)
	c.CPEs = slices.Compact(c.CPEs)
	slices.SortFunc(c.Hashes, assay.Digest.Compare)
	slices.SortFunc(c.Licenses, func(a, b assay.License) int {
		x, y := fmt.Sprint(a.Concluded), fmt.Sprint(b.Concluded)
		return order.Or(strings.Compare(a.Expression, b.Expression), strings.Compare(a.Name, b.Name), strings.Compare(x, y))
	})
	c.Licenses = slices.Compact(c.Licenses)
	c.References = assay.SortReferences(c.References)
}
