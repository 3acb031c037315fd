package catalog

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"strings"
	"sync"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/layers"
	"github.com/assaykit/assay/sbom/internal/catalog/rpm"
	"github.com/assaykit/assay/sbom/internal/catalog/rpm/bdb"
	"github.com/assaykit/assay/sbom/internal/catalog/rpm/ndb"
	"github.com/assaykit/assay/sbom/internal/catalog/rpm/sqlite"
)

const (
	rpmName = "rpm"

	rpmBDB     = "Packages"
	rpmNDB     = "Packages.db"
	rpmSQLite  = "rpmdb.sqlite"
	rpmLog     = rpmSQLite + "-wal"
	rpmJournal = rpmSQLite + "-journal"
)

// rpmDirs are where the database is: since Fedora 36, in SUSE, and in images that
// ostree makes, it is in /usr. The others are links then.
var rpmDirs = [...]string{"var/lib/rpm/", "usr/lib/sysimage/rpm/", "usr/share/rpm/"}

// The facts of the rpm visitor, beside faulty.
type (
	// rpmDB is what a database lists.
	rpmDB struct {
		packages []*rpm.Package
		// broken is why there may be more packages than those; faults are of single
		// packages.
		broken error
		faults []error
	}
	// rpmTable is a database in the format of SQLite. What it lists is known when its
	// log is, which may be in another layer.
	rpmTable  struct{ *sqlite.Database }
	rpmLogged = *sqlite.Log
)

// wrong is all that was not understood.
func (db *rpmDB) wrong() []error {
	if db.broken == nil {
		return db.faults
	}
	return append([]error{db.broken}, db.faults...)
}

// rpmTables bounds the packages of all tables of SQLite, which are read when the layers
// are merged, in bytes.
const rpmTables = 256 << 20

// maxFaults of single packages that are listed for a database.
const maxFaults = 20

type rpmVisitor struct{ share *rpmShare }

func newRPM(b *budget) layers.Visitor {
	return rpmVisitor{newRPMShare(b)}
}

func (rpmVisitor) Name() string { return rpmName }

func (rpmVisitor) Match(f *layers.File) layers.Want {
	if f.Type != layers.Regular && f.Type != layers.Symlink {
		return layers.WantNothing
	}
	for _, dir := range rpmDirs {
		if name, ok := strings.CutPrefix(f.Path, dir); ok {
			switch name {
			case rpmBDB, rpmNDB, rpmSQLite, rpmLog, rpmJournal:
				return layers.WantContent | layers.WantOptional
			}
		}
	}
	return layers.WantNothing
}

func (v rpmVisitor) Visit(_ context.Context, f *layers.File, c layers.Content) (any, error) {
	switch f.Base() {
	case rpmBDB:
		return v.share.list(f, c.Bytes, bdb.Each)
	case rpmNDB:
		return v.share.list(f, c.Bytes, ndb.Each)
	case rpmLog:
		var bound error
		l, err := sqlite.ParseLog(c.Bytes, v.share.page(f, &bound))
		if err != nil {
			return faulty{err}, nil
		}
		return l, bound
	case rpmJournal:
		if !hot(c.Bytes) {
			return nil, nil
		}
		return faulty{&assay.Error{Op: "read SQLite database", Kind: assay.ErrUnchecked, Value: "a rollback journal of a transaction that did not end",
			Bound: "a database that nobody writes to"}}, nil
	}
	db, err := sqlite.Open(c.Bytes)
	if err != nil {
		return faulty{err}, nil
	}
	var bound error
	db = db.Keep(rpmBDB, v.share.page(f, &bound)) // the table is called like the file of old
	if bound != nil {
		return nil, bound
	}
	return &rpmTable{db}, nil
}

// hot reports whether a rollback journal has pages that SQLite would put back
// (sqlite.org/fileformat2.html, section 3).
func hot(journal []byte) bool {
	return len(journal) >= 28 && bytes.HasPrefix(journal, []byte("\xd9\xd5\x05\xf9\x20\xa1\x63\xd7")) && binary.BigEndian.Uint32(journal[8:]) != 0
}

// rpmShare is what the databases of all layers have in common: each layer that
// installs a package has all others again. What is kept is charged once, so what the
// budget is exceeded by does not depend on which layer is read first.
type rpmShare struct {
	budget   *budget
	mu       sync.Mutex
	packages map[[32]byte]rpmHeader
	pages    map[[32]byte][]byte
}

func newRPMShare(b *budget) *rpmShare {
	return &rpmShare{budget: b, packages: map[[32]byte]rpmHeader{}, pages: map[[32]byte][]byte{}}
}

type rpmHeader struct {
	pkg *rpm.Package
	err error
}

// list reads the packages of a database. An error is of the budget.
func (s *rpmShare) list(f *layers.File, data []byte, each func([]byte, func(uint32, []byte) error) error) (*rpmDB, error) {
	db := &rpmDB{}
	var bound error
	db.broken = each(data, func(_ uint32, blob []byte) error {
		bound = s.add(db, f, blob)
		return bound
	})
	if bound != nil {
		return nil, bound
	}
	return db, nil
}

// rows reads the packages of a table, and puts its log over it.
func (t *rpmTable) rows(share *rpmShare, f *layers.File, log *sqlite.Log) (*rpmDB, error) {
	db := &rpmDB{}
	with, err := t.With(log)
	if err != nil {
		db.broken = err
		return db, nil
	}
	var bound error
	db.broken = with.Each(rpmBDB, func(row int64, c [][]byte) error {
		if len(c) < 2 {
			return &assay.Error{Op: "read SQLite database", Kind: assay.ErrInvalid, Field: "table Packages", Bound: "columns hnum and blob"}
		}
		bound = share.add(db, f, c[1])
		return bound
	})
	if bound != nil {
		return nil, bound
	}
	return db, nil
}

func (s *rpmShare) add(db *rpmDB, f *layers.File, blob []byte) error {
	h, err := s.header(f, blob)
	if err != nil {
		return err
	}
	if h.err != nil && len(db.faults) < maxFaults {
		db.faults = append(db.faults, h.err)
	}
	if h.pkg != nil && !h.pkg.IsKey() {
		db.packages = append(db.packages, h.pkg)
	}
	return nil
}

func (s *rpmShare) header(f *layers.File, blob []byte) (rpmHeader, error) {
	key := sha256.Sum256(blob)
	s.mu.Lock()
	h, ok := s.packages[key]
	s.mu.Unlock()
	if ok {
		return h, nil
	}
	h.pkg, h.err = rpm.ParsePackage(blob)
	s.mu.Lock()
	defer s.mu.Unlock()
	if was, ok := s.packages[key]; ok {
		return was, nil
	}
	s.packages[key] = h
	size := 256
	if h.pkg != nil {
		size += h.pkg.Size()
	}
	return h, s.budget.take(f, size)
}

// page gives a function that copies a page of SQLite, and notes when there are too
// many.
func (s *rpmShare) page(f *layers.File, bound *error) func([]byte) []byte {
	return func(p []byte) []byte {
		if *bound != nil {
			return nil
		}
		key := sha256.Sum256(p)
		s.mu.Lock()
		defer s.mu.Unlock()
		if was, ok := s.pages[key]; ok {
			return was
		}
		if *bound = s.budget.take(f, len(p)+128); *bound != nil {
			return nil
		}
		kept := bytes.Clone(p)
		s.pages[key] = kept
		return kept
	}
}
