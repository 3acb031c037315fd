package main

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/attest"
	"github.com/assaykit/assay/provenance"
)

// generateCommand states how something was built: by the CI that it runs in, or, outside
// of any, by the clone in the folder.
func generateCommand(fs *flag.FlagSet) action {
	var out outputs
	var locks, buildArgs, byproducts repeated
	var dockerfile, binary string
	builder := fs.String("builder-id", "", "builder.id `URI` where no token of the CI shows it")
	fs.StringVar(&dockerfile, "dockerfile", "", "add the base images that `FILE` pins")
	fs.StringVar(&binary, "binary", "", "add the modules of the Go program in `FILE`")
	fs.Var(&buildArgs, "build-arg", "build argument `NAME=VALUE` of the Dockerfile; may be repeated")
	fs.Var(&byproducts, "byproduct", "name `FILE`, such as the build's log, by its digest; may be repeated")
	fs.Var(&locks, "lock", "add what the lock file `FILE` pins; may be repeated")
	fs.Var(&out, "o", "`FORMAT[=FILE]`: json; may be repeated")
	return func(ctx context.Context, e env, dir string) error {
		out, err := out.or("json")
		if err != nil {
			return err
		}
		var p *assay.Provenance
		opts := provenance.Options{BuilderIDUnsafe: *builder}
		if _, ci := provenance.Detect(opts); ci || *builder == "" {
			p, err = provenance.FromEnvironment(ctx, opts)
		} else {
			p, err = provenance.FromGit(ctx, dir, provenance.BuildOptions{BuilderID: *builder})
		}
		if err != nil {
			return err
		}
		materials, err := pinned(e, locks, dockerfile, buildArgs)
		if err != nil {
			return err
		}
		if p, err = provenance.WithMaterials(p, materials...); err != nil {
			return err
		}
		if binary != "" {
			f, err := os.Open(binary)
			if err != nil {
				return err
			}
			program, err := provenance.FromGoBinary(f, provenance.BuildOptions{BuilderID: p.Builder.ID})
			if err = errors.Join(err, f.Close()); err != nil {
				return err
			}
			if p, err = provenance.Combine(p, program); err != nil {
				return err
			}
		}
		if p, err = withByproducts(p, byproducts); err != nil {
			return err
		}
		return writePredicate(e, out, p)
	}
}

func withByproducts(p *assay.Provenance, files []string) (*assay.Provenance, error) {
	var list []assay.Resource
	for _, file := range files {
		f, err := os.Open(file)
		if err != nil {
			return nil, err
		}
		r, err := provenance.Byproduct(filepath.Base(file), "", "", f)
		if err = errors.Join(err, f.Close()); err != nil {
			return nil, err
		}
		list = append(list, r)
	}
	return provenance.WithByproducts(p, list...)
}

// pinned reads materials, and notes what has no digest.
func pinned(e env, locks []string, dockerfile string, buildArgs []string) ([]assay.Resource, error) {
	var out []assay.Resource
	for _, file := range locks {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		list, unpinned, err := provenance.LockFile(file, text)
		if err != nil {
			return nil, err
		}
		if unpinned > 0 {
			e.note("%s: %d packages have no digest, and are left out", file, unpinned)
		}
		out = append(out, list...)
	}
	if dockerfile == "" {
		return out, nil
	}
	text, err := os.ReadFile(dockerfile)
	if err != nil {
		return nil, err
	}
	args := map[string]string{}
	for _, a := range buildArgs {
		name, value, ok := strings.Cut(a, "=")
		if !ok || name == "" {
			return nil, misused("--build-arg %s: want NAME=VALUE", a)
		}
		args[name] = value
	}
	images, err := provenance.FromDockerfile(dockerfile, text, args)
	if err != nil {
		return nil, err
	}
	for _, i := range images {
		m, err := i.Material()
		switch {
		case errors.Is(err, assay.ErrAbsent):
			e.note("%s:%d: %s has no digest, and is left out", dockerfile, i.Line, i.Reference)
		case err != nil:
			return nil, err
		default:
			out = append(out, m)
		}
	}
	return out, nil
}

// checkProvenanceCommand reads provenance of any version by its rules.
func checkProvenanceCommand(fs *flag.FlagSet) action {
	typ := fs.String("type", "", "predicate type `URI` where FILE is a predicate, and no statement or envelope")
	return func(ctx context.Context, e env, file string) error {
		d, err := readProvenance(ctx, e, file, *typ)
		if err != nil {
			return err
		}
		for _, x := range d.Deviations {
			e.note("%s", x)
		}
		p, builder := d.Provenance, d.Provenance.Builder.ID
		if builder == "" {
			builder = "unknown"
		}
		_, err = fmt.Fprintf(e.stdout, "%s\nbuilder   %s\nbuildType %s\nsource    %s %s %s\nmaterials %d\n",
			p.Format, builder, p.BuildType, p.Source.Repository, p.Source.Commit, p.Source.Ref, len(p.Materials))
		return err
	}
}

// convertProvenanceCommand writes older provenance as SLSA v1, and says what has no
// place there.
func convertProvenanceCommand(fs *flag.FlagSet) action {
	var out outputs
	typ := fs.String("type", "", "predicate type `URI` where FILE is a predicate, and no statement or envelope")
	buildType := fs.String("build-type", "", "build type `URI` of the v1 predicate")
	fs.Var(&out, "o", "`FORMAT[=FILE]`: json; may be repeated")
	return func(ctx context.Context, e env, file string) error {
		out, err := out.or("json")
		if err != nil {
			return err
		}
		d, err := readProvenance(ctx, e, file, *typ)
		if err != nil {
			return err
		}
		p, losses, err := provenance.ToV1(d.Provenance, *buildType)
		if err != nil {
			return err
		}
		for _, l := range losses {
			e.note("%s", l)
		}
		return writePredicate(e, out, p)
	}
}

// readProvenance reads a predicate, a statement, or the one provenance among the envelopes
// of a file, as builders publish it. Nobody has verified it.
func readProvenance(ctx context.Context, e env, file, typ string) (*provenance.Document, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	if typ != "" {
		return provenance.ReadDocument(file, assay.PredicateType(typ), data)
	}
	h, err := attest.ParseStatement(file, data)
	if err == nil {
		return provenance.ReadDocument(file, h.PredicateType, h.Predicate)
	}
	envelopes, other := attest.ReadFiles(ctx, file)
	if other != nil {
		return nil, err
	}
	var found []assay.Envelope
	for _, x := range envelopes {
		if u, err := attest.ReadUnverified(x); err == nil && u.Format != attest.FormatStatement && u.PredicateType.Kind() == assay.KindProvenance {
			found = append(found, x)
		}
	}
	switch {
	case len(found) == 0:
		return nil, err
	case len(found) > 1:
		return nil, fmt.Errorf("%s: %d envelopes have provenance; give one", file, len(found))
	}
	payload, err := payloadOf(found[0])
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	if h, err = attest.ParseStatement(file, payload); err != nil {
		return nil, err
	}
	e.note("%s: the signature is not verified", file)
	return provenance.ReadDocument(file, h.PredicateType, h.Predicate)
}

// payloadOf takes the statement out of an envelope that [attest.ReadUnverified] read.
func payloadOf(x assay.Envelope) ([]byte, error) {
	type dsse struct {
		Payload string `json:"payload"`
	}
	var doc struct {
		dsse
		Bundled *dsse `json:"dsseEnvelope"`
	}
	if err := json.Unmarshal(x.Raw(), &doc); err != nil {
		return nil, err
	}
	if doc.Bundled != nil {
		doc.dsse = *doc.Bundled
	}
	return base64.StdEncoding.DecodeString(strings.NewReplacer("-", "+", "_", "/").Replace(doc.Payload))
}

func writePredicate(e env, out outputs, p *assay.Provenance) error {
	text, err := provenance.Encode(p)
	if err != nil {
		return err
	}
	return out.write(e, func(_ string, w io.Writer) error {
		_, err := w.Write(append(text, '\n'))
		return err
	})
}
