package secrets

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/getsops/sops/v3"
	"github.com/getsops/sops/v3/azkv"
	"github.com/getsops/sops/v3/cmd/sops/formats"
	"github.com/getsops/sops/v3/gcpkms"
	"github.com/getsops/sops/v3/hcvault"
	"github.com/getsops/sops/v3/keys"
	"github.com/getsops/sops/v3/kms"
	"gopkg.in/yaml.v3"
)

// TestMain makes the process trust the certificate of httptest, because Azure's library accepts only TLS. It does so before the tests,
// because Go reads the system's authorities only once.
func TestMain(m *testing.M) {
	server := httptest.NewTLSServer(http.NotFoundHandler())
	server.Close()
	dir, err := os.MkdirTemp("", "authorities-")
	if err != nil {
		panic(err)
	}
	file := filepath.Join(dir, "ca.pem")
	authority := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	if err := os.WriteFile(file, authority, 0o600); err != nil {
		panic(err)
	}
	if err := os.Setenv("SSL_CERT_FILE", file); err != nil {
		panic(err)
	}
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}

// emulator is a fake key management service. It decrypts one data key for one caller. Each emulator implements the part of the service's
// protocol that sops uses, from the public documentation of the service.
type emulator struct {
	*httptest.Server
	dataKey []byte
	calls   int // the number of decrypted data keys
}

const sealedKey = "c2VhbGVk" // the encrypted data key

func newEmulator(t *testing.T, tls bool, answer func(*emulator, http.ResponseWriter, *http.Request)) *emulator {
	t.Helper()
	c := &emulator{dataKey: make([]byte, 32)}
	_, err := rand.Read(c.dataKey)
	check(t, err)
	c.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		answer(c, w, r)
	}))
	if tls {
		c.StartTLS()
	} else {
		c.Start()
	}
	t.Cleanup(c.Close)
	return c
}

func reply(w http.ResponseWriter, status int, body any) {
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // the caller notices an incomplete answer
}

// hasCiphertext reports whether the field of the body with this name is the ciphertext.
func hasCiphertext(r *http.Request, name, ciphertext string) bool {
	var body map[string]any
	return json.NewDecoder(r.Body).Decode(&body) == nil && body[name] == ciphertext
}

func vault(c *emulator, w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("X-Vault-Token") != "s.mounted" || r.URL.Path != "/v1/transit/decrypt/team" || !hasCiphertext(r, "ciphertext", "vault:v1:"+sealedKey) {
		reply(w, http.StatusForbidden, map[string]any{"errors": []string{"permission denied"}})
		return
	}
	c.calls++
	reply(w, http.StatusOK, map[string]any{"data": map[string]any{"plaintext": base64.StdEncoding.EncodeToString(c.dataKey)}})
}

func awsKMS(c *emulator, w http.ResponseWriter, r *http.Request) {
	signed := strings.Contains(r.Header.Get("Authorization"), "Credential=AKIAMOUNTED/") && r.Header.Get("X-Amz-Security-Token") == "session"
	if !signed || r.Header.Get("X-Amz-Target") != "TrentService.Decrypt" || !hasCiphertext(r, "CiphertextBlob", sealedKey) {
		reply(w, http.StatusBadRequest, map[string]string{"__type": "AccessDeniedException", "message": "not you"})
		return
	}
	c.calls++
	reply(w, http.StatusOK, map[string]any{"Plaintext": c.dataKey, "KeyId": "key"})
}

func gcpKMS(c *emulator, w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/token" {
		reply(w, http.StatusOK, map[string]any{"access_token": "gcp-token", "token_type": "Bearer", "expires_in": 3600})
		return
	}
	if !isGCPCaller(r.Header.Get("Authorization")) || !strings.HasSuffix(r.URL.Path, "/cryptoKeys/team:decrypt") || !hasCiphertext(r, "ciphertext", sealedKey) {
		reply(w, http.StatusForbidden, map[string]any{"error": map[string]any{"code": 403, "message": "not you", "status": "PERMISSION_DENIED"}})
		return
	}
	c.calls++
	reply(w, http.StatusOK, map[string]any{"plaintext": c.dataKey})
}

// isGCPCaller reports whether the request comes from the service account. It has a token of the emulator, or signed one itself.
func isGCPCaller(authorization string) bool {
	token := strings.TrimPrefix(authorization, "Bearer ")
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return token == "gcp-token"
	}
	claims, err := base64.RawURLEncoding.DecodeString(parts[1])
	return err == nil && strings.Contains(string(claims), "agent@p.iam.gserviceaccount.com")
}

// azureKeyVault is the vault and the authority that gives tokens. The library requires that the address of the vault ends with the domain
// that it wants a token for.
func azureKeyVault(c *emulator, w http.ResponseWriter, r *http.Request) {
	switch _, domain, _ := strings.Cut(c.URL, "."); {
	case strings.HasSuffix(r.URL.Path, "/.well-known/openid-configuration"):
		reply(w, http.StatusOK, map[string]string{"issuer": c.URL + "/tenant/v2.0", "authorization_endpoint": c.URL + "/tenant/authorize", "token_endpoint": c.URL + "/tenant/token"})
	case r.URL.Path == "/tenant/token":
		if r.FormValue("client_id") != "client" || r.FormValue("client_secret") != "azure-secret" {
			reply(w, http.StatusUnauthorized, map[string]string{"error": "invalid_client"})
			return
		}
		reply(w, http.StatusOK, map[string]any{"access_token": "azure-token", "token_type": "Bearer", "expires_in": 3600})
	case r.Header.Get("Authorization") != "Bearer azure-token":
		w.Header().Set("WWW-Authenticate", fmt.Sprintf(`Bearer authorization="%s/tenant", resource="https://%s"`, c.URL, domain))
		reply(w, http.StatusUnauthorized, map[string]any{"error": map[string]string{"code": "Unauthorized"}})
	case r.URL.Path != "/keys/team/1/decrypt" || !hasCiphertext(r, "value", sealedKey):
		reply(w, http.StatusForbidden, map[string]any{"error": map[string]string{"code": "Forbidden"}})
	default:
		c.calls++
		reply(w, http.StatusOK, map[string]string{"kid": c.URL + "/keys/team/1", "value": base64.RawURLEncoding.EncodeToString(c.dataKey)})
	}
}

// TestCloudsWithMountedCredentials decrypts a file with only the mounted credentials and emulators of the services.
func TestCloudsWithMountedCredentials(t *testing.T) {
	const gcpName = "projects/p/locations/global/keyRings/r/cryptoKeys/team"
	for name, test := range map[string]struct {
		answer  func(*emulator, http.ResponseWriter, *http.Request)
		tls     bool
		with    func(*testing.T, *emulator) (keys.MasterKey, map[string]string)
		wrong   string // credentials that the cloud refuses
		message []string
	}{
		"Vault": {vault, false, func(_ *testing.T, c *emulator) (keys.MasterKey, map[string]string) {
			return &hcvault.MasterKey{VaultAddress: c.URL, EnginePath: "transit", KeyName: "team", EncryptedKey: "vault:v1:" + sealedKey},
				map[string]string{"sops.vault-token": "s.mounted\n"}
		}, "s.other", []string{"encrypted for Vault http://", "permission denied", "a Vault token (sops.vault-token)"}},
		"AWS": {awsKMS, false, func(t *testing.T, c *emulator) (keys.MasterKey, map[string]string) {
			t.Setenv("AWS_ENDPOINT_URL_KMS", c.URL)
			return &kms.MasterKey{Arn: "arn:aws:kms:eu-west-1:123456789012:key/team", EncryptedKey: sealedKey},
				map[string]string{"sops.aws-kms": "aws_access_key_id: AKIAMOUNTED\naws_secret_access_key: aws-secret\naws_session_token: session\n"}
		}, "aws_access_key_id: AKIAOTHER\naws_secret_access_key: aws-secret\n", []string{"encrypted for AWS KMS arn:aws:kms:eu-west-1:", "AccessDenied", "AWS credentials (sops.aws-kms)"}},
		"GCP": {gcpKMS, false, func(t *testing.T, c *emulator) (keys.MasterKey, map[string]string) {
			t.Setenv("SOPS_GCP_KMS_CLIENT_TYPE", "rest")
			t.Setenv("SOPS_GCP_KMS_ENDPOINT", c.URL)
			return &gcpkms.MasterKey{ResourceID: gcpName, EncryptedKey: sealedKey}, map[string]string{"sops.gcp-kms": serviceAccount(t, c.URL)}
		}, "", nil},
		"Azure": {azureKeyVault, true, func(_ *testing.T, c *emulator) (keys.MasterKey, map[string]string) {
			return &azkv.MasterKey{VaultURL: c.URL, Name: "team", Version: "1", EncryptedKey: sealedKey},
				map[string]string{"sops.azure-kv": "tenantId: tenant\nclientId: client\nclientSecret: azure-secret\nauthorityHost: " + c.URL + "\n"}
		}, `{"tenant": "tenant", "appId": "client", "password": "azure-other"}`, []string{"encrypted for Azure Key Vault https://", "Azure credentials client (sops.azure-kv)"}},
	} {
		t.Run(name, func(t *testing.T) {
			isolate(t)
			c := newEmulator(t, test.tls, test.answer)
			key, files := test.with(t, c)
			path := write(t, "secrets.yaml", encryptWith(t, formats.Yaml, "password: hunter2\n", sops.Metadata{KeyGroups: []sops.KeyGroup{{key}}, DataKey: c.dataKey}))
			k := loadKeys(t, keyDir(t, files))
			if plain, err := decryptFile(t, k, path); err != nil || string(plain) != "password: hunter2\n" || c.calls != 1 {
				t.Errorf("got %q, %v after %d calls", plain, err, c.calls)
			}
			if test.wrong == "" {
				return
			}
			for file := range files {
				files[file] = test.wrong
			}
			if name == "Azure" {
				files["sops.azure-kv"] = strings.Replace(test.wrong, "{", `{"authorityHost": "`+c.URL+`", `, 1)
			}
			_, err := decryptFile(t, loadKeys(t, keyDir(t, files)), path)
			for _, words := range test.message {
				if err == nil || !strings.Contains(err.Error(), words) {
					t.Errorf("with wrong credentials, the error does not contain %q: %v", words, err)
				}
			}
			for _, private := range []string{"aws-secret", "azure-other", "s.other"} {
				if err != nil && strings.Contains(err.Error(), private) {
					t.Errorf("the error contains %s: %v", private, err)
				}
			}
		})
	}
}

// TestCloudsWithDefaultCredentials checks that without mounted credentials, the libraries look in their usual places.
func TestCloudsWithDefaultCredentials(t *testing.T) {
	isolate(t)
	c := newEmulator(t, false, vault)
	key := &hcvault.MasterKey{VaultAddress: c.URL, EnginePath: "transit", KeyName: "team", EncryptedKey: "vault:v1:" + sealedKey}
	path := write(t, "secrets.yaml", encryptWith(t, formats.Yaml, "password: hunter2\n", sops.Metadata{KeyGroups: []sops.KeyGroup{{key}}, DataKey: c.dataKey}))
	t.Setenv("VAULT_TOKEN", "s.mounted")
	if _, err := decryptFile(t, loadKeys(t, ""), path); err != nil {
		t.Error(err)
	}

	a := newEmulator(t, false, awsKMS)
	arn := &kms.MasterKey{Arn: "arn:aws:kms:eu-west-1:123456789012:key/team", EncryptedKey: sealedKey}
	path = write(t, "secrets.yaml", encryptWith(t, formats.Yaml, "password: hunter2\n", sops.Metadata{KeyGroups: []sops.KeyGroup{{arn}}, DataKey: a.dataKey}))
	for name, value := range map[string]string{"AWS_ENDPOINT_URL_KMS": a.URL, "AWS_ACCESS_KEY_ID": "AKIAMOUNTED", "AWS_SECRET_ACCESS_KEY": "x", "AWS_SESSION_TOKEN": "session"} {
		t.Setenv(name, value)
	}
	if _, err := decryptFile(t, loadKeys(t, ""), path); err != nil {
		t.Error(err)
	}
}

// TestAzureCredentials checks each form that Flux documents.
func TestAzureCredentials(t *testing.T) {
	var certificate bytes.Buffer
	server := httptest.NewTLSServer(http.NotFoundHandler())
	defer server.Close()
	private, err := x509.MarshalPKCS8PrivateKey(server.TLS.Certificates[0].PrivateKey)
	check(t, err)
	check(t, pem.Encode(&certificate, &pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}))
	check(t, pem.Encode(&certificate, &pem.Block{Type: "PRIVATE KEY", Bytes: private}))
	quoted, err := json.Marshal(certificate.String())
	check(t, err)
	for name, test := range map[string]struct{ content, kind string }{
		"a service principal with a secret":      {"tenantId: a\nclientId: b\nclientSecret: c\n", "*azidentity.ClientSecretCredential"},
		"a service principal with a certificate": {"tenantId: a\nclientId: b\nclientCertificate: " + string(quoted) + "\n", "*azidentity.ClientCertificateCredential"},
		"what az prints":                         {`{"appId": "b", "displayName": "x", "name": "y", "password": "c", "tenant": "a"}`, "*azidentity.ClientSecretCredential"},
		"a managed identity":                     {"clientId: b\n", "*azidentity.ManagedIdentityCredential"},
	} {
		t.Run(name, func(t *testing.T) {
			var parsed azureCredentials
			check(t, yaml.Unmarshal([]byte(test.content), &parsed))
			credential, err := parsed.tokenCredential()
			if got := fmt.Sprintf("%T", credential); err != nil || got != test.kind {
				t.Errorf("got %s, %v", got, err)
			}
		})
	}
}

func serviceAccount(t *testing.T, at string) string {
	t.Helper()
	key, err := x509.MarshalPKCS8PrivateKey(newRSA(t).(*rsa.PrivateKey))
	check(t, err)
	content, err := json.Marshal(map[string]string{
		"type": "service_account", "project_id": "p", "private_key_id": "1", "client_email": "agent@p.iam.gserviceaccount.com", "client_id": "1",
		"token_uri": at + "/token", "private_key": string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key})),
	})
	check(t, err)
	return string(content)
}
