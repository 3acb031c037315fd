package spdx

import "github.com/assaykit/assay/sbom/internal/quick"

// What reads the wire types from a document that was checked. A test compares it with
// decoding by their tags.

// readDocument reports false where the document is not what the check lets pass.
func readDocument(data []byte, v *document) bool {
	r := quick.NewReader(data)
	for r.Into('{'); r.More('}'); {
		switch string(r.Name()) {
		case "spdxVersion":
			v.SPDXVersion = r.Text()
		case "dataLicense":
			v.DataLicense = r.Text()
		case "SPDXID":
			v.SPDXID = r.Text()
		case "name":
			v.Name = r.Text()
		case "documentNamespace":
			v.DocumentNamespace = r.Text()
		case "creationInfo":
			readCreationInfo(r, &v.CreationInfo)
		case "documentDescribes":
			v.Describes = quick.Texts(r)
		case "packages":
			v.Packages = quick.List(r, readPkg)
		case "files":
			v.Files = quick.List(r, readFile)
		case "hasExtractedLicensingInfos":
			v.Extracted = quick.List(r, readExtracted)
		case "relationships":
			v.Relationships = quick.List(r, readRelationship)
		case "annotations":
			v.Annotations = quick.List(r, readAnnotation)
		default:
			r.Skip()
		}
	}
	return !r.Bad()
}

func readCreationInfo(r *quick.Reader, v *creationInfo) {
	for r.Into('{'); r.More('}'); {
		switch string(r.Name()) {
		case "created":
			v.Created = r.Text()
		case "creators":
			v.Creators = quick.Texts(r)
		default:
			r.Skip()
		}
	}
}

func readPkg(r *quick.Reader, v *pkg) {
	for r.Into('{'); r.More('}'); {
		switch string(r.Name()) {
		case "SPDXID":
			v.SPDXID = r.Text()
		case "name":
			v.Name = r.Text()
		case "versionInfo":
			v.VersionInfo = r.Text()
		case "supplier":
			v.Supplier = r.Text()
		case "originator":
			v.Originator = r.Text()
		case "downloadLocation":
			v.DownloadLocation = r.Text()
		case "homepage":
			v.Homepage = r.Text()
		case "filesAnalyzed":
			b := r.Bool()
			v.FilesAnalyzed = &b
		case "primaryPackagePurpose":
			v.Purpose = r.Text()
		case "checksums":
			v.Checksums = quick.List(r, readChecksum)
		case "licenseConcluded":
			v.LicenseConcluded = r.Text()
		case "licenseDeclared":
			v.LicenseDeclared = r.Text()
		case "copyrightText":
			v.CopyrightText = r.Text()
		case "description":
			v.Description = r.Text()
		case "externalRefs":
			v.ExternalRefs = quick.List(r, readExternal)
		case "hasFiles":
			v.HasFiles = quick.Texts(r)
		case "annotations":
			v.Annotations = quick.List(r, readAnnotation)
		default:
			r.Skip()
		}
	}
}

func readFile(r *quick.Reader, v *file) {
	for r.Into('{'); r.More('}'); {
		switch string(r.Name()) {
		case "SPDXID":
			v.SPDXID = r.Text()
		case "fileName":
			v.FileName = r.Text()
		case "checksums":
			v.Checksums = quick.List(r, readChecksum)
		case "licenseConcluded":
			v.LicenseConcluded = r.Text()
		case "licenseInfoInFiles":
			v.LicenseInfos = quick.Texts(r)
		case "copyrightText":
			v.CopyrightText = r.Text()
		case "annotations":
			v.Annotations = quick.List(r, readAnnotation)
		default:
			r.Skip()
		}
	}
}

func readChecksum(r *quick.Reader, v *checksum) {
	for r.Into('{'); r.More('}'); {
		switch string(r.Name()) {
		case "algorithm":
			v.Algorithm = r.Text()
		case "checksumValue":
			v.Value = r.Text()
		default:
			r.Skip()
		}
	}
}

func readExternal(r *quick.Reader, v *external) {
	for r.Into('{'); r.More('}'); {
		switch string(r.Name()) {
		case "referenceCategory":
			v.Category = r.Text()
		case "referenceType":
			v.Type = r.Text()
		case "referenceLocator":
			v.Locator = r.Text()
		case "comment":
			v.Comment = r.Text()
		default:
			r.Skip()
		}
	}
}

func readExtracted(r *quick.Reader, v *extracted) {
	for r.Into('{'); r.More('}'); {
		switch string(r.Name()) {
		case "licenseId":
			v.ID = r.Text()
		case "name":
			v.Name = r.Text()
		case "extractedText":
			v.Text = r.Text()
		default:
			r.Skip()
		}
	}
}

func readRelationship(r *quick.Reader, v *relationship) {
	for r.Into('{'); r.More('}'); {
		switch string(r.Name()) {
		case "spdxElementId":
			v.From = r.Text()
		case "relationshipType":
			v.Type = r.Text()
		case "relatedSpdxElement":
			v.To = r.Text()
		case "comment":
			v.Comment = r.Text()
		default:
			r.Skip()
		}
	}
}

func readAnnotation(r *quick.Reader, v *annotation) {
	for r.Into('{'); r.More('}'); {
		switch string(r.Name()) {
		case "annotator":
			v.Annotator = r.Text()
		case "annotationDate":
			v.Date = r.Text()
		case "annotationType":
			v.Type = r.Text()
		case "comment":
			v.Comment = r.Text()
		default:
			r.Skip()
		}
	}
}
