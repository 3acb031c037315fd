package provenance

import (
	"strings"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/strictjson"
)

// clientMetadataAt is where versions of BuildKit put what its client said, by predicate.
var clientMetadataAt = []string{
	metadataAt + "/buildkit_metadata", metadataAt + "/https:~1~1mobyproject.org~1buildkit@v1#metadata",
	"/metadata/https:~1~1mobyproject.org~1buildkit@v1#metadata",
}

// ClientSource gives the revision that BuildKit's client said it was at when it sent a
// local folder to be built: the build options "vcs:source" and "vcs:revision", as docker
// buildx sends them, in the "vcs" of BuildKit's metadata (moby/buildkit,
// docs/attestations/slsa-definitions.md). It is zero if the client said nothing.
//
// BuildKit does not verify it, and the folder may hold anything: it is a hint, and is
// therefore not in Provenance.Source. Modified is proven where the client marked the
// revision "-dirty", and otherwise unknown. The repository is without user, password and
// ".git", and empty if it is no address; a revision that is no git commit is left out.
func ClientSource(p *assay.Provenance) assay.Source {
	if p == nil || dialectOf(p.BuildType) != BuildKit {
		return assay.Source{}
	}
	for _, at := range clientMetadataAt {
		raw, ok := p.Extensions[at]
		if !ok {
			continue
		}
		var metadata struct {
			VCS struct {
				Source   string `json:"source"`
				Revision string `json:"revision"`
				Unknown  raws   `json:",embed"`
			} `json:"vcs"`
			Unknown raws `json:",embed"`
		}
		if strictjson.Unmarshal(at, raw, &metadata, strictjson.Limits{}) != nil {
			continue
		}
		var s assay.Source
		if repository, err := publicURI(metadata.VCS.Source); err == nil {
			s.Repository = repository
		}
		revision, dirty := strings.CutSuffix(metadata.VCS.Revision, "-dirty")
		if commit, err := assay.NewDigest(assay.GitCommit, revision); err == nil {
			s.Commit = commit
			if dirty {
				s.Modified = assay.Proven
			}
		}
		if s != (assay.Source{}) {
			return s
		}
	}
	return assay.Source{}
}
