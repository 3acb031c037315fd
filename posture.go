package assay

import "time"

// Posture is what the contents and configuration of an image show about how
// minimal and hardened it is, carried as in-toto SCAI v0.3 attributes.
type Posture struct {
	// Facts are sorted by attribute; each attribute stands once.
	Facts []Fact `json:"facts"`
	// Platform is that of the image.
	Platform Platform `json:"platform,omitzero"`
	// Producer is the tool and the version of its rules.
	Producer Tool `json:"producer,omitzero"`
	// Config is the digest of the image configuration the facts were read from.
	Config Digest `json:"config,omitzero"`
	// Assessed is when the rules were run. It is a claim.
	Assessed time.Time `json:"assessed,omitzero"`
}

// Attribute is a positive statement, such as POSTURE_NO_SHELL. There are no
// negative attributes: in-toto asks for monotonic policy, so a missing attribute
// means "not shown", never "shown not to be".
type Attribute string

// Fact is the answer to one posture rule.
type Fact struct {
	Attribute Attribute `json:"attribute"`
	State     State     `json:"state"`
	// Stage is the stage that needs this attribute.
	Stage Stage `json:"stage"`
	// Reason says in words what was found.
	Reason string `json:"reason,omitempty"`
	// Found are the paths, or configuration fields, that refute the attribute,
	// sorted; FoundTotal counts them all where the list was cut.
	Found      []Location `json:"found,omitempty"`
	FoundTotal int        `json:"foundTotal,omitzero"`
	// Standards are rules of published standards this answers, such as
	// "cis-docker-1.6.0:4.8".
	Standards []string `json:"standards,omitempty"`
}

// Fact finds the fact of an attribute.
func (p *Posture) Fact(a Attribute) (Fact, bool) {
	for _, f := range p.Facts {
		if f.Attribute == a {
			return f, true
		}
	}
	return Fact{}, false
}
