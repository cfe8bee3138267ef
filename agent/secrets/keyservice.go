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

// dataKeyTimeout is how long a cloud may take to decrypt one data key, including the retries of its library.
const dataKeyTimeout = time.Minute

// keyService decrypts data keys for sops with the available keys. It implements keyservice.KeyServiceClient and serves one file.
type keyService struct {
	keyservice.LocalClient
	keys    *Keys
	results map[string]error // by encrypted data key; nil if the data key was decrypted
}

// Decrypt implements keyservice.KeyServiceClient.
func (s keyService) Decrypt(ctx context.Context, req *keyservice.DecryptRequest, _ ...grpc.CallOption) (*keyservice.DecryptResponse, error) {
	ctx, cancel := context.WithTimeout(ctx, dataKeyTimeout)
	defer cancel()
	plain, err := s.decryptDataKey(ctx, req)
	s.results[string(req.GetCiphertext())] = err
	return &keyservice.DecryptResponse{Plaintext: plain}, err
}

// decryptDataKey uses the kind of key that encrypted the data key. For a cloud it uses the mounted credentials. If there are none, the
// library of the cloud looks for credentials in its usual places.
func (s keyService) decryptDataKey(ctx context.Context, req *keyservice.DecryptRequest) ([]byte, error) {
	encrypted := string(req.GetCiphertext())
	switch key := req.GetKey().GetKeyType().(type) {
	case *keyservice.Key_AgeKey:
		return s.keys.decryptWithAge(key.AgeKey.GetRecipient(), encrypted)
	case *keyservice.Key_PgpKey:
		return s.keys.decryptWithPGP(key.PgpKey.GetFingerprint(), encrypted)
	case *keyservice.Key_VaultKey:
		return s.keys.decryptWithVault(ctx, key.VaultKey, encrypted)
	case *keyservice.Key_KmsKey:
		return s.keys.decryptWithAWS(ctx, key.KmsKey, encrypted)
	case *keyservice.Key_GcpKmsKey:
		return s.keys.decryptWithGCP(ctx, key.GcpKmsKey, encrypted)
	case *keyservice.Key_AzureKeyvaultKey:
		return s.keys.decryptWithAzure(ctx, key.AzureKeyvaultKey, encrypted)
	}
	response, err := s.LocalClient.Decrypt(ctx, req)
	return response.GetPlaintext(), err
}

var errNoAgeKey = errors.New("no available age key opens it")

// decryptWithAge tries the available keys. Then it lets sops look for keys, for example in ~/.config/sops/age/keys.txt.
func (k *Keys) decryptWithAge(recipient, encrypted string) ([]byte, error) {
	withAvailable := sopsage.MasterKey{Recipient: recipient, EncryptedKey: encrypted}
	var err error
	if len(k.age) > 0 {
		k.age.ApplyToMasterKey(&withAvailable)
		var plain []byte
		if plain, err = withAvailable.Decrypt(); err == nil {
			return plain, nil
		}
	}
	withDefaults := sopsage.MasterKey{Recipient: recipient, EncryptedKey: encrypted}
	plain, defaultErr := withDefaults.Decrypt()
	switch {
	case defaultErr == nil:
		return plain, nil
	case err == nil: // no age key was available
		err = defaultErr
	}
	if mismatch := (*age.NoIdentityMatchError)(nil); errors.As(err, &mismatch) {
		return nil, errNoAgeKey
	}
	return nil, err
}

func (k *Keys) decryptWithVault(ctx context.Context, key *keyservice.VaultKey, encrypted string) ([]byte, error) {
	if err := k.checkServer(key.GetVaultAddress(), os.Getenv("VAULT_ADDR")); err != nil {
		return nil, err
	}
	master := hcvault.MasterKey{VaultAddress: key.GetVaultAddress(), EnginePath: key.GetEnginePath(), KeyName: key.GetKeyName(), EncryptedKey: encrypted}
	k.vault.ApplyToMasterKey(&master)
	return master.DecryptContext(ctx)
}

func (k *Keys) decryptWithAWS(ctx context.Context, key *keyservice.KmsKey, encrypted string) ([]byte, error) {
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

func (k *Keys) decryptWithGCP(ctx context.Context, key *keyservice.GcpKmsKey, encrypted string) ([]byte, error) {
	master := gcpkms.MasterKey{ResourceID: key.GetResourceId(), EncryptedKey: encrypted}
	if k.gcp != nil {
		k.gcp.ApplyToMasterKey(&master)
	}
	return master.DecryptContext(ctx)
}

func (k *Keys) decryptWithAzure(ctx context.Context, key *keyservice.AzureKeyVaultKey, encrypted string) ([]byte, error) {
	if err := k.checkServer(key.GetVaultUrl(), azureVaultDomains...); err != nil {
		return nil, err
	}
	master := azkv.MasterKey{VaultURL: key.GetVaultUrl(), Name: key.GetName(), Version: key.GetVersion(), EncryptedKey: encrypted}
	if k.azure != nil {
		k.azure.ApplyToMasterKey(&master)
	}
	return master.DecryptContext(ctx)
}
