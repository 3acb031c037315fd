package java

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"strconv"
	"strings"

	"github.com/assaykit/assay"
)

// Project is a Maven project (maven.apache.org/pom.html). Its fields are "" where
// the archive does not say.
type Project struct {
	Group, Artifact, Version string
	// Properties and XML tell that the archive has a pom.properties and a pom.xml.
	Properties, XML bool
	// What pom.xml says. What it inherits from its parent is not in the archive.
	Name, Organization string
	// URL, SCM and Issues are where its website, its repository and its issues are.
	URL, SCM, Issues string
	Licenses         []string
	Depends          []Dependency
}

// Dependency is what a project needs to run.
type Dependency struct {
	Group, Artifact string
	// Version is "" where the parent sets it.
	Version  string
	Optional bool
}

func (p *Project) size() int {
	n := 256 + len(p.Group) + len(p.Artifact) + len(p.Version) + len(p.Name) + len(p.Organization) + len(p.URL) + len(p.SCM) + len(p.Issues)
	for _, l := range p.Licenses {
		n += 32 + len(l)
	}
	for _, d := range p.Depends {
		n += 64 + len(d.Group) + len(d.Artifact) + len(d.Version)
	}
	return n
}

// properties reads pom.properties, which says what was built: it goes before
// pom.xml.
func (p *Project) properties(text []byte) {
	p.Properties = true
	for line := range bytes.Lines(text) {
		k, v, ok := strings.Cut(strings.TrimSpace(string(line)), "=")
		if !ok || strings.HasPrefix(k, "#") {
			continue
		}
		v = stated(strings.TrimSpace(v), nil)
		switch strings.TrimSpace(k) {
		case "groupId":
			p.Group = or(v, p.Group)
		case "artifactId":
			p.Artifact = or(v, p.Artifact)
		case "version":
			p.Version = or(v, p.Version)
		}
	}
}

func or(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

const (
	maxXMLDepth  = 64
	maxDepends   = 5000
	maxXMLString = 4096
)

// xml reads pom.xml token by token: of a document of any shape only the paths that
// count are kept.
func (p *Project) xml(text []byte) error {
	d := xml.NewDecoder(bytes.NewReader(text))
	// Maven reads any encoding; names and versions are ASCII in all of them.
	d.CharsetReader = func(_ string, in io.Reader) (io.Reader, error) { return in, nil }
	d.Entity = xml.HTMLEntity // Maven takes &copy; and the like
	var at []string
	var value strings.Builder
	props := map[string]string{}
	own, parent := Project{}, Project{}
	var dep Dependency
	var scope, typ string
	var raw []Dependency
	root := false
	for {
		t, err := d.RawToken()
		if err == io.EOF {
			break
		}
		if err != nil {
			return xmlError(err)
		}
		switch t := t.(type) {
		case xml.StartElement:
			if len(at) == 0 {
				if root || t.Name.Local != "project" {
					return xmlError(errors.New("the document is no project"))
				}
				root = true
			}
			if len(at) == maxXMLDepth {
				return &assay.Error{Op: "read pom.xml", Kind: assay.ErrBound, Value: "more nested elements", Bound: "at most " + strconv.Itoa(maxXMLDepth)}
			}
			at = append(at, t.Name.Local)
			value.Reset()
			if strings.Join(at, "/") == "project/dependencies/dependency" {
				dep, scope, typ = Dependency{}, "", ""
			}
		case xml.CharData:
			if value.Len()+len(t) <= maxXMLString {
				value.Write(t)
			}
		case xml.EndElement:
			if len(at) == 0 || at[len(at)-1] != t.Name.Local {
				return xmlError(errors.New("the element " + t.Name.Local + " ends, which did not begin"))
			}
			v := strings.TrimSpace(value.String())
			value.Reset()
			switch where := strings.Join(at, "/"); where {
			case "project/groupId":
				own.Group = v
			case "project/artifactId":
				own.Artifact = v
			case "project/version":
				own.Version = v
			case "project/name":
				own.Name = v
			case "project/url":
				own.URL = v
			case "project/scm/url":
				own.SCM = v
			case "project/issueManagement/url":
				own.Issues = v
			case "project/organization/name":
				own.Organization = v
			case "project/parent/groupId":
				parent.Group = v
			case "project/parent/version":
				parent.Version = v
			case "project/parent/artifactId":
				parent.Artifact = v
			case "project/licenses/license/name":
				if v != "" && len(own.Licenses) < 100 {
					own.Licenses = append(own.Licenses, v)
				}
			case "project/dependencies/dependency/groupId":
				dep.Group = v
			case "project/dependencies/dependency/artifactId":
				dep.Artifact = v
			case "project/dependencies/dependency/version":
				dep.Version = v
			case "project/dependencies/dependency/scope":
				scope = v
			case "project/dependencies/dependency/type":
				typ = v
			case "project/dependencies/dependency/optional":
				dep.Optional = v == "true"
			case "project/dependencies/dependency":
				if len(raw) == maxDepends {
					return &assay.Error{Op: "read pom.xml", Kind: assay.ErrBound, Value: "more dependencies", Bound: "at most " + strconv.Itoa(maxDepends)}
				}
				if (scope == "" || scope == "compile" || scope == "runtime") && typ != "pom" && typ != "test-jar" {
					raw = append(raw, dep)
				}
			default:
				if name, ok := strings.CutPrefix(where, "project/properties/"); ok && len(at) == 3 && len(props) < 1000 {
					props[name] = v
				}
			}
			at = at[:len(at)-1]
		}
	}
	if !root || len(at) > 0 {
		return xmlError(io.ErrUnexpectedEOF)
	}
	p.XML = true
	group, version := or(own.Group, parent.Group), or(own.Version, parent.Version)
	for _, pre := range []string{"project.", "pom.", ""} {
		for k, v := range map[string]string{
			"groupId": group, "artifactId": own.Artifact, "version": version,
			"parent.groupId": parent.Group, "parent.version": parent.Version, "parent.artifactId": parent.Artifact,
		} {
			if _, ok := props[pre+k]; !ok && !strings.Contains(v, "${") {
				props[pre+k] = v
			}
		}
	}
	p.Group = or(p.Group, stated(group, props))
	p.Artifact = or(p.Artifact, stated(own.Artifact, props))
	p.Version = or(p.Version, stated(version, props))
	p.Name, p.Organization = stated(own.Name, props), stated(own.Organization, props)
	p.URL, p.SCM, p.Issues = stated(own.URL, props), stated(own.SCM, props), stated(own.Issues, props)
	p.Licenses = own.Licenses
	for _, d := range raw {
		d.Group, d.Artifact, d.Version = stated(d.Group, props), stated(d.Artifact, props), stated(d.Version, props)
		if d.Artifact != "" {
			p.Depends = append(p.Depends, d)
		}
	}
	return nil
}

func xmlError(err error) error {
	return &assay.Error{Op: "read pom.xml", Kind: assay.ErrInvalid, Err: err}
}

// stated puts the properties into a value. A value that has others, which its
// parent or the command line set, is not stated: "".
func stated(v string, props map[string]string) string {
	for range 8 { // a property can refer to another
		i := strings.Index(v, "${")
		if i < 0 {
			return v
		}
		j := strings.IndexByte(v[i:], '}')
		if j < 0 {
			return ""
		}
		with, ok := props[v[i+2:i+j]]
		if !ok || len(v)+len(with) > maxXMLString {
			return ""
		}
		v = v[:i] + with + v[i+j+1:]
	}
	return ""
}
