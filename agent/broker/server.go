package broker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/net/netutil"

	"github.com/helmfile-agent/helmfile-agent/agent/exit"
	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

// socketName is the name of the socket in the workspace.
const socketName = "broker.sock"

// requestTimeout is how long a client may take to send a request.
const requestTimeout = 30 * time.Second

// Serve answers the clients of the workspace until the closer is closed or ctx ends. kubernetes answers the requests to the cluster.
// Both service and kubernetes may be nil. Requests to them are then not found.
func Serve(ctx context.Context, workspace string, service Service, kubernetes http.Handler) (io.Closer, error) {
	return serve(ctx, workspace, service, kubernetes, requestTimeout)
}

func serve(ctx context.Context, workspace string, service Service, kubernetes http.Handler, timeout time.Duration) (io.Closer, error) {
	path, done, err := socketPath(workspace)
	if err != nil {
		return nil, err
	}
	defer done()
	if err := os.Remove(filepath.Join(workspace, socketName)); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	listener, err := net.Listen("unix", path)
	if err != nil {
		return nil, fmt.Errorf("listen in the workspace: %w", err)
	}
	listener.(*net.UnixListener).SetUnlinkOnClose(false) // the run removes the workspace with the socket
	if err := os.Chmod(filepath.Join(workspace, socketName), 0o600); err != nil {
		return nil, errors.Join(err, listener.Close())
	}
	server := &http.Server{
		Handler:           limited(routes(service, kubernetes), timeout),
		BaseContext:       func(net.Listener) context.Context { return ctx },
		ReadTimeout:       timeout,
		ReadHeaderTimeout: timeout,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          slog.NewLogLogger(slog.DiscardHandler, slog.LevelError), // errors of clients are not errors of the agent
	}
	go func() { _ = server.Serve(netutil.LimitListener(listener, maxConnections)) }() // it ends with ErrServerClosed
	return server, nil
}

func routes(service Service, kubernetes http.Handler) http.Handler {
	mux := http.NewServeMux()
	if service != nil {
		serveAgent(mux, service)
	}
	if kubernetes != nil {
		mux.Handle("GET "+kubernetesPath+"/", http.StripPrefix(kubernetesPath, kubernetes))
	}
	return mux
}

func serveAgent(mux *http.ServeMux, service Service) {
	handle(mux, decryptPath, func(ctx context.Context, file EncryptedFile) (answer, error) {
		plain, err := service.Decrypt(ctx, file)
		return answer{Plain: plain}, err
	})
	handle(mux, registerPath, func(_ context.Context, repositories []release.Repository) (answer, error) {
		return answer{}, service.Register(repositories)
	})
	handle(mux, pullPath, func(ctx context.Context, c release.Chart) (answer, error) {
		dir, err := service.Pull(ctx, c)
		return answer{Dir: dir}, err
	})
	handle(mux, buildPath, func(ctx context.Context, want Dependencies) (answer, error) {
		dir, err := service.BuildDependencies(ctx, want)
		return answer{Dir: dir}, err
	})
}

// handle decodes a request with a limited size and encodes the answer.
func handle[T any](mux *http.ServeMux, path string, do func(context.Context, T) (answer, error)) {
	mux.HandleFunc("POST "+path, func(w http.ResponseWriter, r *http.Request) {
		var request T
		if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxMessage)).Decode(&request); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		sent, err := do(r.Context(), request)
		if err != nil {
			sent = answer{Failed: true, Reason: err.Error(), Code: int(exit.Of(err))}
		}
		_ = json.NewEncoder(w).Encode(sent) // a client that has disconnected needs no answer
	})
}
