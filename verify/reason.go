package verify

import "github.com/assaykit/assay/verify/internal/envelope"

// Reason is a stable code for why a check or an attestation has its state. The
// words beside it may change, the codes do not.
//
// It is an error too, so that a program can ask why a policy is not met:
// errors.Is(report.Err(), [Absent]).
type Reason string

// Error gives the code.
func (r Reason) Error() string { return string(r) }

// Reasons of attestations that were refused.
const (
	// EnvelopeMalformed: the bytes are no envelope; EnvelopeUnsupported: they are one
	// of a kind that cannot be proven here.
	EnvelopeMalformed   = Reason(envelope.StepParse)
	EnvelopeUnsupported = Reason(envelope.StepUnsupported)
	// Unsigned: a statement that nobody signed, as BuildKit attaches it to an index.
	Unsigned Reason = "unsigned"
	// SignerUntrusted: nothing in the trust could prove this kind of signature.
	SignerUntrusted = Reason(envelope.StepTrust)
	// LogUnproven: too few transparency logs prove the entry. TimeUnwitnessed: too
	// few witnesses prove when the signature was made.
	LogUnproven     = Reason(envelope.StepLog)
	TimeUnwitnessed = Reason(envelope.StepTime)
	// CertificateUntrusted: the certificate does not chain to the trusted root at the
	// witnessed time.
	CertificateUntrusted = Reason(envelope.StepCertificate)
	// SignatureInvalid: the signature is not one over these bytes by this signer.
	SignatureInvalid = Reason(envelope.StepSignature)
	// StatementMalformed: the signed payload is no in-toto statement.
	StatementMalformed = Reason(envelope.StepStatement)
	// SubjectMismatch: the statement is about something else.
	SubjectMismatch Reason = "subject-mismatch"
	// SignerNotAllowed: a proven signer whom no rule of the policy lets say this.
	SignerNotAllowed Reason = "signer-not-allowed"
	// PredicateMalformed: the predicate breaks its specification.
	PredicateMalformed Reason = "predicate-malformed"
	// PredicateUnknown: proven, of a type that is not known here; proves nothing.
	PredicateUnknown Reason = "predicate-unknown"
)

// Reasons of checks.
const (
	// Holds: checked, and so.
	Holds Reason = "holds"
	// Absent: every store was read, and there is none that was accepted.
	Absent Reason = "absent"
	// StoreUnreadable: not found, and a store could not be read.
	StoreUnreadable Reason = "store-unreadable"
	// TooFewSigners: every store was read, and fewer distinct signers than the policy
	// wants stated evidence of the kind.
	TooFewSigners Reason = "too-few-signers"
	// Unchecked: none was accepted, and an attestation that may be one could not be
	// checked.
	Unchecked Reason = "unchecked"
	// NoContents: the image's bytes are not at hand.
	NoContents Reason = "no-contents"
	// ContentsDiffer: the image's bytes are not what the evidence says.
	ContentsDiffer Reason = "contents-differ"
	// ContentsUnreadable: the image's bytes could not be had or read.
	ContentsUnreadable Reason = "contents-unreadable"
	// ContentsIncomplete: the bytes were read, but a package database or other metadata
	// in them is broken, so that not all is known of what is installed.
	ContentsIncomplete Reason = "contents-incomplete"
	// NotDescribed: executables of no package are in the image, and the SBOM neither
	// lists them nor claims that there are no more.
	NotDescribed Reason = "not-described"
	// ContentsMismatch: the bytes do not have the digests they are listed under.
	ContentsMismatch Reason = "contents-mismatch"
	// Contradiction: two pieces of evidence cannot both be true.
	Contradiction Reason = "contradiction"
	// BuilderNotAllowed: no rule lets this signer speak for this builder.
	BuilderNotAllowed Reason = "builder-not-allowed"
	// SourceNotAllowed: built from a source that the policy does not name.
	SourceNotAllowed Reason = "source-not-allowed"
	// SourceModified: built from files that differ from the commit.
	SourceModified Reason = "source-modified"
	// RefNotAllowed: built from a ref that the policy's pattern does not match.
	RefNotAllowed Reason = "ref-not-allowed"
	// ParameterNotAllowed: built with other parameters, or as another build type, than
	// the policy expects.
	ParameterNotAllowed Reason = "parameter-not-allowed"
	// NestedDiffers: the unsigned provenance beside an image names another commit than
	// the signed one.
	NestedDiffers Reason = "nested-differs"
	// LevelTooLow: the build level is lower than the policy wants.
	LevelTooLow Reason = "level-too-low"
	// Vouched: there is no such evidence, and a verification summary stands in for it.
	Vouched Reason = "vouched"
	// VerifierNotAllowed: no rule lets this signer speak for this verifier.
	VerifierNotAllowed Reason = "verifier-not-allowed"
	// SummaryDiffers: a verification summary does not say what the policy wants.
	SummaryDiffers Reason = "summary-differs"
	// CoverageTooLow: fewer components come from verified source than the policy wants.
	CoverageTooLow Reason = "coverage-too-low"
	// TooFewBuilders: every store was read, and fewer independent builders than the policy
	// wants made the image.
	TooFewBuilders Reason = "too-few-builders"
	// OtherRun: signed in another run of the CI than provenance.
	OtherRun Reason = "other-run"
	// BaseNotAllowed: built on none of the base images that the policy names.
	BaseNotAllowed Reason = "base-not-allowed"
	// NotStated: the evidence, or the policy, does not say.
	NotStated Reason = "not-stated"
	// NotShown: nothing shows it.
	NotShown Reason = "not-shown"
	// ShownFalse: the image's bytes show that it is not so.
	ShownFalse Reason = "shown-false"
	// TooOld: a deadline has passed.
	TooOld Reason = "too-old"
	// FromTheFuture: a witnessed time is after the time of asking.
	FromTheFuture Reason = "from-the-future"
	// OtherImage: a document names another image as its product.
	OtherImage Reason = "other-image"
)
