package secrets

import (
	"context"
	"errors"
	"os"
	"time"

	"filippo.io/age"
	sopsage "github.com/getsops/sops/v3/age"
	"github.com/getsops/sops/v3/azkv"
	"github.com/getsops/sops/v3/gcpkms"
	"github.com/getsops/sops/v3/hcvault"
	"github.com/getsops/sops/v3/keyservice"
	"github.com/getsops/sops/v3/kms"
	"google.golang.org/grpc"
)

// patience is how long a cloud may take to decrypt one data key, with the retries of its library.
const patience = time.Minute

// service decrypts the data keys of one file as sops asks for them, with the keys at hand, and remembers what became of
// each: the value is nil where it was opened.
type service struct {
	keyservice.LocalClient
	keys   *Keys
	became map[string]error // by encrypted data key
}

func (s service) Decrypt(ctx context.Context, req *keyservice.DecryptRequest, _ ...grpc.CallOption) (*keyservice.DecryptResponse, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	plain, err := s.open(ctx, req)
	s.became[string(req.GetCiphertext())] = err
	return &keyservice.DecryptResponse{Plaintext: plain}, err
}

// open finds the kind of key. A cloud is asked as its own configuration says, unless credentials for it were mounted.
func (s service) open(ctx context.Context, req *keyservice.DecryptRequest) ([]byte, error) {
	encrypted := string(req.GetCiphertext())
	switch key := req.GetKey().GetKeyType().(type) {
	case *keyservice.Key_AgeKey:
		return s.keys.openAge(key.AgeKey.GetRecipient(), encrypted)
	case *keyservice.Key_PgpKey:
		return s.keys.openPGP(key.PgpKey.GetFingerprint(), encrypted)
	case *keyservice.Key_VaultKey:
		return s.keys.openVault(ctx, key.VaultKey, encrypted)
	case *keyservice.Key_KmsKey:
		return s.keys.openAWS(ctx, key.KmsKey, encrypted)
	case *keyservice.Key_GcpKmsKey:
		return s.keys.openGCP(ctx, key.GcpKmsKey, encrypted)
	case *keyservice.Key_AzureKeyvaultKey:
		return s.keys.openAzure(ctx, key.AzureKeyvaultKey, encrypted)
	}
	response, err := s.LocalClient.Decrypt(ctx, req)
	return response.GetPlaintext(), err
}

var errNoAge = errors.New("none of the age keys at hand is for it")

// openAge tries the keys at hand, and then what sops finds by itself, such as ~/.config/sops/age/keys.txt.
func (k *Keys) openAge(recipient, encrypted string) ([]byte, error) {
	own := sopsage.MasterKey{Recipient: recipient, EncryptedKey: encrypted}
	var err error
	if len(k.age) > 0 {
		k.age.ApplyToMasterKey(&own)
		var plain []byte
		if plain, err = own.Decrypt(); err == nil {
			return plain, nil
		}
	}
	found := sopsage.MasterKey{Recipient: recipient, EncryptedKey: encrypted}
	plain, other := found.Decrypt()
	switch {
	case other == nil:
		return plain, nil
	case err == nil: // there are none but what sops may find
		err = other
	}
	if mismatch := (*age.NoIdentityMatchError)(nil); errors.As(err, &mismatch) {
		return nil, errNoAge
	}
	return nil, err
}

func (k *Keys) openVault(ctx context.Context, key *keyservice.VaultKey, encrypted string) ([]byte, error) {
	if err := k.permitted(key.GetVaultAddress(), os.Getenv("VAULT_ADDR")); err != nil {
		return nil, err
	}
	master := hcvault.MasterKey{VaultAddress: key.GetVaultAddress(), EnginePath: key.GetEnginePath(), KeyName: key.GetKeyName(), EncryptedKey: encrypted}
	k.vault.ApplyToMasterKey(&master)
	return master.DecryptContext(ctx)
}

func (k *Keys) openAWS(ctx context.Context, key *keyservice.KmsKey, encrypted string) ([]byte, error) {
	master := kms.NewMasterKeyWithProfile(key.GetArn(), key.GetRole(), map[string]*string{}, key.GetAwsProfile())
	for name, value := range key.GetContext() {
		master.EncryptionContext[name] = &value
	}
	master.EncryptedKey = encrypted
	if k.aws != nil {
		k.aws.ApplyToMasterKey(master)
	}
	return master.DecryptContext(ctx)
}

func (k *Keys) openGCP(ctx context.Context, key *keyservice.GcpKmsKey, encrypted string) ([]byte, error) {
	master := gcpkms.MasterKey{ResourceID: key.GetResourceId(), EncryptedKey: encrypted}
	if k.gcp != nil {
		k.gcp.ApplyToMasterKey(&master)
	}
	return master.DecryptContext(ctx)
}

func (k *Keys) openAzure(ctx context.Context, key *keyservice.AzureKeyVaultKey, encrypted string) ([]byte, error) {
	if err := k.permitted(key.GetVaultUrl(), azureVaults...); err != nil {
		return nil, err
	}
	master := azkv.MasterKey{VaultURL: key.GetVaultUrl(), Name: key.GetName(), Version: key.GetVersion(), EncryptedKey: encrypted}
	if k.azure != nil {
		k.azure.ApplyToMasterKey(&master)
	}
	return master.DecryptContext(ctx)
}
