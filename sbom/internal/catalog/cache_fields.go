package catalog

import "github.com/assaykit/assay"

// The fields of the facts, for package record. One that is missing here is an error of
// [Catalog.FactCodec].

func (d *dpkgDB) RecordFields() []any      { return []any{&d.packages, &d.faults} }
func (d *apkDB) RecordFields() []any       { return []any{&d.packages, &d.faults} }
func (d *opkgDB) RecordFields() []any      { return []any{&d.packages, &d.faults} }
func (d *opkgControl) RecordFields() []any { return []any{&d.packages, &d.faults} }
func (d *rpmDB) RecordFields() []any       { return []any{&d.packages, &d.broken, &d.faults} }
func (d *dotnetDeps) RecordFields() []any  { return []any{&d.libraries, &d.faults} }
func (f *faulty) RecordFields() []any      { return []any{&f.err} }
func (b *goBinary) RecordFields() []any    { return []any{&b.sum} }
func (a *pyArchive) RecordFields() []any   { return []any{&a.sum} }
func (r *pyRequires) RecordFields() []any  { return []any{&r.list, &r.partial} }

// MarshalText and UnmarshalText are those of the digest.
func (a gemArchive) MarshalText() ([]byte, error) { return assay.Digest(a).MarshalText() }

func (a *gemArchive) UnmarshalText(b []byte) error { return (*assay.Digest)(a).UnmarshalText(b) }
