package python

// RecordFields is for package record.
func (m *Marker) RecordFields() []any { return []any{&m.op, &m.kids, &m.left, &m.right} }

// RecordFields is for package record.
func (o *operand) RecordFields() []any { return []any{&o.name, &o.text} }
