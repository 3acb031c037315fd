package osrelease

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParse(t *testing.T) {
	for name, c := range map[string]struct {
		text, distro string
		want         Release
	}{
		"debian": {"PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nNAME=\"Debian GNU/Linux\"\nVERSION_ID=\"12\"\nVERSION_CODENAME=bookworm\nID=debian\n",
			"debian-12", Release{ID: "debian", VersionID: "12", Name: "Debian GNU/Linux", PrettyName: "Debian GNU/Linux 12 (bookworm)", Codename: "bookworm"}},
		"unstable": {"ID=debian\nVERSION_CODENAME=trixie", "debian-trixie", Release{ID: "debian", Codename: "trixie"}},
		"quotes": {"# comment\nnonsense\n ID='Alp ine' \r\nVERSION=\"a \\\"b\\\" \\$c\"\nCPE_NAME=cpe:/o:x\nVENDOR_NAME=V\nVARIANT_ID=s\n",
			"alp ine", Release{ID: "alp ine", Version: `a "b" $c`, CPE: "cpe:/o:x", Vendor: "V", VariantID: "s"}},
		"none": {"NAME=x", "", Release{Name: "x"}},
	} {
		t.Run(name, func(t *testing.T) {
			got := Parse([]byte(c.text))
			if d := cmp.Diff(c.want, got); d != "" {
				t.Error(d)
			}
			if got.Distro() != c.distro || got.IsZero() != (c.distro == "") {
				t.Errorf("distro %q", got.Distro())
			}
		})
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte("ID=\"a\\\"\nVERSION_ID='\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if r := Parse(data); r.IsZero() != (r.Distro() == "") {
			t.Fatalf("%+v", r)
		}
	})
}
