// Package witness has signatures witnessed: recorded in transparency logs and
// timestamped by authorities, as a signing config says, and made a bundle with what
// they answered.
//
// Start with [New] and [Witness.Bundle]. A service that fails is replaced by
// another that the config allows in its place; a bundle is given with as many
// witnesses as the config asks for, or not at all.
package witness

import (
	"context"
	"crypto"
	"errors"
	"log/slog"
	"net/http"
	"strconv"
	"sync"
	"time"

	protobundle "github.com/sigstore/protobuf-specs/gen/pb-go/bundle/v1"
	protocommon "github.com/sigstore/protobuf-specs/gen/pb-go/common/v1"
	protorekor "github.com/sigstore/protobuf-specs/gen/pb-go/rekor/v1"
	"github.com/sigstore/sigstore-go/pkg/root"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/request"
	"github.com/assaykit/assay/internal/strictjson"
)

// Options are what a [Witness] is made of.
type Options struct {
	SigningConfig []byte
	TrustedRoot   []byte
	Transport     http.RoundTripper
	Retries       int
	Timeout       time.Duration
	Clock         func() time.Time
	Logger        *slog.Logger
}

// Witness knows the services. It is safe for concurrent use.
type Witness struct {
	Config  *Config
	HTTP    request.Client
	Clock   func() time.Time
	log     *slog.Logger
	trusted *root.TrustedRoot
}

const maxRootBytes = 16 << 20

// New reads the config and the root; it contacts nobody. The op is for errors.
func New(op string, o Options) (*Witness, error) {
	w := &Witness{
		HTTP:  request.Client{Transport: o.Transport, Timeout: o.Timeout, Retries: o.Retries},
		Clock: o.Clock,
		log:   o.Logger,
	}
	if w.Clock == nil {
		w.Clock = time.Now
	}
	if w.log == nil {
		w.log = slog.New(slog.DiscardHandler)
	}
	var err error
	if w.Config, err = ParseConfig(o.SigningConfig); err != nil {
		return nil, err
	}
	if o.TrustedRoot != nil {
		if err := strictjson.Check("trusted root", o.TrustedRoot, strictjson.Limits{MaxBytes: maxRootBytes}); err != nil {
			return nil, err
		}
		if w.trusted, err = root.NewTrustedRootFromJSON(o.TrustedRoot); err != nil {
			return nil, &assay.Error{Op: op, Kind: assay.ErrInvalid, Field: "TrustedRoot", Bound: "a trusted root", Err: err}
		}
	}
	return w, nil
}

// Services are those to use for a signature.
type Services struct {
	logs, tsas choice
}

// Services are those that the config names for this time.
func (w *Witness) Services() (Services, error) {
	now := w.Clock()
	logs, err := choose("/rekorTlogUrls", w.Config.Logs, logVersions, w.Config.LogConfig, now)
	if err != nil {
		return Services{}, err
	}
	tsas, err := choose("/tsaUrls", w.Config.TSAs, tsaVersions, w.Config.TSAConfig, now)
	return Services{logs, tsas}, err
}

// Timed says whether the services witness the time of signing: Rekor of version 2
// does not.
func (s Services) Timed() bool {
	return s.tsas.need > 0 || s.logs.need > 0 && s.logs.services[0].Version == 1
}

// None says that there is nothing to ask.
func (s Services) None() bool { return s.tsas.need == 0 && s.logs.need == 0 }

// Signature is what is witnessed.
type Signature struct {
	Payload   []byte // of type [assay.MediaTypeInToto]
	Signature []byte
	Public    crypto.PublicKey
	// Certificate is DER of the certificate of the key; nil names the key by Hint.
	Certificate []byte
	Hint        string
}

// ErrLogged is an answer of Rekor v2 that has the entry already. The entry is
// not to be had again, but a new signature is a new entry.
var ErrLogged = errors.New("the log has the entry already")

// Bundle has the signature witnessed and gives the bundle, which is verified first
// where there is a trusted root.
func (w *Witness) Bundle(ctx context.Context, s Signature) (assay.Envelope, error) {
	use, err := w.Services()
	if err != nil {
		return assay.Envelope{}, err
	}
	v, err := newVerifier(s)
	if err != nil {
		return assay.Envelope{}, err
	}
	material := &protobundle.VerificationMaterial{}
	if s.Certificate != nil {
		material.Content = &protobundle.VerificationMaterial_Certificate{Certificate: &protocommon.X509Certificate{RawBytes: s.Certificate}}
	} else {
		material.Content = &protobundle.VerificationMaterial_PublicKey{PublicKey: &protocommon.PublicKeyIdentifier{Hint: s.Hint}}
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var wg sync.WaitGroup
	var stamps [][]byte
	var entries []*protorekor.TransparencyLogEntry
	var stampErr, logErr error
	wg.Go(func() {
		if stamps, stampErr = ask(ctx, w, use.tsas, "timestamp", func(ctx context.Context, to Service) ([]byte, error) {
			return w.timestamp(ctx, to, s.Signature)
		}); stampErr != nil {
			cancel()
		}
	})
	wg.Go(func() {
		if entries, logErr = ask(ctx, w, use.logs, "log", func(ctx context.Context, to Service) (*protorekor.TransparencyLogEntry, error) {
			if to.Version == 1 {
				return w.logV1(ctx, to, s, v)
			}
			return w.logV2(ctx, to, s, v)
		}); logErr != nil {
			cancel()
		}
	})
	wg.Wait()
	if err := first(stampErr, logErr); err != nil {
		return assay.Envelope{}, err
	}
	for _, b := range stamps {
		if material.TimestampVerificationData == nil {
			material.TimestampVerificationData = &protobundle.TimestampVerificationData{}
		}
		material.TimestampVerificationData.Rfc3161Timestamps = append(material.TimestampVerificationData.Rfc3161Timestamps,
			&protocommon.RFC3161SignedTimestamp{SignedTimestamp: b})
	}
	material.TlogEntries = entries
	return w.finish(s, material, use)
}

// first gives the error that made the other, which is then only the end of its
// context.
func first(a, b error) error {
	switch {
	case a == nil:
		return b
	case b == nil || errors.Is(b, context.Canceled):
		return a
	case errors.Is(a, context.Canceled):
		return b
	}
	return errors.Join(a, b)
}

// ask asks as many services as are needed, side by side, and others where one
// fails. The answers are in the order of the services.
func ask[T any](ctx context.Context, w *Witness, c choice, what string, f func(context.Context, Service) (T, error)) ([]T, error) {
	if c.need == 0 {
		return nil, nil
	}
	var mu sync.Mutex
	got := make([]*T, len(c.services))
	var errs []error
	next := c.need
	var wg sync.WaitGroup
	for i := range c.need {
		wg.Go(func() {
			for {
				v, err := f(ctx, c.services[i])
				mu.Lock()
				if err == nil {
					got[i] = &v
					mu.Unlock()
					return
				}
				errs = append(errs, err)
				if next == len(c.services) || ctx.Err() != nil {
					mu.Unlock()
					return
				}
				failed := c.services[i].URL
				i = next
				next++
				mu.Unlock()
				w.log.WarnContext(ctx, "witness failed, asking another", "kind", what,
					"failed", request.Name(failed), "next", request.Name(c.services[i].URL), "error", err)
			}
		})
	}
	wg.Wait()
	var out []T
	for _, v := range got {
		if v != nil {
			out = append(out, *v)
		}
	}
	if len(out) < c.need {
		if len(errs) == 1 {
			return nil, errs[0]
		}
		return nil, &assay.Error{Op: what, Kind: assay.ErrUnchecked, Value: strconv.Itoa(len(out)) + " witnesses",
			Bound: strconv.Itoa(c.need), Err: errors.Join(errs...)}
	}
	return out, nil
}
