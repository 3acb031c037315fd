package rpm

// RecordFields is for package record.
func (p *Package) RecordFields() []any {
	return []any{&p.dirs, &p.bases, &p.index, &p.states, &p.old, &p.size}
}
