package keyless

import (
	"bytes"
	"context"
	"encoding/binary"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/assaykit/assay"
)

// SPIFFEToken asks the SPIFFE workload API for a JWT-SVID (SPIFFE Workload API,
// section 6.2, FetchJWTSVID). Of several the agent's first is taken, which the
// specification makes the default identity.
//
// The one call is made with net/http's HTTP/2: it is not worth go-spiffe's module to
// everybody who signs. Where spiffe-helper writes the JWT-SVID to a file, [FileToken]
// reads that.
type SPIFFEToken struct {
	// Socket is unix:///path or tcp://IP:port; empty takes SPIFFE_ENDPOINT_SOCKET
	// from the environment.
	Socket string
	// ID asks for the token of this SPIFFE id; empty takes the default one.
	ID string
	// Env reads the environment; nil is [os.Getenv].
	Env func(string) string
	// Timeout of the call: 30 seconds.
	Timeout time.Duration
}

const spiffeSubject = "SPIFFE workload API"

// Token implements [TokenSource]. Where no socket is named it is [assay.ErrAbsent].
func (s SPIFFEToken) Token(ctx context.Context, audience string) (string, error) {
	const socketVar = "SPIFFE_ENDPOINT_SOCKET"
	socket := s.Socket
	if socket == "" {
		socket = getenv(s.Env)(socketVar)
	}
	if socket == "" {
		return "", absent(spiffeSubject, socketVar, "unix:///path or tcp://IP:port")
	}
	network, address, err := parseSocket(socket)
	if err != nil {
		return "", err
	}
	timeout := s.Timeout
	if timeout <= 0 {
		timeout = 30 * time.Second
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	var message []byte
	message = protowire.AppendString(protowire.AppendTag(message, 1, protowire.BytesType), audience)
	if s.ID != "" {
		message = protowire.AppendString(protowire.AppendTag(message, 2, protowire.BytesType), s.ID)
	}
	answer, err := callWorkloadAPI(ctx, network, address, message)
	if err != nil {
		return "", err
	}
	return parseSVIDs(answer, s.ID)
}

// parseSocket reads an address (SPIFFE Workload Endpoint, section 4).
func parseSocket(s string) (network, address string, err error) {
	bad := &assay.Error{Op: opToken, Kind: assay.ErrInvalid, Subject: spiffeSubject, Field: "socket", Value: s, Bound: "unix:///path or tcp://IP:port"}
	u, err := url.Parse(s)
	if err != nil || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return "", "", bad
	}
	switch {
	case u.Scheme == "unix" && u.Host == "" && u.Opaque == "" && strings.HasPrefix(u.Path, "/"):
		return "unix", u.Path, nil
	case u.Scheme == "tcp" && u.Path == "" && u.Port() != "":
		if _, err := netip.ParseAddrPort(u.Host); err == nil {
			return "tcp", u.Host, nil
		}
	}
	return "", "", bad
}

// callWorkloadAPI makes the unary call (gRPC over HTTP/2, PROTOCOL-HTTP2.md) and
// gives the message of the answer.
func callWorkloadAPI(ctx context.Context, network, address string, message []byte) ([]byte, error) {
	fail := func(kind error, field, value, bound string, cause error) error {
		return &assay.Error{Op: opToken, Kind: kind, Subject: spiffeSubject, Field: field, Value: value, Bound: bound, Err: cause}
	}
	var protocols http.Protocols
	protocols.SetUnencryptedHTTP2(true)
	transport := &http.Transport{
		Protocols:         &protocols,
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, network, address)
		},
	}
	defer transport.CloseIdleConnections()
	frame := binary.BigEndian.AppendUint32([]byte{0}, uint32(len(message)))
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://localhost/SpiffeWorkloadAPI/FetchJWTSVID", bytes.NewReader(append(frame, message...)))
	if err != nil {
		return nil, fail(assay.ErrInvalid, "", "", "", err)
	}
	req.Header.Set("Content-Type", "application/grpc+proto")
	req.Header.Set("Te", "trailers")
	// Without it the endpoint must refuse: it keeps what can be made to send requests
	// from getting at the API.
	req.Header.Set("workload.spiffe.io", "true")
	resp, err := (&http.Client{Transport: transport}).Do(req)
	if err != nil {
		return nil, fail(assay.ErrUnchecked, "", "", "", err.(*url.Error).Err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fail(assay.ErrUnchecked, "status", resp.Status, "200", nil)
	}
	data, err := io.ReadAll(io.LimitReader(resp.Body, maxToken+1))
	switch {
	case err != nil:
		return nil, fail(assay.ErrUnchecked, "", "", "", err)
	case len(data) > maxToken:
		return nil, fail(assay.ErrBound, "", "more", "at most 65536 bytes", nil)
	}
	status, said := resp.Trailer.Get("Grpc-Status"), resp.Trailer.Get("Grpc-Message")
	if status == "" { // an answer without a message has it in the headers
		status, said = resp.Header.Get("Grpc-Status"), resp.Header.Get("Grpc-Message")
	}
	if status != "0" {
		if len(said) > 200 {
			said = said[:200]
		}
		return nil, fail(assay.ErrUnchecked, "grpc-status", strings.TrimSpace(status+" "+said), "0", nil)
	}
	if len(data) < 5 || data[0] != 0 || uint64(binary.BigEndian.Uint32(data[1:5])) != uint64(len(data)-5) {
		return nil, fail(assay.ErrInvalid, "", "", "one message that is not compressed", nil)
	}
	return data[5:], nil
}

// parseSVIDs reads a JWTSVIDResponse (workload.proto) and gives the first token, or
// that of the id.
func parseSVIDs(message []byte, id string) (string, error) {
	bad := &assay.Error{Op: opToken, Kind: assay.ErrInvalid, Subject: spiffeSubject, Bound: "a JWT-SVID"}
	svids, ok := fields(message)
	if !ok {
		return "", bad
	}
	for _, f := range svids {
		if f.number != 1 || f.value == nil {
			continue
		}
		svid, ok := fields(f.value)
		if !ok {
			return "", bad
		}
		var who, token string
		for _, f := range svid {
			switch f.number {
			case 1:
				who = string(f.value)
			case 2:
				token = string(f.value)
			}
		}
		if token == "" {
			return "", bad
		}
		if id == "" || id == who {
			return token, nil
		}
	}
	if id != "" {
		bad.Field, bad.Bound = "spiffe_id", id
	}
	return "", bad
}

type field struct {
	number protowire.Number
	value  []byte // nil unless length-delimited
}

func fields(b []byte) ([]field, bool) {
	var out []field
	for len(b) > 0 {
		number, kind, n := protowire.ConsumeTag(b)
		if n < 0 {
			return nil, false
		}
		b = b[n:]
		f := field{number: number}
		if kind == protowire.BytesType {
			if f.value, n = protowire.ConsumeBytes(b); n < 0 {
				return nil, false
			}
		} else if n = protowire.ConsumeFieldValue(number, kind, b); n < 0 {
			return nil, false
		}
		b = b[n:]
		out = append(out, f)
	}
	return out, true
}
