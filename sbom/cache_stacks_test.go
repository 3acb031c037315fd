package sbom_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assaykit/assay/internal/testimage"
	"github.com/assaykit/assay/sbom"
)

// stackMaker makes layers that write over, hide and link to what those below have.
type stackMaker struct {
	*rand.Rand
	seen []string // names of files that some layer has
}

func (r *stackMaker) one(list ...string) string { return list[r.IntN(len(list))] }

func (r *stackMaker) path() string {
	if len(r.seen) > 0 && r.IntN(2) == 0 {
		return r.one(r.seen...)
	}
	return r.one("usr/bin", "bin", "usr/lib", "lib", "opt/a", "opt/a/b", "srv/app", "srv/app/node_modules/a") + "/" +
		r.one("x", "y", "z", "lib.so", "run", fmt.Sprint("n", r.IntN(40)))
}

// databases of packages, all of which name files that may or may not be there.
func (r *stackMaker) database() []file {
	version := func() string { return fmt.Sprint(1+r.IntN(3), ".", r.IntN(3)) }
	list := func(separator string) string {
		var b strings.Builder
		for range 4 + r.IntN(16) {
			b.WriteString(separator + r.path() + "\n")
		}
		return b.String()
	}
	name := r.one("a", "b", "c", "@s/d")
	plain := r.one("a", "b", "c")
	switch r.IntN(10) {
	case 0:
		return []file{dpkgStatus("a "+version()+" Depends: b", "b "+version()+" Depends: c | gone", "c "+version())}
	case 1:
		return []file{dpkgStatus(plain + " " + version())}
	case 2:
		return []file{{Name: "var/lib/dpkg/info/" + plain + r.one("", ":amd64") + ".list", Body: "/.\n" + list("/")}}
	case 3:
		return []file{{Name: "var/lib/dpkg/diversions", Body: "/" + r.path() + "\n/" + r.path() + "\n" + plain + "\n"}}
	case 4:
		return []file{{Name: "var/lib/dpkg/status.d/" + plain, Body: "Package: " + plain + "\nVersion: " + version() + "\nArchitecture: amd64\n"},
			{Name: "var/lib/dpkg/status.d/" + plain + ".md5sums", Body: list(strings.Repeat("0", 32) + "  ")}}
	case 5:
		return []file{{Name: "lib/apk/db/installed", Body: "P:" + plain + "\nV:" + version() + "\nA:x86_64\nF:usr/bin\nR:x\nR:y\nF:lib\nR:z\n\n"}}
	case 6:
		return []file{{Name: r.one("usr/lib/os-release", "etc/os-release"), Body: "ID=" + r.one("debian", "ubuntu") + "\nVERSION_ID=" + version() + "\n"}}
	case 7:
		return []file{{Name: "usr/lib/python3/dist-packages/" + plain + ".dist-info/METADATA", Body: "Metadata-Version: 2.1\nName: " + plain + "\nVersion: " + version() + "\nRequires-Dist: b\n"},
			{Name: "usr/lib/python3/dist-packages/" + plain + ".dist-info/RECORD", Body: "../../../bin/x,,\n" + plain + "/y,,\n"}}
	case 8:
		return []file{{Name: "srv/app/package-lock.json", Body: `{"lockfileVersion":3,"packages":{"node_modules/` + name + `":{"version":"` + version() + `","resolved":"https://registry.npmjs.org/x/-/x.tgz"}}}`},
			pkgJSON("srv/app", "app", version(), `"dependencies":{"a":"*","b":"*"}`)}
	default:
		under := r.one("srv/app/node_modules/", "srv/app/node_modules/a/node_modules/", "srv/node_modules/")
		return []file{pkgJSON(under+name, name, version(), `"dependencies":{"`+r.one("a", "b", "@s/d", "gone", "..")+`":"*"}`)}
	}
}

func (r *stackMaker) layer() testimage.Layer {
	var l testimage.Layer
	for range 4 + r.IntN(16) {
		switch r.IntN(12) {
		case 0, 1, 2, 3:
			l.Files = append(l.Files, r.database()...)
		case 4:
			l.Files = append(l.Files, testimage.Whiteout(r.one(r.path(), "usr/bin", "srv/app/node_modules", "var/lib/dpkg/status", "opt/a")))
		case 5:
			l.Files = append(l.Files, testimage.Opaque(r.one("usr/bin", "opt/a", "srv/app/node_modules", "var/lib/dpkg/info")))
		case 6:
			l.Files = append(l.Files, testimage.Symlink(r.path(), r.one("/", "../")+r.path()))
		case 7: // folders that become links, and links that become folders
			l.Files = append(l.Files, r.pick(testimage.Symlink("bin", "usr/bin"), testimage.Symlink("lib", "/usr/lib"), file{Name: "bin/"}, file{Name: "lib/"},
				testimage.Symlink("srv/app/node_modules/b", "../../../opt/a"), testimage.Symlink("srv/node_modules", "app/node_modules")))
		case 8:
			if len(r.seen) > 0 {
				l.Files = append(l.Files, testimage.HardLink(r.path(), r.one(r.seen...)))
			}
		case 9:
			l.Files = append(l.Files, file{Name: r.path(), Mode: 0o755,
				Body: tinyGo(fmt.Sprintf("path\texample.org/cmd/c\nmod\texample.org/cmd\tv1.0.%d\ndep\texample.org/dep\tv1.%d.0\n", r.IntN(3), r.IntN(3)))})
		default:
			l.Files = append(l.Files, file{Name: r.path(), Mode: 0o755, Body: r.one("#!/bin/sh\n", "text", "\x7fELF broken")})
		}
	}
	for _, f := range l.Files {
		if f.Body != "" {
			r.seen = append(r.seen, f.Name)
		}
	}
	return l
}

func (r *stackMaker) pick(list ...file) file { return list[r.IntN(len(list))] }

// Whatever layers do to one another, and whichever of them a cache has, a scan gives
// what one without a cache gives, or fails for the same reason.
func TestCacheStacks(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	good, components, past, ambiguous, owned := 0, 0, 0, 0, 0
	const seeds = 150
	for seed := range uint64(seeds) {
		r := &stackMaker{Rand: rand.New(rand.NewPCG(seed, 7))}
		layers := make([]testimage.Layer, 1+r.IntN(5))
		for i := range layers {
			layers[i] = r.layer()
		}
		img := testimage.New(t, layers...)
		opts := sbom.Options{Workers: 1 + r.IntN(4), LockFiles: r.IntN(2) == 0}
		result := func() string {
			c, err := sbom.Scan(ctx, img, opts)
			if err != nil {
				return err.Error()
			}
			for i, l := range c.Layers {
				if l.Cached && opts.Cache == nil {
					t.Fatalf("seed %d: layer %d is from no cache", seed, i)
				}
			}
			if opts.Cache == nil {
				good++
				components, past, ambiguous = components+len(c.SBOM.Components), past+len(c.History), ambiguous+len(c.Ambiguous)
				for f := range c.Files() {
					if _, ok := c.Owner(f.Path); ok {
						owned++
					}
				}
			}
			return everything(t, c)
		}
		want := result()
		opts.Logger = failures(t)
		// Some of the layers are known from images that have them in another place.
		opts.Cache = sbom.NewMemoryCache(0)
		for _, l := range layers {
			if r.IntN(3) > 0 {
				_, _ = sbom.Scan(ctx, testimage.New(t, l), opts)
			}
		}
		for _, state := range []string{"some layers", "all layers", "all layers again"} {
			if got := result(); got != want {
				t.Fatalf("seed %d, a cache with %s: %s", seed, state, cmp.Diff(want, got))
			}
		}
		// All but the top are known, as after a change of the application.
		opts.Cache = sbom.NewMemoryCache(0)
		_, _ = sbom.Scan(ctx, testimage.New(t, layers[:len(layers)-1]...), opts)
		if got := result(); got != want {
			t.Fatalf("seed %d, a cache with all but the top: %s", seed, cmp.Diff(want, got))
		}
	}
	t.Logf("%d of %d can be merged: %d components, %d past ones, %d ambiguities, %d owned files", good, seeds, components, past, ambiguous, owned)
	if good < seeds/2 || components < 5*good || past < 2*good || ambiguous == 0 || owned < good {
		t.Error("the layers are not difficult enough")
	}
}
