package provenance

import (
	"bytes"
	"encoding/json"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/strictjson"
)

// The JSON of the SLSA v0.2 and v0.1 predicates.
type (
	wireV02 struct {
		BuildType  string         `json:"buildType"`
		Builder    wireOldBuilder `json:"builder"`
		Invocation struct {
			ConfigSource struct {
				URI        string            `json:"uri"`
				Digest     map[string]string `json:"digest"`
				EntryPoint string            `json:"entryPoint"`
				Unknown    raws              `json:",embed"`
			} `json:"configSource"`
			Parameters  jsontext.Value `json:"parameters"`
			Environment jsontext.Value `json:"environment"`
			Unknown     raws           `json:",embed"`
		} `json:"invocation"`
		Metadata  wireOldMetadata `json:"metadata"`
		Materials wireList        `json:"materials"`
		Unknown   raws            `json:",embed"` // buildConfig among them
	}
	wireV01 struct {
		Builder wireOldBuilder `json:"builder"`
		Recipe  struct {
			Type              string         `json:"type"`
			DefinedInMaterial jsontext.Value `json:"definedInMaterial"`
			EntryPoint        string         `json:"entryPoint"`
			Arguments         jsontext.Value `json:"arguments"`
			Environment       jsontext.Value `json:"environment"`
			Unknown           raws           `json:",embed"`
		} `json:"recipe"`
		Metadata  wireOldMetadata `json:"metadata"`
		Materials wireList        `json:"materials"`
		Unknown   raws            `json:",embed"`
	}
	wireOldBuilder struct {
		ID      string `json:"id"`
		Unknown raws   `json:",embed"`
	}
	wireOldMetadata struct {
		BuildInvocationID string `json:"buildInvocationId"`
		// slsa-github-generator's spelling.
		BuildInvocationIDCaps string `json:"buildInvocationID"`
		BuildStartedOn        string `json:"buildStartedOn"`
		BuildFinishedOn       string `json:"buildFinishedOn"`
		Unknown               raws   `json:",embed"` // completeness and reproducible among them
	}
)

func readV02(name string, predicate []byte, d *Document) (*assay.Provenance, error) {
	var w wireV02
	if err := strictjson.Unmarshal(name, predicate, &w, strictjson.Limits{}); err != nil {
		return nil, err
	}
	p := &assay.Provenance{Format: assay.PredicateSLSA02, BuildType: w.BuildType}
	d.Dialect = dialectOf(w.BuildType)
	d.deviationsOld("/materials", w.Materials.read, &w.Metadata, w.Builder.ID)
	ext := extensions(w.Materials.read)
	inv, src := &w.Invocation, &w.Invocation.ConfigSource
	config := descriptor{URI: src.URI, Digest: digestList(src.Digest)}
	d.commitsOfGitLab(&config, func() string { return "/invocation/configSource" })
	var err error
	if p.ExternalParameters, err = oldParameters(name, "/invocation/parameters", "parameters", inv.Parameters, src.URI, src.EntryPoint); err != nil {
		return nil, err
	}
	if p.InternalParameters, err = oldParameters(name, "/invocation/environment", "environment", inv.Environment, "", ""); err != nil {
		return nil, err
	}
	materials := w.Materials.read
	if !config.empty() {
		it, err := toItem(name, "/invocation/configSource", &config)
		if err != nil {
			return nil, err
		}
		p.Source = sourceFrom(it.r)
		if d.Dialect == GitLabRunner && p.Source.Repository == "" && !p.Source.Commit.IsZero() {
			p.Source.Repository = trimGit(src.URI) // the project's address, without a sign that it is git's
		}
		materials = append(materials, config)
	}
	if err := oldMaterials(name, p, materials, ext); err != nil {
		return nil, err
	}
	if err := oldRun(name, p, &w.Builder, &w.Metadata, ext); err != nil {
		return nil, err
	}
	keep(ext, "", w.Unknown)
	keep(ext, "/invocation", inv.Unknown)
	keep(ext, "/invocation/configSource", src.Unknown)
	return finishOld(name, p, d, ext)
}

func readV01(name string, predicate []byte, d *Document) (*assay.Provenance, error) {
	var w wireV01
	if err := strictjson.Unmarshal(name, predicate, &w, strictjson.Limits{}); err != nil {
		return nil, err
	}
	p := &assay.Provenance{Format: assay.PredicateSLSA01, BuildType: w.Recipe.Type}
	d.Dialect = dialectOf(w.Recipe.Type)
	d.deviationsOld("/materials", w.Materials.read, &w.Metadata, w.Builder.ID)
	ext := extensions(w.Materials.read)
	// The recipe is "in" a material given by its index in the document's order.
	// Protobuf writers leave index 0 out, so that absence tells nothing, and
	// write -1 for none.
	source := ""
	if at := bytes.Trim(w.Recipe.DefinedInMaterial, `"`); !isEmpty(w.Recipe.DefinedInMaterial) && string(at) != "-1" {
		i, err := strconv.Atoi(string(at))
		if err != nil || i < 0 || i >= len(w.Materials.read) {
			return nil, &assay.Error{Op: readOp, Kind: assay.ErrInvalid, Subject: name, Field: "/recipe/definedInMaterial",
				Value: string(at), Bound: "an index into " + strconv.Itoa(len(w.Materials.read)) + " materials", Rule: "SLSA P9"}
		}
		m := &w.Materials.read[i]
		t := typer{name: name, field: "/materials"}
		r, _, err := t.resource(i, 0, m)
		if err != nil {
			return nil, err
		}
		p.Source, source = sourceFrom(r), m.URI
	} else if d.Dialect == CloudBuild && isEmpty(w.Recipe.DefinedInMaterial) && len(w.Materials.read) == 1 {
		// Google's service is such a writer, and lists nothing but what it built.
		it, err := toItem(name, "/materials/0", &w.Materials.read[0])
		if err != nil {
			return nil, err
		}
		p.Source = sourceFrom(it.r)
	}
	if !isEmpty(w.Recipe.DefinedInMaterial) {
		// What it says is in Source, but not that it says it.
		ext[definedAt] = bytes.Clone(w.Recipe.DefinedInMaterial)
	}
	var err error
	if p.ExternalParameters, err = oldParameters(name, "/recipe/arguments", "arguments", w.Recipe.Arguments, source, w.Recipe.EntryPoint); err != nil {
		return nil, err
	}
	if p.InternalParameters, err = oldParameters(name, "/recipe/environment", "environment", w.Recipe.Environment, "", ""); err != nil {
		return nil, err
	}
	if err := oldMaterials(name, p, w.Materials.read, ext); err != nil {
		return nil, err
	}
	if err := oldRun(name, p, &w.Builder, &w.Metadata, ext); err != nil {
		return nil, err
	}
	keep(ext, "", w.Unknown)
	keep(ext, "/recipe", w.Recipe.Unknown)
	return finishOld(name, p, d, ext)
}

// oldParameters gives the members of the value, with "source" and "entryPoint"
// beside them as the specification's conversion has it (SLSA v1.2,
// build-provenance.md, "Migrating from 0.2"). A value that is no object, which v0.1
// allows, becomes one parameter of the given name.
func oldParameters(name, field, key string, v jsontext.Value, source, entryPoint string) (map[string]json.RawMessage, error) {
	out := map[string]json.RawMessage{}
	switch {
	case isEmpty(v):
	case v.Kind() == '{':
		out = membersOf(v)
	default:
		out[key] = json.RawMessage(v)
	}
	for _, add := range []struct{ key, value string }{{"source", source}, {"entryPoint", entryPoint}} {
		if add.value == "" {
			continue
		}
		b, err := jsontext.AppendQuote(nil, add.value)
		if err != nil {
			return nil, err
		}
		if old, ok := out[add.key]; ok && !bytes.Equal(old, b) {
			return nil, &assay.Error{Op: readOp, Kind: assay.ErrUnchecked, Subject: name, Field: field + "/" + add.key,
				Value: string(old), Bound: "no parameter of this name beside the config source's " + string(b), Rule: "SLSA P9"}
		}
		out[add.key] = b
	}
	if len(out) == 0 {
		return nil, nil
	}
	return out, nil
}

// oldMaterials sorts the materials and drops those stated twice, of which the config
// source usually is one.
func oldMaterials(name string, p *assay.Provenance, list []descriptor, ext map[string]json.RawMessage) (err error) {
	p.Materials, err = typedList(name, "/materials", list, true, ext)
	return err
}

func oldRun(name string, p *assay.Provenance, b *wireOldBuilder, m *wireOldMetadata, ext map[string]json.RawMessage) error {
	p.Builder.ID = b.ID
	p.InvocationID = m.BuildInvocationID
	if caps := m.BuildInvocationIDCaps; caps != "" {
		if p.InvocationID != "" && p.InvocationID != caps {
			return &assay.Error{Op: readOp, Kind: assay.ErrInvalid, Subject: name, Field: "/metadata/buildInvocationID", Value: caps, Bound: "the buildInvocationId " + p.InvocationID}
		}
		p.InvocationID = caps
	}
	var err error
	if p.StartedOn, err = parseTime(name, "/metadata/buildStartedOn", m.BuildStartedOn); err != nil {
		return err
	}
	if p.FinishedOn, err = parseTime(name, "/metadata/buildFinishedOn", m.BuildFinishedOn); err != nil {
		return err
	}
	keep(ext, "/builder", b.Unknown)
	keep(ext, "/metadata", m.Unknown)
	return nil
}

func finishOld(name string, p *assay.Provenance, d *Document, ext map[string]json.RawMessage) (*assay.Provenance, error) {
	if len(ext) > 0 {
		p.Extensions = ext
	}
	if err := checkRead(name, p, d.builderMayBeUnknown()); err != nil {
		return nil, err
	}
	return p, nil
}
