package secrets

import (
	"fmt"
	"net"
	"net/url"
	"strings"
)

// azureVaults are the domains of Azure's clouds, below which every key vault is.
var azureVaults = []string{"https://*.vault.azure.net", "https://*.vault.azure.cn", "https://*.vault.usgovcloudapi.net", "https://*.managedhsm.azure.net"}

// permitted refuses a key server that the author of an encrypted file chose, because it is sent the agent's token. The known servers are
// the operator's or the cloud's.
func (k *Keys) permitted(server string, known ...string) error {
	u, err := url.Parse(server)
	if err != nil || u.Host == "" {
		return fmt.Errorf("%q is not the URL of a key server", server)
	}
	for _, each := range known {
		if sameServer(u, each) {
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
	if k.Permits == nil || k.Permits(host) {
		return nil
	}
	return fmt.Errorf("the repository may not make the agent send its token to %s: if it may, add it to the setting allowRemote", host)
}

// sameServer compares scheme and host. A known server may begin with *., for one label.
func sameServer(u *url.URL, known string) bool {
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
