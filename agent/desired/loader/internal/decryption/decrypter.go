package decryption

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"

	"github.com/helmfile-agent/helmfile-agent/agent/broker"
	"github.com/helmfile-agent/helmfile-agent/agent/secrets"
)

// Agent decrypts for the loader, which has no keys. The agent masks the plaintext before it sends it.
type Agent interface {
	Decrypt(ctx context.Context, file broker.EncryptedFile) ([]byte, error)
}

// Decrypter decrypts files of the repository. It collects the reasons of failures, because helmfile's own error often omits them.
type Decrypter struct {
	ctx       context.Context
	agent     Agent
	checkFile func(path string) error
	log       *slog.Logger

	mu       sync.Mutex
	failures error
	warnOnce sync.Once
}

// NewDecrypter returns a Decrypter for files that checkFile allows.
func NewDecrypter(ctx context.Context, agent Agent, checkFile func(path string) error, log *slog.Logger) *Decrypter {
	return &Decrypter{ctx: ctx, agent: agent, checkFile: checkFile, log: log}
}

// File returns the plaintext of a file. An empty format means that the name of the file determines it.
func (d *Decrypter) File(path, format string) ([]byte, error) {
	encrypted, err := d.read(path)
	if err != nil {
		d.AddFailure(err.Error())
		return nil, err
	}
	return d.Content(path, format, encrypted)
}

func (d *Decrypter) read(path string) ([]byte, error) {
	if err := d.checkFile(path); err != nil {
		return nil, err
	}
	encrypted, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", secrets.DecryptErrorPrefix, path, err)
	}
	return encrypted, nil
}

// Content returns the plaintext of encrypted content. The name is for messages, and for the format if that is empty.
func (d *Decrypter) Content(name, format string, encrypted []byte) ([]byte, error) {
	plain, err := d.agent.Decrypt(d.ctx, broker.EncryptedFile{Name: name, Format: format, Content: encrypted})
	if err != nil {
		d.AddFailure(err.Error())
		return nil, err
	}
	d.warnOnce.Do(func() { warnIfOnDisk(d.log) })
	return plain, nil
}

// AddFailure records why a secret cannot be decrypted.
func (d *Decrypter) AddFailure(reason string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.failures = errors.Join(d.failures, errors.New(reason))
}

// Failures returns all recorded reasons; nil if there is none.
func (d *Decrypter) Failures() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.failures
}
