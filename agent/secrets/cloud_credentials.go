package secrets

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/getsops/sops/v3/azkv"
	"github.com/getsops/sops/v3/gcpkms"
	"github.com/getsops/sops/v3/hcvault"
	"github.com/getsops/sops/v3/kms"
	"gopkg.in/yaml.v3"
)

func (k *Keys) addVault(file keyFile) error {
	token := strings.TrimSpace(string(file.content))
	if token == "" {
		return errors.New("it holds no token")
	}
	k.vault = hcvault.Token(token)
	k.has("a Vault token", file.name, token)
	return nil
}

func (k *Keys) addAWS(file keyFile) error {
	var given struct {
		ID      string `yaml:"aws_access_key_id"`
		Secret  string `yaml:"aws_secret_access_key"`
		Session string `yaml:"aws_session_token"`
	}
	if err := yaml.Unmarshal(file.content, &given); err != nil || given.ID == "" || given.Secret == "" {
		return errors.New("it must be YAML with aws_access_key_id, aws_secret_access_key and, if there is one, aws_session_token")
	}
	k.aws = kms.NewCredentialsProvider(credentials.NewStaticCredentialsProvider(given.ID, given.Secret, given.Session))
	k.has("AWS credentials", file.name, given.Secret, given.Session)
	return nil
}

func (k *Keys) addGCP(file keyFile) error {
	var given struct {
		Type       string `json:"type"`
		PrivateKey string `json:"private_key"`
		Email      string `json:"client_email"`
	}
	if err := json.Unmarshal(file.content, &given); err != nil || given.Type == "" {
		return errors.New("it must be the JSON file of a service account's key")
	}
	k.gcp = gcpkms.CredentialJSON(file.content)
	k.has(strings.TrimSpace("GCP credentials "+given.Email), file.name, given.PrivateKey)
	return nil
}

// azure is what sops.azure-kv may say, in YAML or JSON. The second group is what `az ad sp create-for-rbac` prints.
type azure struct {
	TenantID                   string `yaml:"tenantId"`
	ClientID                   string `yaml:"clientId"`
	ClientSecret               string `yaml:"clientSecret"`
	ClientCertificate          string `yaml:"clientCertificate"`
	ClientCertificatePassword  string `yaml:"clientCertificatePassword"`
	ClientCertificateSendChain bool   `yaml:"clientCertificateSendChain"`
	AuthorityHost              string `yaml:"authorityHost"`

	AppID    string `yaml:"appId"`
	Tenant   string `yaml:"tenant"`
	Password string `yaml:"password"`
}

func (k *Keys) addAzure(file keyFile) error {
	var given azure
	if err := yaml.Unmarshal(file.content, &given); err != nil {
		return errors.New("it is neither YAML nor JSON")
	}
	credential, err := given.credential()
	if err != nil {
		return fmt.Errorf("Azure credentials: %w", err)
	}
	k.azure = azkv.NewTokenCredential(credential)
	k.has(strings.TrimSpace("Azure credentials "+given.ClientID+given.AppID), file.name,
		given.ClientSecret, given.ClientCertificate, given.ClientCertificatePassword, given.Password)
	return nil
}

// credential is a service principal with a secret or a certificate, or a managed identity.
func (a azure) credential() (azcore.TokenCredential, error) {
	if a.Tenant != "" && a.AppID != "" && a.Password != "" {
		a.TenantID, a.ClientID, a.ClientSecret = a.Tenant, a.AppID, a.Password
	}
	switch {
	case a.ClientID == "":
		return nil, errors.New("clientId is missing, or tenant, appId and password")
	case a.TenantID == "":
		return azidentity.NewManagedIdentityCredential(&azidentity.ManagedIdentityCredentialOptions{ID: azidentity.ClientID(a.ClientID)})
	case a.ClientSecret != "":
		return azidentity.NewClientSecretCredential(a.TenantID, a.ClientID, a.ClientSecret,
			&azidentity.ClientSecretCredentialOptions{ClientOptions: a.client(), DisableInstanceDiscovery: a.private()})
	case a.ClientCertificate != "":
		certificates, key, err := azidentity.ParseCertificates([]byte(a.ClientCertificate), []byte(a.ClientCertificatePassword))
		if err != nil {
			return nil, errors.New("clientCertificate is not a certificate with its key, or clientCertificatePassword is wrong")
		}
		return azidentity.NewClientCertificateCredential(a.TenantID, a.ClientID, certificates, key,
			&azidentity.ClientCertificateCredentialOptions{
				ClientOptions: a.client(), SendCertificateChain: a.ClientCertificateSendChain, DisableInstanceDiscovery: a.private(),
			})
	default:
		return nil, errors.New("clientSecret or clientCertificate is missing")
	}
}

func (a azure) client() azcore.ClientOptions {
	chosen := cloud.AzurePublic
	if a.AuthorityHost != "" {
		chosen.ActiveDirectoryAuthorityHost = a.AuthorityHost
	}
	return azcore.ClientOptions{Cloud: chosen}
}

// private says whether the authority is none of Microsoft's: then Microsoft is not asked about it.
func (a azure) private() bool {
	for _, known := range []cloud.Configuration{cloud.AzurePublic, cloud.AzureChina, cloud.AzureGovernment} {
		if strings.TrimRight(a.AuthorityHost, "/") == strings.TrimRight(known.ActiveDirectoryAuthorityHost, "/") {
			return false
		}
	}
	return a.AuthorityHost != ""
}
