package java

import (
	"bytes"
	"strings"
)

// Manifest is the main section of a manifest, of the attributes that say what an
// archive is (JAR File Specification, JAR Manifest; OSGi Core 8, 3.2.1).
type Manifest map[string]string

// kept are the attributes of interest, in lower case: their case does not count.
var kept = map[string]string{
	"implementation-title": "Implementation-Title", "implementation-version": "Implementation-Version",
	"implementation-vendor": "Implementation-Vendor", "implementation-vendor-id": "Implementation-Vendor-Id",
	"specification-title": "Specification-Title", "specification-version": "Specification-Version",
	"bundle-symbolicname": "Bundle-SymbolicName", "bundle-version": "Bundle-Version", "bundle-vendor": "Bundle-Vendor",
	"bundle-license": "Bundle-License", "bundle-docurl": "Bundle-DocURL", "implementation-url": "Implementation-URL", "automatic-module-name": "Automatic-Module-Name", "main-class": "Main-Class",
	"group-id": "Group-Id", "artifact-id": "Artifact-Id", "short-name": "Short-Name", "extension-name": "Extension-Name",
	"plugin-version": "Plugin-Version", "jenkins-version": "Jenkins-Version", "hudson-version": "Hudson-Version",
	"start-class": "Start-Class", "spring-boot-version": "Spring-Boot-Version",
}

// maxValue bounds a value that is kept.
const maxValue = 4096

func parseManifest(text []byte) Manifest {
	m := Manifest{}
	key := ""
	for line := range bytes.Lines(text) {
		line = bytes.TrimRight(line, "\r\n")
		if len(line) == 0 {
			if len(m) == 0 && key == "" {
				continue
			}
			break // the sections that follow are about single files
		}
		if line[0] == ' ' { // the line before goes on
			if key != "" && len(m[key])+len(line) <= maxValue {
				m[key] += string(line[1:])
			}
			continue
		}
		k, v, ok := bytes.Cut(line, []byte(":"))
		key = ""
		if !ok || len(k) > 70 {
			continue
		}
		if name := kept[strings.ToLower(string(k))]; name != "" && len(v) <= maxValue {
			if _, twice := m[name]; !twice {
				key = name
				m[key] = string(bytes.TrimPrefix(v, []byte(" ")))
			}
		}
	}
	for k, v := range m {
		if m[k] = stated(strings.TrimSpace(v), nil); m[k] == "" {
			delete(m, k)
		}
	}
	return m
}
