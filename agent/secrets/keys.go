package secrets

import (
	"context"
	"os"
	"strings"
	"sync"

	"github.com/getsops/sops/v3/age"
	"github.com/getsops/sops/v3/keyservice"
	"google.golang.org/grpc"
)

// hidden is the key material that HideKeys took out of the environment. It belongs to the process, as the environment does.
var hidden struct {
	sync.Mutex
	ageKey string
}

// HideKeys takes out of the environment what a template must not read there: SOPS_AGE_KEY, which this package keeps in
// memory for its own use, and the variables that make sops run a command. What remains are names of files
// (SOPS_AGE_KEY_FILE, SOPS_AGE_SSH_PRIVATE_KEY_FILE) and the tokens that vals and the clouds' libraries look up whenever
// they need them (VAULT_TOKEN, AWS_SECRET_ACCESS_KEY): who writes the helmfile may use them through ref+ anyway.
// It says whether a key was hidden, now or earlier.
func HideKeys() bool {
	hidden.Lock()
	defer hidden.Unlock()
	if key := os.Getenv(age.SopsAgeKeyEnv); key != "" {
		hidden.ageKey = key
	}
	for _, name := range []string{age.SopsAgeKeyEnv, age.SopsAgeKeyCmdEnv, age.SopsAgeSshPrivateKeyCmdEnv} {
		_ = os.Unsetenv(name) // fails only for names that no variable can have
	}
	forgetEnvironment()
	return hidden.ageKey != ""
}

// hiddenIdentities are the keys that were hidden, written as sops allows it: several in a line, and lines that are comments.
func hiddenIdentities() (age.ParsedIdentities, error) {
	hidden.Lock()
	defer hidden.Unlock()
	var identities age.ParsedIdentities
	for line := range strings.Lines(hidden.ageKey) {
		if strings.HasPrefix(strings.TrimSpace(line), "#") {
			continue
		}
		if err := identities.Import(strings.Fields(line)...); err != nil {
			return nil, err
		}
	}
	return identities, nil
}

// keys decrypts data keys with the hidden identities, and otherwise as sops does.
type keys struct{ keyservice.LocalClient }

func (k keys) Decrypt(ctx context.Context, req *keyservice.DecryptRequest, opts ...grpc.CallOption) (*keyservice.DecryptResponse, error) {
	recipient := req.GetKey().GetAgeKey()
	identities, err := hiddenIdentities()
	if recipient == nil || (err == nil && len(identities) == 0) {
		return k.LocalClient.Decrypt(ctx, req, opts...)
	}
	if err == nil {
		master := age.MasterKey{Recipient: recipient.GetRecipient(), EncryptedKey: string(req.GetCiphertext())}
		identities.ApplyToMasterKey(&master)
		var plain []byte
		if plain, err = master.Decrypt(); err == nil {
			return &keyservice.DecryptResponse{Plaintext: plain}, nil
		}
	}
	// There may be key files as well. If not, what matters is why the key that was given does not serve.
	if response, other := k.LocalClient.Decrypt(ctx, req, opts...); other == nil {
		return response, nil
	}
	return nil, err
}
