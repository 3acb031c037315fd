package provenance

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/assaykit/assay/internal/strictjson"
)

// What is taken apart by hand says what reflection makes of it, and refuses what it
// refuses, in the same words.
func FuzzDescriptors(f *testing.F) {
	for _, s := range []string{
		`[]`, `null`, `5`, `[5]`, `[null, {}]`, `[{"uri": null, "digest": null, "annotations": null, "content": null}]`,
		`[{"uri": "u:v", "digest": {"sha256": "a", "x": "", "sha1": null}}, {"name": "n", "mediaType": "m", "downloadLocation": "d", "media_type": "m2", "download_location": "d2"}]`,
		`[{"annotations": {"a": [1, "]\"", {"}": "{"}], "b": null , "c" : 1.5e3 }, "v_x": {"y": []}, "content": "aGk="}]`,
		`[{"\u0075ri": "a\/b\u00e9\ud83d\ude00\n", "digest": {"sha\u0031": "b"}, "annotations": {"\u0061": 1}, "v\u005fy": 2}]`,
		`[{"uri": 5}]`, `[{"digest": {"a": 5}}]`, `[{"digest": []}]`, `[{"annotations": [1]}]`, `[{"content": "!"}]`, `[{"content": ""}, {"content": "aGk"}, {"content": "aGl="}, {"content": "\u0061Gk="}]`,
		`[{"content": "aGl="}]`, `[{"content": "\u0061Gk="}]`, `[{"content": 5}]`, `[{"uri":"a","uri":"b"}]`, `[{"digest":{"a":"","a":""}}]`, `{"uri":"a"}`,
		`[{"uri":"a"},{"uri":[]}]`, `[{"uri":"a"}`, `[{"uri":"` + strings.Repeat("long", 500) + `"}]`, "[{\"uri\":\"\xff\"}]",
		`[` + strings.Repeat(`{"uri":"u","digest":{"sha256":"a","sha512":"b","q":"c"}},`, 300) + `{}]`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		spare := bytes.Clone(in) // the comparison writes to what it is given
		var plain []wireResource
		var read wireList
		compareLists(t, in, &plain, &read, func() ([]wireResource, []descriptor) { return plain, read.read })
		var snake []snakeResource
		var readSnake snakeList
		compareLists(t, spare, &snake, &readSnake, func() ([]wireResource, []descriptor) {
			out := make([]wireResource, len(snake))
			for i := range snake {
				out[i] = wireResource(snake[i])
			}
			return out, readSnake.read
		})
	})
}

func compareLists(t *testing.T, in []byte, plain, read any, lists func() ([]wireResource, []descriptor)) {
	err1 := strictjson.Unmarshal("fuzz", in, plain, strictjson.Limits{})
	err2 := strictjson.Unmarshal("fuzz", in, read, strictjson.Limits{})
	if fmt.Sprint(err1) != fmt.Sprint(err2) {
		t.Fatalf("errors differ:\n%v\n%v", err1, err2)
	}
	if err1 != nil {
		return
	}
	want, got := lists()
	list := make([]wireResource, len(got))
	for i, d := range got {
		list[i] = wireResource{Name: d.Name, URI: d.URI, Content: d.Content, DownloadLocation: d.DownloadLocation,
			MediaType: d.MediaType, Annotations: d.Annotations}
		for _, m := range d.Unknown {
			list[i].Unknown = mapWith(list[i].Unknown, m.name, m.value)
		}
		if len(list[i].Unknown) != len(d.Unknown) {
			t.Fatalf("a member twice: %v", d.Unknown)
		}
		for _, v := range d.Digest {
			list[i].Digest = mapWith(list[i].Digest, v.alg, v.hex)
		}
		if len(list[i].Digest) != len(d.Digest) {
			t.Fatalf("a digest twice: %v", d.Digest)
		}
	}
	if s := cmp.Diff(want, list, cmpopts.EquateEmpty()); s != "" {
		t.Fatal(s)
	}
	// What is read is not of the document: the caller may write to it.
	before, err := json.Marshal(list)
	if err != nil {
		t.Fatal(err)
	}
	for i := range in {
		in[i] = 'x'
	}
	if after, err := json.Marshal(list); err != nil || string(after) != string(before) {
		t.Fatalf("changed with the document: %v\n%s\n%s", err, before, after)
	}
}
