package main

import (
	"fmt"
	"os"
	"time"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/sbom"
)

// progress gives what shows how far a scan is, and what wipes that away again. Where
// standard error is no terminal nothing is shown.
func (e env) progress() (show func(sbom.Progress), wipe func()) {
	f, ok := e.stderr.(*os.File)
	if !ok {
		return nil, func() {}
	}
	if info, err := f.Stat(); err != nil || info.Mode()&os.ModeCharDevice == 0 {
		return nil, func() {}
	}
	layers := map[assay.Digest]sbom.Progress{}
	var last time.Time
	show = func(p sbom.Progress) {
		layers[p.Digest] = p
		if time.Since(last) < 100*time.Millisecond {
			return
		}
		last = time.Now()
		var done, total int64
		for _, l := range layers {
			done += l.Done
			total += l.Total
		}
		fmt.Fprintf(f, "\rscanning: %d layers, %d of %d MB\x1b[K", len(layers), done>>20, total>>20)
	}
	return show, func() { fmt.Fprint(f, "\r\x1b[K") }
}
