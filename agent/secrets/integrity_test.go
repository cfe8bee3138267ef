package secrets

import (
	"regexp"
	"strings"
	"testing"

	"filippo.io/age"
	"github.com/getsops/sops/v3"
	"github.com/getsops/sops/v3/cmd/sops/formats"

	"github.com/helmfile-agent/helmfile-agent/agent/exit"
)

// TestPartlyEncryptedFile checks each rule by which sops encrypts only a part of a file, in each format that has parts.
func TestPartlyEncryptedFile(t *testing.T) {
	const inYAML, inJSON = "open: seen\npassword: hunter2\n", "{\n\t\"open\": \"seen\",\n\t\"password\": \"hunter2\"\n}\n"
	key := newIdentity(t)
	k := loadKeys(t, keyDir(t, map[string]string{"team.agekey": key.String()}))
	for name, rule := range map[string]sops.Metadata{
		"encrypted_regex":    {EncryptedRegex: "^pass"},
		"unencrypted_regex":  {UnencryptedRegex: "^open"},
		"encrypted_suffix":   {EncryptedSuffix: "word"},
		"unencrypted_suffix": {UnencryptedSuffix: "pen"},
		"mac_only_encrypted": {EncryptedRegex: "^pass", MACOnlyEncrypted: true},
	} {
		for file, test := range map[string]struct {
			format formats.Format
			plain  string
		}{
			"secrets.yaml": {formats.Yaml, inYAML},
			"secrets.json": {formats.Json, inJSON},
			"secrets.env":  {formats.Dotenv, "open=seen\npassword=hunter2\n"},
			"secrets.ini":  {formats.Ini, "[db]\nopen     = seen\npassword = hunter2\n"},
		} {
			t.Run(name+" in "+file, func(t *testing.T) {
				rule.KeyGroups = []sops.KeyGroup{{ageKey(t, key.Recipient().String())}}
				content := encryptWith(t, test.format, test.plain, rule)
				if !strings.Contains(content, "seen") {
					t.Fatalf("the whole file is encrypted: %s", content)
				}
				if plain, err := decryptFile(t, k, write(t, file, content)); err != nil || string(plain) != test.plain {
					t.Errorf("got %q, %v", plain, err)
				}
				_, err := decryptFile(t, k, write(t, file, strings.Replace(content, "seen", "forged", 1)))
				if forgeable := rule.MACOnlyEncrypted; forgeable != (err == nil) {
					t.Errorf("after a change of the part that is not encrypted, got %v", err)
				}
			})
		}
	}
}

var checksum = regexp.MustCompile(`(?m)^    mac: .*$`)

// TestForgedFile checks that values cannot be changed, moved or removed without the key.
func TestForgedFile(t *testing.T) {
	key := newIdentity(t)
	k := loadKeys(t, keyDir(t, map[string]string{"team.agekey": key.String()}))
	content := encrypt(t, key, formats.Yaml, "one: hunter2-one\ntwo: hunter2-two\n")
	lines := strings.SplitAfterN(content, "\n", 3)
	for name, forged := range map[string]string{
		"a value changed":              strings.Replace(content, "data:", "data:A", 1),
		"a value removed":              lines[0] + lines[2],
		"a value added":                "zero: 0\n" + content,
		"values swapped":               strings.NewReplacer("one:", "two:", "two:", "one:").Replace(content),
		"no checksum":                  checksum.ReplaceAllString(content, `    mac: ""`),
		"the checksum of another file": checksum.ReplaceAllLiteralString(content, checksum.FindString(encrypt(t, key, formats.Yaml, "a: hunter2\n"))),
	} {
		t.Run(name, func(t *testing.T) {
			if forged == content {
				t.Fatal("the file was not changed")
			}
			plain, err := decryptFile(t, k, write(t, "secrets.yaml", forged))
			if err == nil || exit.Of(err) != exit.SecretsUnreadable {
				t.Errorf("got %q, %v", plain, err)
			}
		})
	}
}

// TestSeveralKeyGroups checks that one key of each of as many groups as the threshold says suffices.
func TestSeveralKeyGroups(t *testing.T) {
	ops, dev, dev2, audit := newIdentity(t), newIdentity(t), newIdentity(t), newIdentity(t)
	content := encryptWith(t, formats.Yaml, "password: hunter2\n", sops.Metadata{ShamirThreshold: 2, KeyGroups: []sops.KeyGroup{
		{ageKey(t, ops.Recipient().String())},
		{ageKey(t, dev.Recipient().String()), ageKey(t, dev2.Recipient().String())},
		{ageKey(t, audit.Recipient().String())},
	}})
	path := write(t, "secrets.yaml", content)
	with := func(keys ...*age.X25519Identity) *Keys {
		files := map[string]string{}
		for i, key := range keys {
			files[string(rune('a'+i))+".agekey"] = key.String()
		}
		return loadKeys(t, keyDir(t, files))
	}
	for name, k := range map[string]*Keys{"two groups": with(ops, dev2), "two others": with(audit, dev), "all": with(ops, dev, audit)} {
		if plain, err := decryptFile(t, k, path); err != nil || string(plain) != "password: hunter2\n" {
			t.Errorf("with keys of %s: %q, %v", name, plain, err)
		}
	}
	_, err := decryptFile(t, with(dev, dev2), path)
	want := "cannot decrypt " + path + ": the available keys open 1 of its 3 key groups, but 2 are needed\n" +
		"  group 1, encrypted for " + ops.Recipient().String() + ": no available age key opens it\n" +
		"  group 2, encrypted for " + dev.Recipient().String() + ": opened\n" +
		"  group 2, encrypted for " + dev2.Recipient().String() + ": not needed\n" +
		"  group 3, encrypted for " + audit.Recipient().String() + ": no available age key opens it\n" +
		"  available keys: " + dev.Recipient().String() + " (a.agekey), " + dev2.Recipient().String() + " (b.agekey)"
	if err == nil || err.Error() != want {
		t.Errorf("got %v\nwant %s", err, want)
	}
}
