package assay

import "time"

// Remediation is the record of how vulnerabilities in the images of one stream
// were remediated over time: the evidence of a maintained image.
type Remediation struct {
	// Stream names the lineage of images, such as a repository and tag.
	Stream string `json:"stream"`
	// Images are the builds of the stream, oldest first.
	Images []ImageBuild `json:"images"`
	// Entries are sorted by vulnerability, then component.
	Entries []RemediationEntry `json:"entries"`
	// AsOf is the end of the time the record covers.
	AsOf time.Time `json:"asOf"`
}

// ImageBuild is one image of a stream.
type ImageBuild struct {
	Digest Digest `json:"digest"`
	// Built is the build's finish, a claim of its provenance; Signed is a witnessed
	// time.
	Built  time.Time `json:"built,omitzero"`
	Signed time.Time `json:"signed,omitzero"`
}

// RemediationEntry is the life of one finding.
type RemediationEntry struct {
	Finding Finding `json:"finding"`
	// FirstImage had the vulnerability first; FixedImage had it no more (zero while
	// it is open).
	FirstImage Digest `json:"firstImage,omitzero"`
	FixedImage Digest `json:"fixedImage,omitzero"`
	// FirstClean is the end of the first scan that did not find it in FixedImage.
	FirstClean time.Time `json:"firstClean,omitzero"`
	// Excluded is why no deadline applies, and Evidence what supports it.
	Excluded string     `json:"excluded,omitempty"`
	Evidence []Resource `json:"evidence,omitempty"`
}
