package provenance

import (
	"cmp"
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	jsonx "github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/assaykit/assay"
)

type (
	// descriptor is a resource descriptor as it was read: wireResource, with the digests
	// in a list. Of materials there are thousands, and a map for each would cost more
	// than all else.
	descriptor struct {
		Name             string
		URI              string
		Digest           []namedDigest // each name once
		Content          []byte
		DownloadLocation string
		MediaType        string
		Annotations      raws
		Unknown          []member // each name once
	}
	namedDigest struct{ alg, hex string }
	member      struct {
		name  string
		value jsontext.Value
	}

	// wireList is a list of descriptors in the specification's spelling: the one that was
	// read, or the one to write.
	wireList struct {
		read  []descriptor
		write []wireResource
	}
	// snakeList is one in snake_case, which is read only.
	snakeList struct{ read []descriptor }
)

// IsZero lets a list be left out when there is nothing to write.
func (l wireList) IsZero() bool { return len(l.write) == 0 }

// MarshalJSONTo writes the list to write.
func (l wireList) MarshalJSONTo(enc *jsontext.Encoder) error {
	return jsonx.MarshalEncode(enc, l.write)
}

// UnmarshalJSONFrom reads into the list that was read.
func (l *wireList) UnmarshalJSONFrom(dec *jsontext.Decoder) (err error) {
	l.read, err = readDescriptors[wireResource](dec, "downloadLocation", "mediaType")
	return err
}

// UnmarshalJSONFrom reads into the list that was read.
func (l *snakeList) UnmarshalJSONFrom(dec *jsontext.Decoder) (err error) {
	l.read, err = readDescriptors[snakeResource](dec, "download_location", "media_type")
	return err
}

func (r *wireResource) descriptor() descriptor {
	return descriptor{Name: r.Name, URI: r.URI, Digest: digestList(r.Digest), Content: r.Content,
		DownloadLocation: r.DownloadLocation, MediaType: r.MediaType, Annotations: r.Annotations, Unknown: memberList(r.Unknown)}
}

func memberList(m raws) []member {
	if len(m) == 0 {
		return nil
	}
	out := make([]member, 0, len(m))
	for name, value := range m {
		out = append(out, member{name, value})
	}
	return out
}

func digestList(m map[string]string) []namedDigest {
	if len(m) == 0 {
		return nil
	}
	out := make([]namedDigest, 0, len(m))
	for alg, hex := range m {
		out = append(out, namedDigest{alg, hex})
	}
	return out
}

func (d *descriptor) empty() bool {
	return d.URI == "" && d.Name == "" && len(d.Digest) == 0 && len(d.Content) == 0 &&
		d.DownloadLocation == "" && d.MediaType == "" && len(d.Annotations) == 0 && len(d.Unknown) == 0
}

// digest gives the hexadecimal form by one name; "" if it is unset.
func (d *descriptor) digest(alg string) string {
	for i := range d.Digest {
		if d.Digest[i].alg == alg {
			return d.Digest[i].hex
		}
	}
	return ""
}

// slab gives lists of one value each, many at a time. What is kept of one keeps at most
// slabSize others.
type slab[T any] struct{ free []T }

const slabSize = 256

// one gives the list of v. About so many may follow.
func (s *slab[T]) one(v T, follow int) []T {
	if len(s.free) == 0 {
		s.free = make([]T, min(slabSize, max(1, follow+1)))
	}
	out := s.free[:1:1]
	s.free = s.free[1:]
	out[0] = v
	return out
}

// odd is what a descriptor has and the typed form has no member for.
type odd struct {
	unknown []member
	digests []namedDigest // by algorithms that are not known here
}

// typer makes typed resources of the descriptors of one list.
type typer struct {
	name, field string // the document and the list, for errors
	digests     slab[assay.Digest]
}

// toItem is [typer.resource] for a descriptor that is in no list: it is the field itself.
func toItem(name, field string, d *descriptor) (item, error) {
	t := typer{name: name, field: field}
	r, _, err := t.resource(-1, 0, d)
	return item{r: r}, err
}

// resource checks one descriptor under in-toto S4, S5 and S8. It is number i of the list,
// or, below 0, the field itself; about so many follow.
func (t *typer) resource(i, follow int, d *descriptor) (r assay.Resource, rest odd, err error) {
	at := func() string { // most need not be named
		if i < 0 {
			return t.field
		}
		return t.field + "/" + strconv.Itoa(i)
	}
	rest.unknown = d.Unknown
	r = assay.Resource{
		Name: d.Name, URI: d.URI, Content: d.Content, DownloadLocation: d.DownloadLocation,
		MediaType: d.MediaType, Annotations: fromRaws(d.Annotations),
	}
	if len(r.Content) == 0 {
		r.Content = nil
	}
	if len(d.Digest) > 1 { // so that of two errors the same one is told
		slices.SortFunc(d.Digest, func(a, b namedDigest) int { return strings.Compare(a.alg, b.alg) })
	}
	var one assay.Digest     // of which most have
	var known []assay.Digest // all, if there are more
	for n := range d.Digest {
		alg, hex := d.Digest[n].alg, d.Digest[n].hex
		a := assay.Algorithm(alg)
		if alg == "dirHash1" {
			a = assay.DirHash
		}
		switch {
		case hex == "": // unset, rule P3
		case !a.Known():
			rest.digests = append(rest.digests, d.Digest[n])
		default:
			v, err := assay.NewDigest(a, hex)
			switch {
			case err != nil:
				return assay.Resource{}, odd{}, &assay.Error{Op: readOp, Kind: assay.ErrInvalid, Subject: t.name,
					Field: at() + "/digest/" + escape(alg), Value: hex, Bound: "lowercase hexadecimal of the algorithm's length", Rule: "in-toto S4"}
			case one.IsZero():
				one = v
			case known == nil:
				known = []assay.Digest{one, v}
			default:
				known = append(known, v)
			}
		}
	}
	switch {
	case one.IsZero():
	case known == nil:
		r.Digest = t.digests.one(one, follow)
	default:
		set, err := assay.NewDigestSet(known...)
		if err != nil {
			rule := "in-toto S4"
			if d.digest("dirHash1") != "" {
				rule = "in-toto S8" // two spellings of one name are all that can be there twice
			}
			return assay.Resource{}, odd{}, &assay.Error{Op: readOp, Kind: assay.ErrInvalid, Subject: t.name, Field: at() + "/digest", Rule: rule, Err: err}
		}
		r.Digest = set
	}
	if d.URI == "" && r.Validate() != nil {
		if len(rest.digests) > 0 {
			return assay.Resource{}, odd{}, &assay.Error{Op: readOp, Kind: assay.ErrUnchecked, Subject: t.name, Field: at() + "/digest",
				Value: strings.Join(algorithms(rest.digests), ", "), Bound: "a digest algorithm that is known here, or a uri", Rule: "in-toto S4"}
		}
		return assay.Resource{}, odd{}, &assay.Error{Op: readOp, Kind: assay.ErrInvalid, Subject: t.name, Field: at(),
			Value: d.Name, Bound: "a uri, digest or content", Rule: "in-toto S5"}
	}
	return r, rest, nil
}

// algorithms are the names of a sorted list.
func algorithms(list []namedDigest) []string {
	var out []string
	for _, d := range list {
		out = append(out, d.alg)
	}
	return out
}

// item is a resource with what has no member in it.
func (o odd) item(r assay.Resource) item {
	it := item{r: r}
	for _, m := range o.unknown {
		it.unknown = into(it.unknown, m.name, m.value)
	}
	for _, d := range o.digests {
		it.digests = into(it.digests, d.alg, d.hex)
	}
	return it
}

func into[M ~map[string]V, V any](m M, k string, v V) M {
	if m == nil {
		m = M{}
	}
	m[k] = v
	return m
}

// position is where a descriptor is in its list, beside what most differ by.
type position struct {
	uri, name string
	i         int
}

// typedList gives the typed list, sorted, without descriptors that say nothing (rule P3)
// and, if each is to be there once, without repetitions. Below the pointer field it puts
// into ext what the type has no member for; indices count in the sorted list.
func typedList(name, field string, list []descriptor, once bool, ext map[string]json.RawMessage) ([]assay.Resource, error) {
	order := make([]position, 0, len(list))
	for i := range list {
		if !list[i].empty() {
			order = append(order, position{list[i].URI, list[i].Name, i})
		}
	}
	if len(order) == 0 {
		return nil, nil
	}
	slices.SortFunc(order, func(a, b position) int {
		if c := strings.Compare(a.uri, b.uri); c != 0 {
			return c
		}
		if c := strings.Compare(a.name, b.name); c != 0 {
			return c
		}
		return a.i - b.i
	})
	t := typer{name: name, field: field}
	out := make([]assay.Resource, 0, len(order))
	for from := 0; from < len(order); {
		to := from + 1
		for to < len(order) && order[to].uri == order[from].uri && order[to].name == order[from].name {
			to++
		}
		if to == from+1 {
			at := order[from].i
			r, rest, err := t.resource(at, len(order)-to, &list[at])
			if err != nil {
				return nil, t.first(order, list, err)
			}
			rest.keep(field, len(out), ext)
			out = append(out, r)
			from = to
			continue
		}
		items := make([]item, 0, to-from)
		for ; from < to; from++ {
			at := order[from].i
			r, rest, err := t.resource(at, len(order)-from-1, &list[at])
			if err != nil {
				return nil, t.first(order, list, err)
			}
			items = append(items, rest.item(r))
		}
		sortItems(items)
		if once {
			items = compactItems(items)
		}
		for j := range items {
			items[j].keep(field, len(out), ext)
			out = append(out, items[j].r)
		}
	}
	return out, nil
}

// first gives one error of several: that of the least URI, and of the least index.
func (t *typer) first(order []position, list []descriptor, some error) error {
	slices.SortFunc(order, func(a, b position) int { return cmp.Or(strings.Compare(a.uri, b.uri), a.i-b.i) })
	for _, p := range order {
		if _, _, err := t.resource(p.i, 0, &list[p.i]); err != nil {
			return err
		}
	}
	return some
}

// extensions makes room for what the typed form of the lists has no member for.
func extensions(lists ...[]descriptor) map[string]json.RawMessage {
	n := 0
	for _, list := range lists {
		for i := range list {
			n += len(list[i].Unknown)
			for _, d := range list[i].Digest {
				if !assay.Algorithm(d.alg).Known() {
					n++
				}
			}
		}
	}
	return make(map[string]json.RawMessage, n)
}

// keep puts into ext what the typed resource, number i of the list, has no member for.
func (o odd) keep(field string, i int, ext map[string]json.RawMessage) {
	if len(o.unknown)+len(o.digests) == 0 {
		return
	}
	at := field + "/" + strconv.Itoa(i)
	for _, m := range o.unknown {
		if !isEmpty(m.value) {
			ext[at+"/"+escape(m.name)] = json.RawMessage(m.value)
		}
	}
	for _, d := range o.digests {
		// A string that was read from JSON is UTF-8.
		text, _ := jsontext.AppendQuote(make([]byte, 0, len(d.hex)+2), d.hex)
		ext[at+"/digest/"+escape(d.alg)] = text
	}
}

// keep puts into ext what the resource, number i of the list, has no member for.
func (it *item) keep(field string, i int, ext map[string]json.RawMessage) {
	odd{memberList(it.unknown), digestList(it.digests)}.keep(field, i, ext)
}
