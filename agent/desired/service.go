package desired

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/helmfile-agent/helmfile-agent/agent/broker"
	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

// service serves the requests of the loader.
type service struct {
	req    Request
	copies *chartCopies
}

var _ broker.Service = (*service)(nil)

// Decrypt implements broker.Service. The mask gets the plaintext before the loader does.
func (s *service) Decrypt(_ context.Context, file broker.EncryptedFile) ([]byte, error) {
	plain, err := s.decrypt(file)
	if err != nil {
		return nil, err
	}
	s.req.Mask.AddDocument(plain)
	if err := s.req.Mask.Err(); err != nil {
		return nil, err
	}
	return plain, nil
}

func (s *service) decrypt(file broker.EncryptedFile) ([]byte, error) {
	if file.Format != "" {
		return s.req.Keys.Decrypt(file.Name, file.Content, file.Format)
	}
	return s.req.Keys.DecryptNamed(file.Name, file.Content)
}

// Register implements broker.Service.
func (s *service) Register(repositories []release.Repository) error {
	for _, r := range repositories {
		s.req.Mask.Add(r.Password)
	}
	s.req.Charts.AddRepositories(repositories...)
	return nil
}

// Pull implements broker.Service.
func (s *service) Pull(ctx context.Context, c release.Chart) (string, error) {
	if c.Path != "" {
		return "", fmt.Errorf("chart %s is local: it cannot be pulled", c.Name)
	}
	key, err := json.Marshal(c)
	if err != nil {
		return "", err
	}
	return s.copies.get("pull "+string(key), false, func(into string) (string, error) { return s.req.Charts.Pull(ctx, c, into) })
}

// BuildDependencies implements broker.Service. The client may change its directory between two requests, so each request makes a new copy.
func (s *service) BuildDependencies(ctx context.Context, want broker.Dependencies) (string, error) {
	return s.copies.get("build "+want.Dir, true, func(into string) (string, error) {
		return s.req.Charts.BuildCopy(ctx, want.Dir, into, want.Update)
	})
}
