package secrets

import (
	"strings"
	"testing"
)

func TestKeyServersChosenByRepository(t *testing.T) {
	k := &Keys{AllowServer: func(host string) bool { return host == "vault.listed.example:8200" || host == "listed.example:443" }}
	for server, want := range map[string]bool{
		"https://vault.own.example:8200":               true,
		"https://vault.own.example":                    false,
		"http://vault.own.example:8200":                false,
		"https://VAULT.own.example:8200/":              true,
		"https://vault.listed.example:8200":            true,
		"https://listed.example":                       true,
		"http://listed.example":                        false,
		"https://attacker.example":                     false,
		"http://127.0.0.1:1":                           false,
		"https://shop.vault.azure.net":                 true,
		"http://shop.vault.azure.net":                  false,
		"https://vault.azure.net.attacker.example":     false,
		"https://shop.vault.azure.net:8443":            false,
		"https://attacker.example/.vault.azure.net":    false,
		"https://a@attacker.example#x.vault.azure.net": false,
		"no URL": false,
	} {
		err := k.checkServer(server, append([]string{"https://vault.own.example:8200", ""}, azureVaultDomains...)...)
		if (err == nil) != want {
			t.Errorf("%s: got %v", server, err)
		}
		if err != nil && strings.Contains(server, "attacker.example") && !strings.Contains(err.Error(), "allowRemote") {
			t.Errorf("%s: the error does not name the setting: %v", server, err)
		}
	}
}
