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
		return errors.New("it contains no token")
	}
	k.vault = hcvault.Token(token)
	k.register("a Vault token", file.name, token)
	return nil
}

func (k *Keys) addAWS(file keyFile) error {
	var parsed struct {
		ID      string `yaml:"aws_access_key_id"`
		Secret  string `yaml:"aws_secret_access_key"`
		Session string `yaml:"aws_session_token"`
	}
	if err := yaml.Unmarshal(file.content, &parsed); err != nil || parsed.ID == "" || parsed.Secret == "" {
		return errors.New("it must be YAML with aws_access_key_id and aws_secret_access_key, and aws_session_token if the credentials have one")
	}
	k.aws = kms.NewCredentialsProvider(credentials.NewStaticCredentialsProvider(parsed.ID, parsed.Secret, parsed.Session))
	k.register("AWS credentials", file.name, parsed.Secret, parsed.Session)
	return nil
}

func (k *Keys) addGCP(file keyFile) error {
	var parsed struct {
		Type       string `json:"type"`
		PrivateKey string `json:"private_key"`
		Email      string `json:"client_email"`
	}
	if err := json.Unmarshal(file.content, &parsed); err != nil || parsed.Type == "" {
		return errors.New("it must be the JSON file of a service account key")
	}
	k.gcp = gcpkms.CredentialJSON(file.content)
	k.register(strings.TrimSpace("GCP credentials "+parsed.Email), file.name, parsed.PrivateKey)
	return nil
}

// azureCredentials is the content of sops.azure-kv, in YAML or JSON. The second group has the names that `az ad sp create-for-rbac` prints.
type azureCredentials struct {
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
	var parsed azureCredentials
	if err := yaml.Unmarshal(file.content, &parsed); err != nil {
		return errors.New("it is neither YAML nor JSON")
	}
	credential, err := parsed.tokenCredential()
	if err != nil {
		return fmt.Errorf("Azure credentials: %w", err)
	}
	k.azure = azkv.NewTokenCredential(credential)
	k.register(strings.TrimSpace("Azure credentials "+parsed.ClientID+parsed.AppID), file.name,
		parsed.ClientSecret, parsed.ClientCertificate, parsed.ClientCertificatePassword, parsed.Password)
	return nil
}

// tokenCredential returns the credential of a service principal with a secret or a certificate, or of a managed identity.
func (a azureCredentials) tokenCredential() (azcore.TokenCredential, error) {
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
			&azidentity.ClientSecretCredentialOptions{ClientOptions: a.clientOptions(), DisableInstanceDiscovery: a.hasPrivateAuthority()})
	case a.ClientCertificate != "":
		certificates, key, err := azidentity.ParseCertificates([]byte(a.ClientCertificate), []byte(a.ClientCertificatePassword))
		if err != nil {
			return nil, errors.New("clientCertificate is not a certificate with its key, or clientCertificatePassword is wrong")
		}
		return azidentity.NewClientCertificateCredential(a.TenantID, a.ClientID, certificates, key,
			&azidentity.ClientCertificateCredentialOptions{
				ClientOptions: a.clientOptions(), SendCertificateChain: a.ClientCertificateSendChain, DisableInstanceDiscovery: a.hasPrivateAuthority(),
			})
	default:
		return nil, errors.New("clientSecret or clientCertificate is missing")
	}
}

func (a azureCredentials) clientOptions() azcore.ClientOptions {
	configuration := cloud.AzurePublic
	if a.AuthorityHost != "" {
		configuration.ActiveDirectoryAuthorityHost = a.AuthorityHost
	}
	return azcore.ClientOptions{Cloud: configuration}
}

// hasPrivateAuthority reports whether the authority does not belong to Microsoft. Then the library must not ask Microsoft about it (instance
// discovery).
func (a azureCredentials) hasPrivateAuthority() bool {
	for _, known := range []cloud.Configuration{cloud.AzurePublic, cloud.AzureChina, cloud.AzureGovernment} {
		if strings.TrimRight(a.AuthorityHost, "/") == strings.TrimRight(known.ActiveDirectoryAuthorityHost, "/") {
			return false
		}
	}
	return a.AuthorityHost != ""
}
