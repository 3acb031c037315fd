package layout_test

import (
	"crypto"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log"
	"slices"
	"strings"
	"time"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/attest"
	"github.com/assaykit/assay/verify/layout"
)

// An owner says who may build, and of what; who built says what went in and came out.
// In production both are files that in-toto's tools wrote.
func ExampleOpen() {
	owner, builder := ed25519.NewKeyFromSeed([]byte(strings.Repeat("o", 32))), ed25519.NewKeyFromSeed([]byte(strings.Repeat("b", 32)))
	image := assay.SumSHA256([]byte("the image's manifest"))
	signed := func(payload string, key ed25519.PrivateKey, id string) []byte {
		envelope, err := json.Marshal(map[string]any{
			"payloadType": assay.MediaTypeInToto, "payload": base64.StdEncoding.EncodeToString([]byte(payload)),
			"signatures": []any{map[string]string{"keyid": id, "sig": base64.StdEncoding.EncodeToString(ed25519.Sign(key, attest.PAE(assay.MediaTypeInToto, []byte(payload))))}},
		})
		if err != nil {
			log.Fatal(err)
		}
		return envelope
	}
	document := signed(`{"_type": "layout", "expires": "2030-01-01T00:00:00Z", "readme": "", "inspect": [],
		"keys": {"b1": {"keyid": "b1", "keytype": "ed25519", "scheme": "ed25519", "keyid_hash_algorithms": ["sha256"],
			"keyval": {"public": "`+hex.EncodeToString(builder.Public().(ed25519.PublicKey))+`", "private": ""}}},
		"steps": [{"_type": "step", "name": "build", "pubkeys": ["b1"], "threshold": 1, "expected_command": [],
			"expected_materials": [["ALLOW", "src/*"], ["DISALLOW", "*"]], "expected_products": [["CREATE", "app"], ["DISALLOW", "*"]]}]}`, owner, "o1")
	link := func(material string) assay.Envelope {
		return assay.NewEnvelope(assay.MediaTypeDSSE, signed(`{"_type": "link", "name": "build", "command": [], "byproducts": {}, "environment": {},
			"materials": {"`+material+`": {"sha256": "`+assay.SumSHA256(nil).Hex()+`"}}, "products": {"app": {"sha256": "`+image.Hex()+`"}}}`, builder, "b1"))
	}

	l, err := layout.Open("root.layout", document, []crypto.PublicKey{owner.Public()}, layout.Options{})
	if err != nil {
		log.Fatal(err)
	}
	at := time.Date(2026, 5, 6, 0, 0, 0, 0, time.UTC)
	for _, links := range [][]assay.Envelope{{link("src/main.go")}, {link("somewhere/else.go")}, nil} {
		r := l.Verify(image, at, slices.Values(links))
		fmt.Printf("%s: %s\n", r.State, r.Detail)
	}
	// Output:
	// proven: 1 step performed as the layout wants
	// refuted: artifact verification failed for Step 'build', materials [somewhere/else.go] disallowed by rule [DISALLOW *]
	// unknown: step "build" needs links of 1 functionary and has those of 0 (0 links found)
}
