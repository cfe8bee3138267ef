package servers

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
	"time"

	"github.com/gliderlabs/ssh"
	gossh "golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"
)

const (
	sshUser         = "git"
	sshCommand      = "git-upload-pack"
	sshCloseTimeout = 10 * time.Second
)

// GitSSH serves every repository below a root over SSH, for reading. It supports only the command git-upload-pack.
type GitSSH struct {
	URL        string // such as ssh://git@127.0.0.1:port, without a slash at the end
	KnownHosts string // the line that makes a client trust the host key
	ClientKey  []byte // PEM of a private key that the server accepts
	Password   string // a password that the server accepts as well
	record
	root   *os.Root
	server *ssh.Server
	served chan struct{}
}

// NewGitSSH starts a server with new keys and a new password.
func NewGitSSH(root string) (*GitSSH, error) {
	return NewGitSSHAt(root, loopback)
}

// NewGitSSHAt starts a server on another address of this machine.
func NewGitSSHAt(root string, address net.IP) (*GitSSH, error) {
	s := &GitSSH{Password: rand.Text(), served: make(chan struct{})}
	if err := s.start(root, address); err != nil {
		return nil, fmt.Errorf("serve git over SSH: %w", err)
	}
	return s, nil
}

func (s *GitSSH) start(root string, address net.IP) error {
	client, err := s.newClientKey()
	if err != nil {
		return err
	}
	host, err := newHostKey()
	if err != nil {
		return err
	}
	if s.root, err = os.OpenRoot(root); err != nil {
		return err
	}
	listener, err := listen(address)
	if err != nil {
		return errors.Join(err, s.root.Close())
	}
	at := listener.Addr().String()
	s.URL = "ssh://" + sshUser + "@" + at
	s.KnownHosts = knownhosts.Line([]string{at}, host.PublicKey())
	s.server = s.newServer(host, client)
	go func() {
		defer close(s.served)
		_ = s.server.Serve(listener) // returns ErrServerClosed after Close
	}()
	return nil
}

func (s *GitSSH) newServer(host ssh.Signer, client ssh.PublicKey) *ssh.Server {
	return &ssh.Server{
		Handler:     s.handle,
		HostSigners: []ssh.Signer{host},
		PublicKeyHandler: func(ctx ssh.Context, key ssh.PublicKey) bool {
			return ctx.User() == sshUser && ssh.KeysEqual(key, client)
		},
		PasswordHandler: func(ctx ssh.Context, password string) bool {
			return ctx.User() == sshUser && equal(password, s.Password)
		},
	}
}

// RepoURL returns the URL of a repository. The name is the argument of NewRepo.
func (s *GitSSH) RepoURL(name string) string {
	return s.URL + "/" + name
}

// Close stops the server. It closes connections that are still active after a limit.
func (s *GitSSH) Close() {
	ctx, cancel := context.WithTimeout(context.Background(), sshCloseTimeout)
	defer cancel()
	if s.server.Shutdown(ctx) != nil {
		_ = s.server.Close() // an error cannot be handled here
	}
	<-s.served
	_ = s.root.Close()
}

// handle answers one command. There is no shell, so quotes have no meaning.
func (s *GitSSH) handle(session ssh.Session) {
	repo, err := s.repositoryOf(session.Command())
	if err != nil {
		_, _ = fmt.Fprintln(session.Stderr(), err) // on an error, the client has closed the connection
		_ = session.Exit(1)
		return
	}
	s.add(sshCommand + " /" + repo)
	_ = session.Exit(s.uploadPack(session, repo))
}

// repositoryOf returns the repository of a command, as a path below the root.
func (s *GitSSH) repositoryOf(command []string) (string, error) {
	if len(command) != 2 || command[0] != sshCommand {
		return "", fmt.Errorf("this server only does %s", sshCommand)
	}
	repo := strings.TrimPrefix(path.Clean("/"+command[1]), "/")
	// os.Root refuses paths out of it, also through symbolic links.
	if _, err := s.root.Stat(path.Join(repo, "HEAD")); err != nil {
		return "", fmt.Errorf("no repository %q", command[1])
	}
	return repo, nil
}

func (s *GitSSH) uploadPack(session ssh.Session, repo string) (code int) {
	command := exec.CommandContext(session.Context(), "git", "upload-pack", "--strict", ".")
	command.Dir = filepath.Join(s.root.Name(), filepath.FromSlash(repo))
	command.Env = append(gitEnvironment(), protocol(session)...)
	command.Stdout, command.Stderr = session, session.Stderr()
	stdin, err := command.StdinPipe()
	if err != nil {
		return 1
	}
	// Do not wait for this copy, because a client may keep its side open until it gets the exit status.
	go func() {
		_, _ = io.Copy(stdin, session)
		_ = stdin.Close()
	}()
	return exitCode(command.Run())
}

func exitCode(err error) int {
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		return exit.ExitCode()
	}
	if err != nil {
		return 1
	}
	return 0
}

// protocol returns the environment variable with the client's version of git's protocol, and no other variables.
func protocol(session ssh.Session) []string {
	for _, variable := range session.Environ() {
		if strings.HasPrefix(variable, "GIT_PROTOCOL=") {
			return []string{variable}
		}
	}
	return nil
}

func (s *GitSSH) newClientKey() (ssh.PublicKey, error) {
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("generate a client key: %w", err)
	}
	block, err := gossh.MarshalPrivateKey(private, "e2e")
	if err != nil {
		return nil, fmt.Errorf("encode the client key: %w", err)
	}
	s.ClientKey = pem.EncodeToMemory(block)
	return gossh.NewPublicKey(public)
}

func newHostKey() (ssh.Signer, error) {
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("generate a host key: %w", err)
	}
	return gossh.NewSignerFromKey(private)
}
