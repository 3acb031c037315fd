package assay

import (
	"encoding/json"
	"time"
)

// Provenance is how an artifact was built (SLSA v1.2, build-provenance.md). Older
// versions of the predicate are read into the same fields.
type Provenance struct {
	// BuildType is the URI that says how to read the parameters. REQUIRED.
	BuildType string `json:"buildType"`
	// ExternalParameters are under the control of the build's user, and are what a
	// verifier checks. REQUIRED; each value is a JSON value, byte for byte.
	ExternalParameters map[string]json.RawMessage `json:"externalParameters"`
	// InternalParameters are under the control of the builder.
	InternalParameters map[string]json.RawMessage `json:"internalParameters,omitempty"`
	// Materials are the artifacts the build needed (resolvedDependencies), sorted.
	Materials []Resource `json:"materials,omitempty"`
	Builder   Builder    `json:"builder"`
	// InvocationID identifies the run, by a URI where the CI has one.
	InvocationID string     `json:"invocationId,omitempty"`
	StartedOn    time.Time  `json:"startedOn,omitzero"`
	FinishedOn   time.Time  `json:"finishedOn,omitzero"`
	Byproducts   []Resource `json:"byproducts,omitempty"`
	// Source is the material that was built, told apart from what it needed; zero
	// if the document does not say.
	Source Source `json:"source,omitzero"`
	// Extensions are members of the predicate beyond the specification, by JSON
	// pointer, such as BuildKit's metadata.
	Extensions map[string]json.RawMessage `json:"extensions,omitempty"`
	// Format is the predicate type it was read from; empty if it was generated.
	Format PredicateType `json:"format,omitempty"`
}

// Builder is the platform that ran the build and is trusted to have stated this
// provenance truthfully.
type Builder struct {
	// ID is a URI, the identity of the platform's trust base. REQUIRED; empty, which is
	// an unknown builder, only in what was read of a dialect that does not state it.
	ID           string            `json:"id"`
	Version      map[string]string `json:"version,omitempty"`
	Dependencies []Resource        `json:"builderDependencies,omitempty"`
}

// Source is a revision of a repository.
type Source struct {
	// Repository is the URI of the repository, without scheme prefix "git+" and
	// without a ".git" suffix: "https://github.com/assaykit/assay".
	Repository string `json:"repository"`
	// Commit is the revision (gitCommit).
	Commit Digest `json:"commit,omitzero"`
	// Ref is fully qualified: "refs/heads/main".
	Ref string `json:"ref,omitempty"`
	// Modified is proven if the work tree differed from the commit, refuted if it
	// did not, unknown if nothing says so.
	Modified State `json:"modified,omitzero"`
}
