package sqlite

// RecordFields is for package record.
func (d *Database) RecordFields() []any {
	return []any{&d.size, &d.file, &d.kept, &d.pages, &d.log}
}

// RecordFields is for package record.
func (l *Log) RecordFields() []any { return []any{&l.size, &l.count, &l.pages} }
