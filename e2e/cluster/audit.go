package cluster

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"time"
)

const auditTimeout = 15 * time.Second

// errNotRecorded means that the log does not contain the marker yet.
var errNotRecorded = errors.New("the marker is not in the audit log yet")

// Audit reads the requests to the API server from its audit log. It is exact: a reader sends a marker request to the API server, and reads
// up to the marker's line. The API server writes this line after those of all requests that it answered before.
//
// A request that is active when the marker is sent may be before or after it.
type Audit struct {
	path string
	mark func(ctx context.Context, marker string) error
}

// Position is a place between two requests.
type Position int64

// Now returns the position after all requests that were answered so far.
func (a *Audit) Now(ctx context.Context) (Position, error) {
	info, err := os.Stat(a.path)
	if err != nil {
		return 0, fmt.Errorf("read the audit log: %w", err)
	}
	_, end, err := a.upToMarker(ctx, info.Size())
	return Position(end), err
}

// Requests returns the user's requests since the position, in the order of the answers. If user is empty, it returns the requests of all
// users. It never returns the requests of this package.
func (a *Audit) Requests(ctx context.Context, since Position, user string) ([]Request, error) {
	log, _, err := a.upToMarker(ctx, int64(since))
	if err != nil {
		return nil, err
	}
	requests, err := parseRequests(log)
	if err != nil {
		return nil, err
	}
	return Select(requests, Request{User: user}), nil
}

// upToMarker sends a marker, and returns the lines before it and the position after its line.
func (a *Audit) upToMarker(ctx context.Context, from int64) (log []byte, end int64, err error) {
	ctx, cancel := context.WithTimeout(ctx, auditTimeout)
	defer cancel()
	marker := rand.Text()
	if err := a.mark(ctx, marker); err != nil {
		return nil, 0, fmt.Errorf("mark the audit log: %w", err)
	}
	err = eventually(ctx, func(context.Context) error {
		log, end, err = a.cut(from, marker)
		return err
	})
	if err != nil {
		return nil, 0, fmt.Errorf("read the audit log: %w", err)
	}
	return log, end, nil
}

func (a *Audit) cut(from int64, marker string) (log []byte, end int64, err error) {
	rest, err := readFrom(a.path, from)
	if err != nil {
		return nil, 0, err
	}
	at := bytes.Index(rest, []byte(marker))
	if at < 0 {
		return nil, 0, errNotRecorded
	}
	length := bytes.IndexByte(rest[at:], '\n')
	if length < 0 {
		return nil, 0, errNotRecorded
	}
	line := bytes.LastIndexByte(rest[:at], '\n') + 1
	return rest[:line], from + int64(at+length+1), nil
}

func readFrom(path string, offset int64) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }() // only read
	if _, err := file.Seek(offset, io.SeekStart); err != nil {
		return nil, err
	}
	return io.ReadAll(file)
}

// markAudit sends a cheap request that no other client sends.
func (c *Cluster) markAudit(ctx context.Context, marker string) error {
	return c.probe.Discovery().RESTClient().Get().AbsPath("/version").Param("marker", marker).Do(ctx).Error()
}
