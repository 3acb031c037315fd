package sbom

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/assaykit/assay"
)

// DiskCache is a [Cache] in a folder, which several processes can use at once. What
// was not asked for the longest goes first when it is full.
//
// An entry is written under another name first, and gets its own when it is on the
// disk; one that is not whole, or not what was written, is found out by its checksum,
// deleted and reported, and is as good as none. That keeps out accidents and not
// people: the folder must be private to those who may decide what scans find.
type DiskCache struct {
	dir   string
	root  *os.Root
	limit int64

	mu sync.Mutex // one at a time makes room
}

const (
	diskMagic = "assay cache 2\n"
	entryEnd  = ".assay-layer"
	tempEnd   = ".assay-part"
	// staleAfter is when a file that was not finished is that of a process which ended.
	staleAfter = time.Hour
)

// NewDiskCache makes a cache of up to maxBytes in a folder, which it creates if it is
// not there. Zero means 256 MiB. What others have in the folder is left alone.
//
// The error is of kind [assay.ErrInvalid] for a folder that others than its owner can
// write to, [assay.ErrUnchecked] if it cannot be used.
func NewDiskCache(dir string, maxBytes int64) (*DiskCache, error) {
	fail := func(kind error, value, bound string, err error) (*DiskCache, error) {
		return nil, &assay.Error{Op: "open cache", Kind: kind, Subject: dir, Value: value, Bound: bound, Err: err}
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fail(assay.ErrUnchecked, "", "", err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return fail(assay.ErrUnchecked, "", "", err)
	}
	info, err := root.Stat(".")
	if err != nil {
		root.Close()
		return fail(assay.ErrUnchecked, "", "", err)
	}
	if m := info.Mode().Perm(); runtime.GOOS != "windows" && m&0o022 != 0 {
		root.Close()
		return fail(assay.ErrInvalid, "mode "+strconv.FormatUint(uint64(m), 8), "a folder that only its owner can write to", nil)
	}
	return &DiskCache{dir: dir, root: root, limit: cmp.Or(maxBytes, defaultCache)}, nil
}

// Close frees the folder. What is in it stays.
func (c *DiskCache) Close() error { return c.root.Close() }

// name of the file of a key, which can be any text.
func (c *DiskCache) name(key string) string {
	sum := sha256.Sum256([]byte(key))
	return hex.EncodeToString(sum[:]) + entryEnd
}

func (c *DiskCache) fail(op, name string, kind error, bound string, err error) error {
	return &assay.Error{Op: op, Kind: kind, Subject: c.dir, Field: name, Bound: bound, Err: err}
}

// Get implements [Cache]. The error is of kind [assay.ErrRefuted] for an entry that is
// not what was put there; it is gone then.
func (c *DiskCache) Get(ctx context.Context, key string) (string, bool, error) {
	name := c.name(key)
	value, ok, err := c.read(name, key)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "", false, nil
	case err != nil:
		return "", false, c.fail("read cache", name, assay.ErrUnchecked, "", err)
	case !ok:
		// Another process may have put a good one there by now: that is lost, too, and
		// no harm is done.
		err := c.root.Remove(name)
		if errors.Is(err, fs.ErrNotExist) {
			err = nil
		}
		return "", false, c.fail("read cache", name, assay.ErrRefuted, "the bytes that were written, by their checksum", err)
	}
	now := time.Now()
	_ = c.root.Chtimes(name, now, now) // so that it goes last; no more than that
	return value, true, ctx.Err()
}

// read gives the value in a file. It reports whether the file is an entry of that key,
// and one that this cache keeps.
func (c *DiskCache) read(name, key string) (value string, ok bool, err error) {
	f, err := c.root.Open(name)
	if err != nil {
		return "", false, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return "", false, err
	}
	if !info.Mode().IsRegular() {
		return "", false, errors.New("is no file")
	}
	size := info.Size() - int64(len(diskMagic)+sumSize)
	if size < 0 || info.Size() > max(c.limit, 0) {
		return "", false, nil
	}
	head := make([]byte, len(diskMagic)+sumSize)
	if _, err := io.ReadFull(f, head); err != nil || !bytes.HasPrefix(head, []byte(diskMagic)) {
		return "", false, nil
	}
	var body strings.Builder
	body.Grow(int(size))
	var sum checksum
	for chunk := make([]byte, min(size, 128<<10)); int64(body.Len()) < size; {
		n, err := io.ReadFull(f, chunk[:min(int64(len(chunk)), size-int64(body.Len()))])
		if err != nil {
			return "", false, nil
		}
		sum.add(chunk[:n])
		body.Write(chunk[:n])
	}
	if sum.number() != binary.BigEndian.Uint64(head[len(diskMagic):]) {
		return "", false, nil
	}
	value, ok = strings.CutPrefix(body.String(), strconv.Quote(key)+"\n")
	return value, ok, nil
}

// seal puts what tells an entry from anything else before its value:
//
//	magic checksum(of all that follows) key LF value
func seal(key, value string) []byte {
	out := make([]byte, 0, len(diskMagic)+sumSize+len(key)+16+len(value))
	out = append(out, diskMagic...)
	out = append(out, make([]byte, sumSize)...)
	out = strconv.AppendQuote(out, key)
	out = append(out, '\n')
	out = append(out, value...)
	var sum checksum
	sum.add(out[len(diskMagic)+sumSize:])
	binary.BigEndian.PutUint64(out[len(diskMagic):], sum.number())
	return out
}

// checksum is two cyclic ones, of the polynomials that processors compute: entries are
// megabytes, and looked at in each scan. A digest would take several times as long, and
// keep nobody out either who can write it anew.
type checksum struct{ ieee, castagnoli uint32 }

const sumSize = 8 // bytes

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func (c *checksum) add(b []byte) {
	c.ieee = crc32.Update(c.ieee, crc32.IEEETable, b)
	c.castagnoli = crc32.Update(c.castagnoli, castagnoli, b)
}

func (c *checksum) number() uint64 { return uint64(c.ieee)<<32 | uint64(c.castagnoli) }

// Put implements [Cache]. An entry that is larger than the cache is not kept. The
// error is of kind [assay.ErrUnchecked]; the cache has what it had before.
func (c *DiskCache) Put(ctx context.Context, key, value string) error {
	name, data := c.name(key), seal(key, value)
	if int64(len(data)) > c.limit {
		return nil
	}
	if err := c.write(name, data); err != nil {
		return c.fail("write cache", name, assay.ErrUnchecked, "", err)
	}
	if err := c.makeRoom(ctx, name); err != nil {
		return c.fail("make room in cache", "", assay.ErrUnchecked, "", err)
	}
	return nil
}

func (c *DiskCache) write(name string, data []byte) (err error) {
	temp := rand.Text() + tempEnd
	f, err := c.root.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = c.root.Remove(temp)
		}
	}()
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err == nil {
		now := time.Now() // finer than what a file system takes by itself
		_ = c.root.Chtimes(temp, now, now)
		err = c.root.Rename(temp, name)
	}
	if err != nil || runtime.GOOS == "windows" {
		return err
	}
	// The name, too, has to survive a crash; without it there is no entry, which does
	// no harm.
	if d, err := c.root.Open("."); err == nil {
		_ = d.Sync()
		_ = d.Close()
	}
	return nil
}

// makeRoom deletes the entries that were not used for the longest, but not the one
// that was just written, and what others began and did not finish. What another
// process deleted meanwhile is gone as well.
func (c *DiskCache) makeRoom(ctx context.Context, written string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	d, err := c.root.Open(".")
	if err != nil {
		return err
	}
	defer d.Close()
	type file struct {
		name string
		size int64
		used time.Time
	}
	var files []file
	var total int64
	now := time.Now()
	for {
		entries, err := d.ReadDir(256)
		for _, e := range entries {
			isTemp := strings.HasSuffix(e.Name(), tempEnd)
			if !isTemp && !strings.HasSuffix(e.Name(), entryEnd) || !e.Type().IsRegular() {
				continue
			}
			info, err := e.Info()
			if err != nil {
				continue // gone
			}
			if isTemp && now.Sub(info.ModTime()) > staleAfter {
				_ = c.root.Remove(e.Name())
				continue
			}
			total += info.Size()
			if !isTemp && e.Name() != written {
				files = append(files, file{e.Name(), info.Size(), info.ModTime()})
			}
		}
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	slices.SortFunc(files, func(a, b file) int { return cmp.Or(a.used.Compare(b.used), strings.Compare(a.name, b.name)) })
	for _, f := range files {
		if total <= c.limit {
			break
		}
		if err := c.root.Remove(f.name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		total -= f.size
	}
	return nil
}
