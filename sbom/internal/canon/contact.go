package canon

import (
	"regexp"
	"strings"
)

var (
	emailPattern = regexp.MustCompile(`^[^@\s<>()]+@[A-Za-z0-9][-.A-Za-z0-9]*$`)
	webPattern   = regexp.MustCompile(`^https?://[^\s<>"]+$`)
)

// Contact is who made something, taken apart.
type Contact struct{ Name, Email, URL string }

// ParseContact takes apart "Name <address>", where the address is of mail or of the
// web. Any other text is a name. [Contact.String] of it gives the text again.
func ParseContact(s string) Contact {
	rest, ok := strings.CutSuffix(s, ">")
	if !ok {
		return Contact{Name: s}
	}
	name, address, ok := strings.Cut(rest, "<")
	if ok && name != "" {
		name, ok = strings.CutSuffix(name, " ")
		ok = ok && name != ""
	}
	switch {
	case !ok:
	case emailPattern.MatchString(address):
		return Contact{Name: name, Email: address}
	case webPattern.MatchString(address):
		return Contact{Name: name, URL: address}
	}
	return Contact{Name: s}
}

// String is the form in which the model has it.
func (c Contact) String() string {
	address := c.Email + c.URL // one of them is set
	switch {
	case address == "":
		return c.Name
	case c.Name == "":
		return "<" + address + ">"
	}
	return c.Name + " <" + address + ">"
}
