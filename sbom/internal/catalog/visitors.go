package catalog

import (
	"bytes"
	"context"
	"errors"
	"strings"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/layers"
	"github.com/assaykit/assay/sbom/internal/catalog/dpkg"
	"github.com/assaykit/assay/sbom/internal/catalog/golang"
	"github.com/assaykit/assay/sbom/internal/catalog/npm"
)

const (
	dpkgDir        = "var/lib/dpkg/"
	dpkgStatus     = dpkgDir + "status"
	dpkgStatusD    = dpkgDir + "status.d/"
	dpkgInfo       = dpkgDir + "info/"
	dpkgDiversions = dpkgDir + "diversions"
	docDir         = "usr/share/doc/"
	copyrightName  = "/copyright"
)

// The facts of the dpkg visitor, beside dpkgDB.
type (
	fileList   string          // of info/*.list
	sumList    string          // of info/*.md5sums or status.d/*.md5sums
	diversions string          // of diversions
	copyright  []assay.License // of a copyright file
	lockFile   = *npm.Lock     // of a lock file of npm, pnpm or Yarn
	manifest   = *npm.Manifest // of a package.json
	goBinary   struct {        // of an executable
		*golang.Binary
		sum assay.Digest
	}
)

func isCopyright(path string) bool {
	return strings.HasPrefix(path, docDir) && strings.HasSuffix(path, copyrightName)
}

type dpkgVisitor struct{ budget *budget }

func (dpkgVisitor) Name() string { return dpkgName }

func (dpkgVisitor) Match(f *layers.File) layers.Want {
	if f.Type != layers.Regular && f.Type != layers.Symlink {
		return layers.WantNothing
	}
	p := f.Path
	switch {
	case strings.HasPrefix(p, docDir):
		// Licences can be done without; a copyright file of megabytes is none.
		name, ok := strings.CutSuffix(p[len(docDir):], copyrightName)
		if ok && name != "" && !strings.Contains(name, "/") && f.Size <= 4<<20 {
			return layers.WantContent | layers.WantOptional | layers.WantAnyName
		}
	case !strings.HasPrefix(p, dpkgDir):
	case p == dpkgStatus, p == dpkgDiversions:
		return layers.WantContent | layers.WantOptional
	case strings.HasPrefix(p, dpkgStatusD):
		if name := p[len(dpkgStatusD):]; !strings.Contains(name, "/") {
			return layers.WantContent | layers.WantOptional
		}
	case strings.HasPrefix(p, dpkgInfo):
		name := p[len(dpkgInfo):]
		if !strings.Contains(name, "/") && (strings.HasSuffix(name, ".list") || strings.HasSuffix(name, ".md5sums")) {
			return layers.WantContent | layers.WantOptional
		}
	}
	return layers.WantNothing
}

func (v dpkgVisitor) Visit(_ context.Context, f *layers.File, c layers.Content) (any, error) {
	if strings.HasPrefix(f.Path, docDir) {
		l := dpkg.ParseCopyright(c.Bytes)
		if len(l) == 0 {
			return nil, nil
		}
		size := 0
		for _, one := range l {
			size += 64 + len(one.Name) + len(one.Expression)
		}
		return copyright(l), v.budget.take(f, size)
	}
	if strings.HasSuffix(f.Path, ".list") || strings.HasSuffix(f.Path, ".md5sums") || f.Path == dpkgDiversions {
		size := len(c.Bytes)
		if f.Path == dpkgDiversions {
			// Lines of one letter are the parts of records much larger than they are.
			size += 64 * bytes.Count(c.Bytes, []byte("\n"))
		}
		if err := v.budget.take(f, size); err != nil {
			return nil, err
		}
	}
	switch {
	case f.Path == dpkgDiversions:
		return diversions(c.Bytes), nil
	case strings.HasSuffix(f.Path, ".list") && strings.HasPrefix(f.Path, dpkgInfo):
		return fileList(c.Bytes), nil
	case strings.HasSuffix(f.Path, ".md5sums"):
		return sumList(c.Bytes), nil
	}
	db := readDpkg(f.Path, c.Bytes)
	return db, v.budget.take(f, db.size())
}

// apkPaths are where the database is: apk-tools 3 on a merged /usr has the second.
var apkPaths = [...]string{"lib/apk/db/installed", "usr/lib/apk/db/installed"}

type apkVisitor struct{ budget *budget }

func (apkVisitor) Name() string { return apkName }

func (apkVisitor) Match(f *layers.File) layers.Want {
	if f.Path == apkPaths[0] || f.Path == apkPaths[1] {
		return layers.WantContent | layers.WantOptional
	}
	return layers.WantNothing
}

func (v apkVisitor) Visit(_ context.Context, f *layers.File, c layers.Content) (any, error) {
	db := readApk(c.Bytes)
	return db, v.budget.take(f, db.size())
}

// goVisitor looks into every executable, whatever its name and mode: what can be
// copied and run is an executable.
type goVisitor struct{ budget *budget }

func (goVisitor) Name() string { return goName }

func (goVisitor) Match(f *layers.File) layers.Want {
	if f.Type != layers.Regular || f.Size < 512 {
		return layers.WantNothing
	}
	return layers.WantPeek | layers.WantAnyName
}

func (goVisitor) Peek(_ *layers.File, head []byte) layers.Want {
	if !golang.IsExecutable(head) {
		return layers.WantNothing
	}
	return layers.WantContent | layers.WantHash | layers.WantOptional
}

func (v goVisitor) Visit(_ context.Context, f *layers.File, c layers.Content) (any, error) {
	b, err := golang.Parse(c.Bytes)
	if errors.Is(err, golang.ErrNotGo) {
		return nil, nil
	}
	if err != nil {
		return faulty{err}, nil
	}
	if err := v.budget.take(f, b.Size()); err != nil {
		return nil, err
	}
	return goBinary{b, c.SHA256}, nil
}

type npmVisitor struct{ budget *budget }

func (npmVisitor) Name() string { return npmName }

func (npmVisitor) Match(f *layers.File) layers.Want {
	if f.Type != layers.Regular {
		return layers.WantNothing
	}
	switch f.Path[len(f.Path)-1] {
	case 'n', 'k', 'l', 'p':
	default:
		return layers.WantNothing
	}
	if isYarnArchive(f.Path) {
		return layers.WantContent | layers.WantOptional
	}
	switch f.Base() {
	case "package.json":
		if dir, installed := installedName(f.Path); dir == "" && installed {
			return layers.WantNothing // a file inside of a package
		}
	case "package-lock.json", "npm-shrinkwrap.json", "yarn.lock", "pnpm-lock.yaml":
		if inModules(f.Path) {
			return layers.WantNothing
		}
	case ".package-lock.json":
		if p := f.Parent(); p != nodeModules && !strings.HasSuffix(p, "/"+nodeModules) {
			return layers.WantNothing
		}
	case "lock.yaml":
		if p := f.Parent(); p != nodeModules+"/.pnpm" && !strings.HasSuffix(p, "/"+nodeModules+"/.pnpm") {
			return layers.WantNothing
		}
	default:
		return layers.WantNothing
	}
	return layers.WantContent | layers.WantOptional
}

func (v npmVisitor) Visit(_ context.Context, f *layers.File, c layers.Content) (any, error) {
	if isYarnArchive(f.Path) {
		return v.archive(f, c)
	}
	if f.Base() == "package.json" {
		m, err := npm.ParseManifest(f.Path, c.Bytes)
		if err != nil {
			return faulty{err}, nil
		}
		return m, v.budget.take(f, m.Size())
	}
	parse := npm.ParseLock
	switch f.Base() {
	case "yarn.lock":
		parse = npm.ParseYarn
	case "pnpm-lock.yaml", "lock.yaml":
		parse = npm.ParsePnpm
	}
	lock, err := parse(f.Path, c.Bytes)
	if err != nil {
		return faulty{err}, nil
	}
	return lock, v.budget.take(f, lock.Size())
}

const nodeModules = "node_modules"

func inModules(path string) bool {
	return strings.HasPrefix(path, nodeModules+"/") || strings.Contains(path, "/"+nodeModules+"/")
}

// installedName gives the name of the package whose package.json path is
// ("…/node_modules/NAME/package.json"). It is "" for any other path; inside tells
// whether that is in a node_modules folder all the same.
func installedName(path string) (name string, inside bool) {
	if !inModules(path) {
		return "", false
	}
	i := strings.LastIndex("/"+path, "/"+nodeModules+"/") + len(nodeModules) + 1
	name, ok := strings.CutSuffix(path[i:], "/package.json")
	if !ok || !npm.ValidName(name) {
		return "", true
	}
	return name, true
}
