// Package remediation records how vulnerabilities in the images of one stream were
// remediated over time, and says whether that was inside a deadline.
//
// # Where to start
//
// Make a record of the builds of a stream with [Record], attest it (its predicate type
// is [PredicateType]), and ask with [Evaluate] how it stands against a [Profile] at a
// time:
//
//	record, err := remediation.Record("registry.example/app:1", builds, remediation.Options{})
//	data, err := remediation.Encode(record)
//
//	record, err := remediation.Read(name, data)
//	profile, err := remediation.Named(remediation.ProfileDefault)
//	result, err := remediation.Evaluate(record, profile, now)
//
// A profile is data: [Named] has some, [ReadProfile] reads others from JSON.
package remediation
