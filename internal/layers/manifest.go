package layers

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/strictjson"
)

// ParseManifest reads an image manifest (OCI image-spec v1.1, manifest.md; Docker
// image manifest v2, schema 2). The media type is that by which it was announced;
// "" if nothing did. Something that another reader could take for an index is
// refused.
func ParseManifest(name string, data []byte, mediaType string) (*v1.Manifest, error) {
	var m v1.Manifest
	if err := parseAs(name, data, mediaType, &m, func() types.MediaType { return m.MediaType }, types.MediaType.IsImage, "manifests"); err != nil {
		return nil, err
	}
	if m.SchemaVersion != 2 {
		return nil, invalidJSON(name, "/schemaVersion", strconv.FormatInt(m.SchemaVersion, 10), "2")
	}
	if err := checkDescriptor(name, "/config", m.Config); err != nil {
		return nil, err
	}
	for i, l := range m.Layers {
		if err := checkDescriptor(name, "/layers/"+strconv.Itoa(i), l); err != nil {
			return nil, err
		}
	}
	return &m, nil
}

// ParseIndex reads an image index or a Docker manifest list, under the rules of
// [ParseManifest].
func ParseIndex(name string, data []byte, mediaType string) (*v1.IndexManifest, error) {
	var m v1.IndexManifest
	if err := parseAs(name, data, mediaType, &m, func() types.MediaType { return m.MediaType }, types.MediaType.IsIndex, "layers", "config"); err != nil {
		return nil, err
	}
	if m.SchemaVersion != 2 {
		return nil, invalidJSON(name, "/schemaVersion", strconv.FormatInt(m.SchemaVersion, 10), "2")
	}
	for i, d := range m.Manifests {
		if err := checkDescriptor(name, "/manifests/"+strconv.Itoa(i), d); err != nil {
			return nil, err
		}
	}
	return &m, nil
}

// IsIndex reports whether the document is to be read by [ParseIndex] and not by
// [ParseManifest]. The media type by which it was announced decides, else that
// which it states, else its members.
func IsIndex(name string, data []byte, mediaType string) (bool, error) {
	if mt := types.MediaType(mediaType); mt.IsIndex() || mt.IsImage() {
		return mt.IsIndex(), nil
	}
	var top map[string]json.RawMessage
	if err := strictjson.Unmarshal(name, data, &top, strictjson.Limits{}); err != nil {
		return false, err
	}
	var stated types.MediaType
	if raw, ok := top["mediaType"]; ok {
		if err := json.Unmarshal(raw, &stated); err != nil {
			return false, invalidJSON(name, "/mediaType", string(raw), "a string")
		}
	}
	switch {
	case stated.IsIndex():
		return true, nil
	case stated.IsImage():
		return false, nil
	case stated != "":
		return false, invalidJSON(name, "/mediaType", string(stated), "an image manifest or index")
	case top["fsLayers"] != nil:
		return false, invalidJSON(name, "/schemaVersion", "1", "2")
	}
	return top["manifests"] != nil, nil
}

// parseAs decodes a manifest or index, and refuses what other readers of the same
// bytes could read differently.
func parseAs(name string, data []byte, announced string, v any, stated func() types.MediaType, is func(types.MediaType) bool, foreign ...string) error {
	var top map[string]json.RawMessage
	if err := strictjson.Unmarshal(name, data, &top, strictjson.Limits{}); err != nil {
		return err
	}
	if err := exactNames(name, "", top, "schemaVersion", "mediaType", "config", "layers", "manifests", "annotations", "subject", "artifactType"); err != nil {
		return err
	}
	for _, f := range foreign {
		if _, ok := top[f]; ok {
			return invalidJSON(name, "/"+f, f, "the members of a manifest or those of an index, not both")
		}
	}
	if err := strictjson.Unmarshal(name, data, v, strictjson.Limits{}); err != nil {
		return err
	}
	mt := stated()
	if mt != "" && !is(mt) {
		return invalidJSON(name, "/mediaType", string(mt), "the media type of what it is used as")
	}
	if announced == "" {
		return nil
	}
	if !is(types.MediaType(announced)) {
		return &assay.Error{Op: "read manifest", Kind: assay.ErrInvalid, Subject: name, Field: "media type", Value: announced, Bound: "the media type of what it is used as"}
	}
	if mt != "" && string(mt) != announced {
		return invalidJSON(name, "/mediaType", string(mt), announced)
	}
	return nil
}

// ParseConfig reads an image configuration (OCI image-spec v1.1, config.md).
func ParseConfig(name string, data []byte) (*v1.ConfigFile, error) {
	var top, config, rootfs map[string]json.RawMessage
	if err := strictjson.Unmarshal(name, data, &top, strictjson.Limits{}); err != nil {
		return nil, err
	}
	for _, part := range []struct {
		member string
		into   *map[string]json.RawMessage
	}{{"config", &config}, {"rootfs", &rootfs}} {
		if raw := top[part.member]; raw != nil {
			if err := strictjson.Unmarshal(name+"/"+part.member, raw, part.into, strictjson.Limits{}); err != nil {
				return nil, err
			}
		}
	}
	// Runtimes read this document without regard to case. A "user" beside or in
	// place of "User" would be what runs, and not what was checked.
	err := exactNames(name, "", top, "architecture", "os", "rootfs", "config", "history", "created", "author", "variant", "os.version", "os.features")
	if err == nil {
		err = exactNames(name, "/rootfs", rootfs, "type", "diff_ids")
	}
	if err == nil {
		err = exactNames(name, "/config", config, "User", "ExposedPorts", "Env", "Entrypoint", "Cmd", "Volumes", "WorkingDir",
			"Labels", "StopSignal", "ArgsEscaped", "Healthcheck", "OnBuild", "Shell", "Image")
	}
	if err != nil {
		return nil, err
	}
	// encoding/json, now that its laxness can do nothing: durations, which health
	// checks have, are no matter of strictjson.
	var c v1.ConfigFile
	if err := json.Unmarshal(data, &c); err != nil {
		return nil, &assay.Error{Op: "read JSON", Kind: assay.ErrInvalid, Subject: name, Err: err}
	}
	if c.RootFS.Type != "" && c.RootFS.Type != "layers" {
		return nil, invalidJSON(name, "/rootfs/type", c.RootFS.Type, "layers")
	}
	for i, h := range c.RootFS.DiffIDs {
		if digestOf(h).IsZero() {
			return nil, invalidJSON(name, "/rootfs/diff_ids/"+strconv.Itoa(i), h.String(), "a digest")
		}
	}
	return &c, nil
}

// exactNames refuses members that differ in case only from those that have a
// meaning.
func exactNames(name, at string, members map[string]json.RawMessage, known ...string) error {
	if len(members) == 0 {
		return nil
	}
	names := make([]string, 0, len(members))
	for m := range members {
		names = append(names, m)
	}
	slices.Sort(names)
	for _, m := range names {
		for _, k := range known {
			if m != k && strings.EqualFold(m, k) {
				return invalidJSON(name, at+"/"+m, m, k)
			}
		}
	}
	return nil
}

// maxBlob is more than any blob can have, and far from overflowing sums.
const maxBlob = 1 << 50

func checkDescriptor(name, at string, d v1.Descriptor) error {
	switch a := digestOf(d.Digest); {
	case a.IsZero() || !a.Algorithm().Strong():
		return invalidJSON(name, at+"/digest", d.Digest.String(), "a digest")
	case a.Algorithm() != assay.SHA256 && a.Algorithm() != assay.SHA384 && a.Algorithm() != assay.SHA512:
		return invalidJSON(name, at+"/digest", d.Digest.String(), "a digest by sha256, sha384 or sha512")
	case d.Size < 0 || d.Size > maxBlob:
		return invalidJSON(name, at+"/size", strconv.FormatInt(d.Size, 10), fmt.Sprintf("0 to %d bytes", int64(maxBlob)))
	case d.MediaType == "":
		return invalidJSON(name, at+"/mediaType", "", "a media type")
	}
	return nil
}

func invalidJSON(name, pointer, value, want string) error {
	return &assay.Error{Op: "read manifest", Kind: assay.ErrInvalid, Subject: name, Field: pointer, Value: value, Bound: want}
}
