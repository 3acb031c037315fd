package spdx

import "strings"

// tagStore holds what a tag-value document says, by sections: the values as JSON one
// after the other, and members and values in lists that link to each other by number.
// There are thirty for each package, which would be as many allocations. The number 0
// is of none.
type tagStore struct {
	json    []byte
	values  []span
	entries []member
	spare   []section
}

func newTagStore(size int) tagStore {
	return tagStore{json: make([]byte, 0, size+size/4), values: make([]span, 1, 1+size/64), entries: make([]member, 1, 1+size/64)}
}

// section is what becomes one JSON object.
type section struct {
	kind        string
	line        int
	id          string
	of          string // SPDXID that an annotation is about
	first, last int    // members
}

// member is a member of the object: a value, or the values of an array.
type member struct {
	name        string
	list        bool
	first, last int // values
	next        int
}

// span is a value: where it is in the JSON, and on which line it was.
type span struct{ start, end, line, next int }

func (t *tagStore) section() *section {
	if len(t.spare) == 0 {
		t.spare = make([]section, 128)
	}
	s := &t.spare[0]
	t.spare = t.spare[1:]
	return s
}

// find gives a member of the section, which is valid until the next is added.
func (t *tagStore) find(s *section, name string) *member {
	for i := s.first; i != 0; i = t.entries[i].next {
		if t.entries[i].name == name {
			return &t.entries[i]
		}
	}
	return nil
}

// add adds a value to a member. It is false for a second value of what is no list.
func (t *tagStore) add(s *section, name string, list bool, value span) bool {
	t.values = append(t.values, value)
	v := len(t.values) - 1
	if m := t.find(s, name); m != nil {
		t.values[m.last].next, m.last = v, v
		return m.list
	}
	t.link(s, member{name: name, list: list, first: v, last: v})
	return true
}

func (t *tagStore) link(s *section, m member) {
	t.entries = append(t.entries, m)
	i := len(t.entries) - 1
	if s.first == 0 {
		s.first = i
	} else {
		t.entries[s.last].next = i
	}
	s.last = i
}

// split moves the members whose name has the prefix to a section of their own.
func (t *tagStore) split(s *section, prefix string) (out section) {
	i := s.first
	s.first, s.last = 0, 0
	for i != 0 {
		m := t.entries[i]
		i, m.next = m.next, 0
		if name, ok := strings.CutPrefix(m.name, prefix); ok {
			m.name = name
			t.link(&out, m)
		} else {
			t.link(s, m)
		}
	}
	return out
}

// object appends the section.
func (t *tagStore) object(b []byte, s *section) []byte {
	return append(t.members(append(b, '{'), s), '}')
}

func (t *tagStore) members(b []byte, s *section) []byte {
	for i := s.first; i != 0; i = t.entries[i].next {
		m := &t.entries[i]
		b = append(comma(b, i-s.first), '"')
		b = append(b, m.name...) // those of JSON need no escape
		b = append(b, `":`...)
		if m.list {
			b = append(b, '[')
		}
		for v := m.first; v != 0; v = t.values[v].next {
			b = append(comma(b, v-m.first), t.json[t.values[v].start:t.values[v].end]...)
		}
		if m.list {
			b = append(b, ']')
		}
	}
	return b
}
