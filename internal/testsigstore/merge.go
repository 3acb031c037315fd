package testsigstore

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"
)

// MergeRoots gives the trusted_root.json that trusts what any of the roots trusts: as
// one does after a rotation, in which the old keys stay for what they signed.
func MergeRoots(t testing.TB, roots ...[]byte) []byte {
	t.Helper()
	out := map[string]any{}
	for _, b := range roots {
		var one map[string]any
		if err := json.Unmarshal(b, &one); err != nil {
			t.Fatal(err)
		}
		for k, v := range one {
			if list, ok := v.([]any); ok {
				have, _ := out[k].([]any)
				out[k] = append(have, list...)
			} else {
				out[k] = v
			}
		}
	}
	return mustJSON(t, out)
}

// EditRoot gives the root with each instance of a list changed: "tlogs",
// "timestampAuthorities", "certificateAuthorities".
func EditRoot(t testing.TB, root []byte, list string, edit func(instance map[string]any)) []byte {
	t.Helper()
	var out map[string]any
	if err := json.Unmarshal(root, &out); err != nil {
		t.Fatal(err)
	}
	all, _ := out[list].([]any)
	if len(all) == 0 {
		t.Fatalf("the trusted root has no %s", list)
	}
	for _, i := range all {
		edit(i.(map[string]any))
	}
	return mustJSON(t, out)
}

// Service is a service in a signing config.
type Service struct {
	URL      string
	Version  int       // 1 if zero
	Operator string    // the URL if empty
	From, To time.Time // From is long ago if zero; To is left out if zero
}

// Services are what a signing config names. A selector is "ALL" if empty.
type Services struct {
	CAs, Issuers, Logs, TSAs []Service
	LogSelector, TSASelector string
	LogCount, TSACount       int
}

// SigningConfig writes a signing config v0.2.
func SigningConfig(t testing.TB, s Services) []byte {
	t.Helper()
	list := func(services []Service) []any {
		out := []any{}
		for _, x := range services {
			window := map[string]any{"start": validFrom}
			if !x.From.IsZero() {
				window["start"] = x.From
			}
			if !x.To.IsZero() {
				window["end"] = x.To
			}
			out = append(out, map[string]any{"url": x.URL, "majorApiVersion": max(1, x.Version), "validFor": window, "operator": orElse(x.Operator, x.URL)})
		}
		return out
	}
	selection := func(selector string, count int) any {
		out := map[string]any{"selector": orElse(selector, "ALL")}
		if count != 0 {
			out["count"] = count
		}
		return out
	}
	return mustJSON(t, map[string]any{
		"mediaType": "application/vnd.dev.sigstore.signingconfig.v0.2+json",
		"caUrls":    list(s.CAs), "oidcUrls": list(s.Issuers),
		"rekorTlogUrls": list(s.Logs), "rekorTlogConfig": selection(s.LogSelector, s.LogCount),
		"tsaUrls": list(s.TSAs), "tsaConfig": selection(s.TSASelector, s.TSACount),
	})
}

func orElse(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

func mustJSON(t testing.TB, v any) []byte {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(fmt.Errorf("encode: %w", err))
	}
	return b
}
