package witness

import (
	"slices"
	"strconv"
	"time"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/request"
	"github.com/assaykit/assay/internal/strictjson"
)

// MediaTypeConfig is the one media type of signing configs that is read.
const MediaTypeConfig = "application/vnd.dev.sigstore.signingconfig.v0.2+json"

// The major versions of the services' APIs that are spoken.
var (
	caVersions   = []uint32{1}
	oidcVersions = []uint32{1}
	logVersions  = []uint32{2, 1} // the newest first
	tsaVersions  = []uint32{1}
)

const (
	maxConfigBytes = 1 << 20
	maxServices    = 64 // of a kind; more would be asked for nothing
)

// Config is a signing config (protobuf-specs v0.5, sigstore_trustroot.proto,
// SigningConfig).
type Config struct {
	MediaType string    `json:"mediaType"`
	CAs       []Service `json:"caUrls"`
	OIDC      []Service `json:"oidcUrls"`
	Logs      []Service `json:"rekorTlogUrls"`
	LogConfig Selection `json:"rekorTlogConfig"`
	TSAs      []Service `json:"tsaUrls"`
	TSAConfig Selection `json:"tsaConfig"`
}

// Service is one place to send requests to.
type Service struct {
	URL      string  `json:"url"`
	Version  uint32  `json:"majorApiVersion"`
	ValidFor *window `json:"validFor"`
	Operator string  `json:"operator"`
}

type window struct {
	Start *time.Time `json:"start"`
	End   *time.Time `json:"end"`
}

// Selection says how many services of a kind are used.
type Selection struct {
	Selector string `json:"selector"`
	Count    uint32 `json:"count"`
}

// ParseConfig reads a signing config. A member that is not known is refused: it may
// narrow what the others say.
func ParseConfig(data []byte) (*Config, error) {
	const name = "signing config"
	var c Config
	if err := strictjson.Unmarshal(name, data, &c, strictjson.Limits{MaxBytes: maxConfigBytes, RejectUnknown: true}); err != nil {
		return nil, err
	}
	bad := func(kind error, field, value, bound string) error {
		return &assay.Error{Op: "read signing config", Kind: kind, Subject: name, Field: field, Value: value, Bound: bound}
	}
	if c.MediaType != MediaTypeConfig {
		return nil, bad(assay.ErrInvalid, "/mediaType", c.MediaType, MediaTypeConfig)
	}
	for _, list := range []struct {
		field    string
		services []Service
	}{{"/caUrls", c.CAs}, {"/oidcUrls", c.OIDC}, {"/rekorTlogUrls", c.Logs}, {"/tsaUrls", c.TSAs}} {
		if n := len(list.services); n > maxServices {
			return nil, bad(assay.ErrBound, list.field, strconv.Itoa(n)+" services", "at most "+strconv.Itoa(maxServices))
		}
		for i, s := range list.services {
			at := list.field + "/" + strconv.Itoa(i)
			if err := request.CheckURL("read signing config", at+"/url", s.URL, false, true); err != nil {
				return nil, err
			}
			switch {
			case s.Version == 0:
				return nil, bad(assay.ErrInvalid, at+"/majorApiVersion", "0", "a version")
			case s.ValidFor == nil || s.ValidFor.Start == nil:
				return nil, bad(assay.ErrInvalid, at+"/validFor/start", "", "a time")
			case s.ValidFor.End != nil && s.ValidFor.End.Before(*s.ValidFor.Start):
				return nil, bad(assay.ErrInvalid, at+"/validFor/end", s.ValidFor.End.Format(time.RFC3339), "a time after the start")
			}
		}
	}
	for _, s := range []struct {
		field     string
		services  []Service
		selection Selection
	}{{"/rekorTlogConfig", c.Logs, c.LogConfig}, {"/tsaConfig", c.TSAs, c.TSAConfig}} {
		switch s.selection.Selector {
		case "ALL", "ANY":
		case "EXACT":
			if s.selection.Count == 0 {
				return nil, bad(assay.ErrInvalid, s.field+"/count", "0", "1 or more, for EXACT")
			}
		case "":
			if len(s.services) > 0 {
				return nil, bad(assay.ErrInvalid, s.field+"/selector", "", "ALL, ANY or EXACT")
			}
		default:
			return nil, bad(assay.ErrInvalid, s.field+"/selector", s.selection.Selector, "ALL, ANY or EXACT")
		}
	}
	return &c, nil
}

func (s Service) valid(now time.Time) bool {
	return !now.Before(*s.ValidFor.Start) && (s.ValidFor.End == nil || !now.After(*s.ValidFor.End))
}

// candidates are the services of the highest version that is spoken and valid, the
// newest of each operator, the newest first. Equally new ones keep the config's
// order, so that one config at one time always gives the same list.
func candidates(services []Service, versions []uint32, now time.Time) []Service {
	sorted := slices.Clone(services)
	slices.SortStableFunc(sorted, func(a, b Service) int { return b.ValidFor.Start.Compare(*a.ValidFor.Start) })
	for _, v := range versions {
		var out []Service
		operators := map[string]bool{}
		for _, s := range sorted {
			if s.Version == v && s.valid(now) && !operators[s.Operator] {
				operators[s.Operator] = true
				out = append(out, s)
			}
		}
		if len(out) > 0 {
			return out
		}
	}
	return nil
}

// choice is services, of which the first need are asked, and the others where one
// of those fails.
type choice struct {
	services []Service
	need     int
}

// choose applies the selector. No service of the kind at all is a choice of none;
// one that lists services, of which none can be used, is an error.
func choose(field string, services []Service, versions []uint32, how Selection, now time.Time) (choice, error) {
	if len(services) == 0 {
		return choice{}, nil
	}
	c := choice{services: candidates(services, versions, now)}
	switch how.Selector {
	case "ALL":
		c.need = max(1, len(c.services))
	case "ANY":
		c.need = 1
	default:
		c.need = int(how.Count)
	}
	if len(c.services) < c.need {
		return choice{}, &assay.Error{Op: "select services", Kind: assay.ErrInvalid, Subject: "signing config", Field: field,
			Value: strconv.Itoa(len(c.services)) + " at " + now.UTC().Format(time.RFC3339),
			Bound: strconv.Itoa(c.need) + " of distinct operators that are valid, with an API of version " + spoken(versions)}
	}
	return c, nil
}

func spoken(versions []uint32) string {
	var out string
	for i, v := range versions {
		if i > 0 {
			out += " or "
		}
		out += strconv.Itoa(int(v))
	}
	return out
}

// one gives the one service of a kind to use.
func one(field, what string, services []Service, versions []uint32, now time.Time) (Service, error) {
	all := candidates(services, versions, now)
	if len(all) == 0 {
		return Service{}, &assay.Error{Op: "select services", Kind: assay.ErrInvalid, Subject: "signing config", Field: field,
			Value: now.UTC().Format(time.RFC3339), Bound: what + " that is valid then, with an API of version " + spoken(versions)}
	}
	return all[0], nil
}

// CA is the certificate authority to use at a time.
func (c *Config) CA(now time.Time) (Service, error) {
	return one("/caUrls", "a certificate authority", c.CAs, caVersions, now)
}

// Issuer is the OpenID Connect issuer to use at a time.
func (c *Config) Issuer(now time.Time) (Service, error) {
	return one("/oidcUrls", "an OpenID Connect issuer", c.OIDC, oidcVersions, now)
}
