package attest

// The JSON of a sigstore bundle v0.3 (protobuf-specs v0.5, sigstore_bundle.proto)
// as far as this package writes it or looks into it.
type bundleJSON struct {
	MediaType            string        `json:"mediaType"`
	VerificationMaterial *materialJSON `json:"verificationMaterial,omitempty"`
	Envelope             *dsseJSON     `json:"dsseEnvelope,omitempty"`
}

type materialJSON struct {
	PublicKey *publicKeyJSON `json:"publicKey,omitempty"`
}

type publicKeyJSON struct {
	Hint string `json:"hint"`
}

// dsseJSON is a DSSE envelope (DSSE v1.0.2, envelope.md).
type dsseJSON struct {
	Payload     string          `json:"payload"`
	PayloadType string          `json:"payloadType"`
	Signatures  []signatureJSON `json:"signatures"`
}

type signatureJSON struct {
	KeyID string `json:"keyid,omitempty"`
	Sig   string `json:"sig"`
}
