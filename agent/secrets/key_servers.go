package secrets

import (
	"fmt"
	"net"
	"net/url"
	"strings"
)

// azureVaultDomains contain the key vaults of Azure's clouds. Only Microsoft gives out names in these domains.
var azureVaultDomains = []string{"https://*.vault.azure.net", "https://*.vault.azure.cn", "https://*.vault.usgovcloudapi.net", "https://*.managedhsm.azure.net"}

// checkServer returns an error if the agent may not send its token to a key server that an encrypted file names. The known servers are
// permitted: the operator configured them, or they belong to the cloud. Other servers need k.AllowServer.
func (k *Keys) checkServer(server string, known ...string) error {
	u, err := url.Parse(server)
	if err != nil || u.Host == "" {
		return fmt.Errorf("%q is not the URL of a key server", server)
	}
	for _, knownServer := range known {
		if isSameServer(u, knownServer) {
			return nil
		}
	}
	host := u.Host
	if u.Port() == "" {
		host = net.JoinHostPort(u.Hostname(), map[string]string{"http": "80"}[u.Scheme])
		if u.Scheme != "http" {
			host = net.JoinHostPort(u.Hostname(), "443")
		}
	}
	if k.AllowServer == nil || k.AllowServer(host) {
		return nil
	}
	return fmt.Errorf("the agent does not send its token to %s, which the encrypted file names: to permit it, add the host to the setting allowRemote", host)
}

// isSameServer compares scheme and host. The host of a known server may begin with *., which stands for one label.
func isSameServer(u *url.URL, known string) bool {
	want, err := url.Parse(strings.Replace(known, "*.", "", 1))
	if err != nil || want.Host == "" || want.Scheme != u.Scheme {
		return false
	}
	if !strings.Contains(known, "*.") {
		return strings.EqualFold(want.Host, u.Host)
	}
	_, domain, _ := strings.Cut(u.Host, ".")
	return strings.EqualFold(want.Host, domain)
}
