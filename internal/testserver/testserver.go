// Package testserver runs real servers as processes on loopback for tests.
//
// The binaries are in the folder that the environment variable ASSAY_SERVERS
// names. Without it the tests that need them skip; with it a binary that is
// missing, or that does not get ready, is a failure, so that a run that means to
// test against servers cannot pass without them.
//
// Start with [Binary] and [Start].
package testserver

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"
)

// Env names the folder of the servers' binaries.
const Env = "ASSAY_SERVERS"

// readyWithin is how long a server has to answer; startTries how often it is
// started anew on other ports where it did not, because a free port can be taken
// before the server has it.
const (
	readyWithin = 60 * time.Second
	startTries  = 3
	logTail     = 8 << 10
)

// Require skips the test where ASSAY_SERVERS is not set.
func Require(t testing.TB) {
	t.Helper()
	if os.Getenv(Env) == "" {
		t.Skipf("%s is not set: it names the folder with the binaries of the real servers", Env)
	}
}

// Binary gives the path of a server's binary.
func Binary(name string) (string, error) {
	path := filepath.Join(os.Getenv(Env), name)
	if info, err := os.Stat(path); err != nil {
		return "", fmt.Errorf("%s is set, but: %w", Env, err)
	} else if !info.Mode().IsRegular() {
		return "", fmt.Errorf("%s is set, but %s is not a file", Env, path)
	}
	return path, nil
}

// Ports are taken from those that systems give nobody who does not ask for one (RFC 6056
// has ephemeral ports begin at 49152, Linux at 32768), so that between the time that one
// is found free and the server's having it no other test's server or connection gets it.
const (
	firstPort = 10_000
	lastPort  = 32_000
	portTries = 100
)

// Ports gives n different free ports of loopback.
func Ports(n int) ([]string, error) {
	var ports []string
	var held []net.Listener
	defer func() {
		for _, l := range held {
			l.Close()
		}
	}()
	var failed error
	for try := 0; len(ports) < n; try++ {
		if try == portTries+n {
			return nil, fmt.Errorf("no free ports: %w", failed)
		}
		port := strconv.Itoa(firstPort + rand.IntN(lastPort-firstPort))
		l, err := net.Listen("tcp", "127.0.0.1:"+port)
		if err != nil {
			failed = err
			continue
		}
		held = append(held, l)
		ports = append(ports, port)
	}
	return ports, nil
}

// Spec is a server to start.
type Spec struct {
	Binary string // its name in ASSAY_SERVERS
	Dir    string // where it runs and its log is written
	Ports  int    // how many free ports it gets
	// Args are its arguments, given the ports.
	Args func(ports []string) []string
	// Env is what its environment has besides the test's; nil is nothing.
	Env func(ports []string) []string
	// Socket, if set, is the name in Dir of the unix socket that the server listens
	// on in place of a port; Process.URL is a proxy's before it. The server then has a
	// network of its own where the system allows it, so that ports it insists on are
	// nobody else's.
	Socket string
	// Ready is the path that answers, over HTTP on the first port, with any
	// status below 500 once the server serves.
	Ready string
}

// Process is a server that runs.
type Process struct {
	URL string // http://127.0.0.1:PORT, of the first port
	Log string // the file of what it prints

	cmd    *exec.Cmd
	proxy  *httptest.Server // before a socket
	exited chan struct{}
}

// Start starts a server and waits until it is ready. The caller stops it.
func Start(spec Spec) (*Process, error) {
	path, err := Binary(spec.Binary)
	if err != nil {
		return nil, err
	}
	var failed error
	for range startTries {
		p, err := start(path, spec)
		if err == nil {
			return p, nil
		}
		failed = errors.Join(failed, err)
		if !errors.Is(err, errExited) {
			break
		}
	}
	return nil, failed
}

var errExited = errors.New("exited")

func start(path string, spec Spec) (*Process, error) {
	ports, err := Ports(spec.Ports)
	if err != nil {
		return nil, err
	}
	out, err := os.CreateTemp(spec.Dir, spec.Binary+"-*.log")
	if err != nil {
		return nil, err
	}
	defer out.Close() // the child has its own handle
	if spec.Socket != "" {
		// Of a try before.
		if err := os.Remove(filepath.Join(spec.Dir, spec.Socket)); err != nil && !errors.Is(err, os.ErrNotExist) {
			return nil, err
		}
	}
	cmd := exec.Command(path, spec.Args(ports)...)
	cmd.Dir = spec.Dir
	cmd.Stdout, cmd.Stderr = out, out
	if spec.Env != nil {
		cmd.Env = append(os.Environ(), spec.Env(ports)...)
	}
	contain(cmd)
	p := &Process{Log: out.Name(), cmd: cmd, exited: make(chan struct{})}
	if spec.Socket == "" {
		p.URL = "http://127.0.0.1:" + ports[0]
		err = cmd.Start()
	} else {
		p.proxy = forward(filepath.Join(spec.Dir, spec.Socket))
		p.URL = p.proxy.URL
		isolate(cmd)
		if err = cmd.Start(); errors.Is(err, os.ErrPermission) {
			cmd = exec.Command(cmd.Path, cmd.Args[1:]...)
			cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = spec.Dir, p.cmd.Env, out, out
			contain(cmd)
			p.cmd = cmd
			err = cmd.Start()
		}
	}
	if err != nil {
		p.close()
		return nil, fmt.Errorf("%s: %w", spec.Binary, err)
	}
	go func() {
		// How it ended is in its log; that it ended is all that is asked.
		_ = cmd.Wait()
		close(p.exited)
	}()
	if err := p.await(p.URL + spec.Ready); err != nil {
		p.Stop()
		return nil, fmt.Errorf("%s: %w\n%s", spec.Binary, err, p.Tail())
	}
	return p, nil
}

func (p *Process) await(url string) error {
	ctx, cancel := context.WithTimeout(context.Background(), readyWithin)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	last := errors.New("no answer")
	for {
		select {
		case <-p.exited:
			return fmt.Errorf("%w before it answered at %s", errExited, url)
		case <-ctx.Done():
			return fmt.Errorf("not ready after %v: GET %s: %w", readyWithin, url, last)
		case <-tick.C:
		}
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			return err
		}
		answer, err := http.DefaultClient.Do(req)
		if err != nil {
			last = err
			continue
		}
		answer.Body.Close()
		if answer.StatusCode < 500 {
			// Another who got the port first would answer as well; the server is gone then.
			select {
			case <-p.exited:
				return fmt.Errorf("%w before it answered at %s", errExited, url)
			default:
				return nil
			}
		}
		last = fmt.Errorf("status %s", answer.Status)
	}
}

// Stop kills the server and what it started, and waits until it is gone.
func (p *Process) Stop() {
	kill(p.cmd)
	<-p.exited
	p.close()
}

func (p *Process) close() {
	if p.proxy != nil {
		p.proxy.CloseClientConnections()
		p.proxy.Close()
	}
}

// forward serves on loopback what is behind a socket.
func forward(socket string) *httptest.Server {
	return httptest.NewServer(&httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(&url.URL{Scheme: "http", Host: "socket"}) },
		Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "unix", socket)
		}},
		ErrorLog: log.New(io.Discard, "", 0), // it is asked before the server listens
	})
}

// Tail gives the end of what the server printed.
func (p *Process) Tail() string {
	b, err := os.ReadFile(p.Log)
	if err != nil {
		return err.Error()
	}
	if len(b) > logTail {
		b = b[len(b)-logTail:]
	}
	return string(b)
}
