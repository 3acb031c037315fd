package witness

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	prototrustroot "github.com/sigstore/protobuf-specs/gen/pb-go/trustroot/v1"
	"github.com/sigstore/sigstore-go/pkg/root"

	"github.com/assaykit/assay"
)

const head = `{"mediaType":"application/vnd.dev.sigstore.signingconfig.v0.2+json"`

func service(url string, version int, window, operator string) string {
	return fmt.Sprintf(`{"url":%q,"majorApiVersion":%d,"validFor":{%s},"operator":%q}`, url, version, window, operator)
}

const (
	since2025 = `"start":"2025-01-01T00:00:00Z"`
	since2026 = `"start":"2026-01-01T00:00:00Z"`
	in2025    = `"start":"2025-01-01T00:00:00Z","end":"2025-12-31T00:00:00Z"`
	from2027  = `"start":"2027-01-01T00:00:00Z"`
)

func at(year int) time.Time { return time.Date(year, 6, 1, 0, 0, 0, 0, time.UTC) }

// The rules of sigstore_trustroot.proto, SigningConfig: validity windows, API
// versions, one of each operator, the selectors.
func TestChoose(t *testing.T) {
	logs := strings.Join([]string{
		service("https://v1.example", 1, since2025, "v1"),
		service("https://a-old.example", 2, since2025, "a"),
		service("https://a-new.example", 2, since2026, "a"),
		service("https://b.example", 2, in2025, "b"),
		service("https://c.example", 2, since2025, "c"),
		service("https://d.example", 2, from2027, "d"),
		service("https://v3.example", 3, since2025, "e"),
	}, ",")
	for _, tt := range []struct {
		name, selector string
		now            time.Time
		want           []string // as many as are needed, then those in reserve after "|"
		says           string
	}{
		{"all", `"ALL"`, at(2026), []string{"a-new", "c", "|"}, ""},
		{"any", `"ANY"`, at(2026), []string{"a-new", "|", "c"}, ""},
		{"one", `"EXACT","count":1`, at(2026), []string{"a-new", "|", "c"}, ""},
		{"two", `"EXACT","count":2`, at(2026), []string{"a-new", "c", "|"}, ""},
		{"three", `"EXACT","count":3`, at(2026), nil, "2 at 2026-06-01T00:00:00Z"},
		{"a window that is over counts in its time", `"ALL"`, at(2025), []string{"a-old", "b", "c", "|"}, ""},
		{"later", `"ALL"`, at(2027), []string{"d", "a-new", "c", "|"}, ""},
		{"before", `"ALL"`, at(2020), nil, "0 at 2020-06-01T00:00:00Z"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, err := ParseConfig([]byte(head + `,"rekorTlogUrls":[` + logs + `],"rekorTlogConfig":{"selector":` + tt.selector + `}}`))
			if err != nil {
				t.Fatal(err)
			}
			got, err := choose("/rekorTlogUrls", c.Logs, logVersions, c.LogConfig, tt.now)
			if tt.want == nil {
				if assay.KindOf(err) != assay.ErrInvalid || !strings.Contains(err.Error(), tt.says) || !strings.Contains(err.Error(), "/rekorTlogUrls") {
					t.Errorf("got %v, %v", got, err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			var names []string
			for i, s := range got.services {
				if i == got.need {
					names = append(names, "|")
				}
				names = append(names, strings.TrimSuffix(strings.TrimPrefix(s.URL, "https://"), ".example"))
			}
			if got.need == len(got.services) {
				names = append(names, "|")
			}
			if diff := cmp.Diff(tt.want, names); diff != "" {
				t.Errorf("services (-want +got):\n%s", diff)
			}
		})
	}
	only := head + `,"rekorTlogUrls":[` + service("https://v1.example", 1, since2025, "v1") + `],"rekorTlogConfig":{"selector":"ANY"}}`
	c, err := ParseConfig([]byte(only))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := choose("", c.Logs, logVersions, c.LogConfig, at(2026)); err != nil || got.services[0].Version != 1 {
		t.Errorf("the older version alone: %v, %v", got, err)
	}
	if _, err := c.Issuer(at(2026)); assay.KindOf(err) != assay.ErrInvalid || !strings.Contains(err.Error(), "/oidcUrls") {
		t.Errorf("no issuer: %v", err)
	}
}

func TestParseConfigRefuses(t *testing.T) {
	many := strings.Repeat(service("https://a.example", 1, since2025, "a")+",", maxServices) + service("https://a.example", 1, since2025, "a")
	for _, tt := range []struct {
		name, doc string
		kind      error
		says      string
	}{
		{"v0.1", `{"mediaType":"application/vnd.dev.sigstore.signingconfig.v0.1+json"}`, assay.ErrInvalid, "/mediaType"},
		{"an unknown member", head + `,"rekorTlogUrl":[]}`, assay.ErrInvalid, "rekorTlogUrl"},
		{"a member twice", head + `,"caUrls":[],"caUrls":[]}`, assay.ErrInvalid, "/caUrls"},
		{"another case", head + `,"caURLs":[]}`, assay.ErrInvalid, "caURLs"},
		{"no URL", head + `,"caUrls":[` + service("ca.example", 1, since2025, "a") + `]}`, assay.ErrInvalid, "/caUrls/0/url"},
		{"a user in the URL", head + `,"tsaUrls":[` + service("https://me:secret@ca.example", 1, since2025, "a") + `]}`, assay.ErrInvalid, "/tsaUrls/0/url"},
		{"no version", head + `,"caUrls":[` + service("https://ca.example", 0, since2025, "a") + `]}`, assay.ErrInvalid, "/caUrls/0/majorApiVersion"},
		{"no window", head + `,"caUrls":[{"url":"https://ca.example","majorApiVersion":1}]}`, assay.ErrInvalid, "/caUrls/0/validFor/start"},
		{"a window that ends first", head + `,"caUrls":[` + service("https://ca.example", 1, `"start":"2026-01-01T00:00:00Z","end":"2025-01-01T00:00:00Z"`, "a") + `]}`, assay.ErrInvalid, "/caUrls/0/validFor/end"},
		{"no selector", head + `,"tsaUrls":[` + service("https://t.example", 1, since2025, "a") + `]}`, assay.ErrInvalid, "/tsaConfig/selector"},
		{"an unknown selector", head + `,"tsaConfig":{"selector":"SOME"}}`, assay.ErrInvalid, "/tsaConfig/selector"},
		{"exactly none", head + `,"rekorTlogConfig":{"selector":"EXACT"}}`, assay.ErrInvalid, "/rekorTlogConfig/count"},
		{"too many", head + `,"caUrls":[` + many + `]}`, assay.ErrBound, "/caUrls"},
		{"trailing data", head + `}{}`, assay.ErrInvalid, ""},
	} {
		_, err := ParseConfig([]byte(tt.doc))
		if !errors.Is(err, tt.kind) || !strings.Contains(err.Error(), tt.says) || strings.Contains(err.Error(), "secret@") {
			t.Errorf("%s: got %v, want %v that says %s", tt.name, err, tt.kind, tt.says)
		}
	}
}

// FuzzParseConfig holds the reader, and the choice of services, to sigstore-go's: what
// is accepted here is there, and ALL gives the same services.
func FuzzParseConfig(f *testing.F) {
	f.Add([]byte(head+`,"caUrls":[`+service("https://ca.example", 1, since2025, "a")+`],"oidcUrls":[],"rekorTlogUrls":[`+service("https://r.example", 2, in2025, "b")+
		`],"rekorTlogConfig":{"selector":"EXACT","count":1},"tsaUrls":[`+service("http://t.example/ts", 1, from2027, "")+`],"tsaConfig":{"selector":"ANY"}}`), int64(1780000000))
	f.Add([]byte(head+`}`), int64(0))
	f.Add([]byte(head+`,"rekorTlogUrls":[`+service("https://a.example", 2, since2026, "o")+","+service("https://b.example", 2, since2025, "o")+","+service("https://c.example", 1, since2026, "p")+`],"rekorTlogConfig":{"selector":"ALL"}}`), int64(1780000000))
	f.Fuzz(func(t *testing.T, data []byte, now int64) {
		c, err := ParseConfig(data)
		if err != nil {
			return
		}
		other, err := root.NewSigningConfigFromJSON(data)
		if err != nil {
			// Times of the years 1 to 9999 are what protobuf has.
			if strings.Contains(err.Error(), "Timestamp") {
				return
			}
			t.Fatalf("accepted, and sigstore-go says %v", err)
		}
		clock := time.Unix(now, 0).UTC()
		want, err := root.SelectServices(other.RekorLogURLs(), root.ServiceConfiguration{Selector: prototrustroot.ServiceSelector_ALL}, logVersions, clock)
		got := candidates(c.Logs, logVersions, clock)
		if (err != nil) != (len(got) == 0) || len(want) != len(got) {
			t.Fatalf("%v, sigstore-go %v, %v", got, want, err)
		}
		operators := map[string]time.Time{}
		for _, s := range want {
			operators[s.Operator] = s.ValidityPeriodStart
		}
		for _, s := range got {
			if start, ok := operators[s.Operator]; !ok || !start.Equal(*s.ValidFor.Start) {
				t.Errorf("%v is not among %v", s, want)
			}
		}
	})
}

// FuzzEntryV1 reads what a Rekor v1 says: what is given has the signature.
func FuzzEntryV1(f *testing.F) {
	f.Add([]byte(`{"id":{"body":"eyJraW5kIjoiZHNzZSIsImFwaVZlcnNpb24iOiIwLjAuMSIsInNwZWMiOnsic2lnIjoiYzJsbiJ9fQ==","integratedTime":1,"logID":"00","logIndex":1,"verification":{"signedEntryTimestamp":"AA==","inclusionProof":{"checkpoint":"c","hashes":["00"],"logIndex":1,"rootHash":"00","treeSize":2}}}}`))
	f.Add([]byte(`{"id":{"body":"bnVsbA==","verification":{"inclusionProof":{"checkpoint":"c","hashes":["zz"]}}}}`))
	f.Add([]byte(`{"a":{},"b":{}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		sig := []byte("sig")
		e, err := parseV1(Service{URL: "https://rekor.example"}, data, sig)
		if err == nil && (!contains(e.CanonicalizedBody, sig) || e.GetInclusionProof().GetCheckpoint().GetEnvelope() == "" || e.GetKindVersion().GetKind() == "") {
			t.Errorf("accepted %+v", e)
		}
	})
}
