package mask

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"
)

func TestMask(t *testing.T) {
	const quoted = `say "<hi>" & go\away`
	const config = "user = shop\npass = \"s3cret\"\n\n[tls]\n"
	for name, test := range map[string]struct {
		secrets    []string
		text, want string
	}{
		"an empty mask hides nothing":             {nil, "password=hunter2", "password=hunter2"},
		"a secret":                                {[]string{"hunter2"}, "password=hunter2", "password=********"},
		"a secret that occurs several times":      {[]string{"hunter2"}, "hunter2hunter2 xhunter2x", "**************** x********x"},
		"two secrets":                             {[]string{"hunter2", "swordfish"}, "hunter2 swordfish", "******** ********"},
		"the number of stars is always eight":     {[]string{"a-very-long-secret"}, "a-very-long-secret", "********"},
		"similar text stays":                      {[]string{"hunter2"}, "hunter3", "hunter3"},
		"a short value stays":                     {[]string{"admin", "1", ""}, "user admin has 1", "user admin has 1"},
		"a value of six bytes":                    {[]string{"admin1"}, "user admin1", "user ********"},
		"white space stays":                       {[]string{"        ", "\n\n\n\n\n\n"}, "a:\n        b: c\n\n\n\n\n\n", "a:\n        b: c\n\n\n\n\n\n"},
		"a short value between white space stays": {[]string{"\n\n  yes  \n"}, "yes, \n\n  yes  \n", "yes, \n\n  yes  \n"},
		"a secret between white space":            {[]string{"  hunter2\n"}, "it is hunter2.", "it is ********."},

		"a secret that begins with another secret": {[]string{"hunter2", "hunter2-and-more"}, "hunter2-and-more hunter2", "******** ********"},
		"the same, added in the other order":       {[]string{"hunter2-and-more", "hunter2"}, "hunter2-and-more hunter2", "******** ********"},
		"a secret inside another secret":           {[]string{"unter2", "hunter2!"}, "hunter2!", "********"},

		"base64": {[]string{"hunter2"}, "data: " + base64.StdEncoding.EncodeToString([]byte("hunter2")), "data: ********"},
		"base64 without the line break at the end": {[]string{"hunter2\n"}, base64.StdEncoding.EncodeToString([]byte("hunter2")), "********"},
		"base64 with the line break at the end":    {[]string{"hunter2\n"}, base64.StdEncoding.EncodeToString([]byte("hunter2\n")), "********"},
		"query of a URL":                           {[]string{"hunter 2&3"}, "?p=" + url.QueryEscape("hunter 2&3"), "?p=********"},
		"path of a URL":                            {[]string{"hunter 2/3"}, "https://x/" + url.PathEscape("hunter 2/3"), "https://x/********"},
		"password of a URL":                        {[]string{"p@ss:word"}, url.UserPassword("me", "p@ss:word").String() + "@x", "me:********@x"},
		"JSON":                                     {[]string{quoted}, `{"a":` + jsonOf(quoted) + `}`, `{"a":"********"}`},
		"JSON, HTML-safe":                          {[]string{quoted}, `{"a":` + jsonOfHTML(quoted) + `}`, `{"a":"********"}`},
		"JSON, with a quote at its end":            {[]string{`ends with a "`}, `{"a":` + jsonOf(`ends with a "`) + `}`, `{"a":"********"}`},
		"Go's quotes":                              {[]string{quoted}, fmt.Sprintf("cannot parse %q", quoted), `cannot parse "********"`},

		"lines of a file":                         {[]string{config}, "1: user = shop\n2: pass = \"s3cret\"\n", "1: user = ********\n2: ********\n"},
		"a file as one JSON string":               {[]string{config}, jsonOf(strings.TrimSpace(config)), `"********"`},
		"a file as one JSON string, HTML-safe":    {[]string{"a <- long line\nb <- long line"}, jsonOfHTML("a <- long line\nb <- long line"), `"********"`},
		"a line of a file, in JSON":               {[]string{config}, `"pass = \"s3cret\""`, `"********"`},
		"indented lines":                          {[]string{"-----BEGIN KEY-----\nMC4CAQAw\nBQYDK2Vw\n-----END KEY-----\n"}, "  key: |\n    -----BEGIN KEY-----\n    MC4CAQAw\n    BQYDK2Vw\n    -----END KEY-----\n", "  key: |\n    ********\n"},
		"lines of a diff":                         {[]string{"first line\nx\nsecond line"}, "-  a: |\n-    first line\n-    x\n-    second line\n", "-  a: |\n-    ********\n"},
		"wrapped by YAML":                         {[]string{"correct horse battery staple"}, "+  a: correct horse\n+    battery staple\n+  b: c", "+  a: ********\n+  b: c"},
		"wrapped by YAML, inside JSON":            {[]string{"correct horse battery staple"}, `"a: correct horse\n  battery staple\nb: c"`, `"a: ********\nb: c"`},
		"base64 of a JSON document":               {[]string{"a&b correct-horse"}, base64.StdEncoding.EncodeToString([]byte(jsonOfHTML("a&b correct-horse!"))), "Im********UhIg=="},
		"wrapped base64":                          {[]string{"correct horse battery staple"}, "  Y29ycmVjdCBob3JzZSBi\n  YXR0ZXJ5IHN0YXBsZQ==\n", "  ********\n"},
		"base64 of a longer text":                 {[]string{"correct-horse"}, base64.StdEncoding.EncodeToString([]byte("ada:correct-horse!")), "YWRhOm********Uh"},
		"base64 for URLs":                         {[]string{"\xff\xfe\xfd\xff\xfe\xfd"}, base64.RawURLEncoding.EncodeToString([]byte("\xff\xfe\xfd\xff\xfe\xfd")), "********"},
		"the password in base64 of user:password": {[]string{"YWRhOmNvcnJlY3QtaG9yc2U="}, "password correct-horse", "password ********"},
		"hex":                                {[]string{"correct-horse"}, fmt.Sprintf("%x", "correct-horse"), "********"},
		"YAML's single quotes":               {[]string{"it's: a secret"}, "a: 'it''s: a secret'", "a: '********'"},
		"YAML's double quotes":               {[]string{"smile \U0001F600 \u00a0"}, `a: "smile \U0001F600"`, `a: "********"`},
		"Go's quotes inside JSON":            {[]string{quoted}, jsonOf(fmt.Sprintf("cannot parse %q", quoted)), `"cannot parse \"********\""`},
		"cut in an error of YAML":            {[]string{"correct-horse"}, "cannot unmarshal !!str `correct...` into int", "cannot unmarshal !!str ******** into int"},
		"the password in a URL":              {[]string{"postgres://ada:correct-horse@db/shop"}, "no correct-horse", "no ********"},
		"the leaves of a JSON document":      {[]string{`{"auths": {"x.io": {"password": "correct-horse"}}}`}, "no correct-horse", "no ********"},
		"the login of a registry with a URL": {[]string{`{"auths": {"https://x.io/v1/": {"auth": "YWRhOmNvcnJlY3QtaG9yc2U="}}}`}, "no correct-horse", "no ********"},
		"a password beside a URL in JSON":    {[]string{`{"url": "https://x.io", "password": "correct-horse"}`}, "no correct-horse", "no ********"},
		"the passwords in a file of URLs":    {[]string{"https://ada:correct-horse@x.io\nurl = https://bob:battery-staple@y.io\n"}, "correct-horse battery-staple", "******** ********"},
		"a long number in JSON":              {[]string{`{"pin": 12345678901234567890}`}, "pin 12345678901234567890 or 1.2345678901234567e+19", "pin ******** or ********"},
		"two secrets that overlap":           {[]string{"correct-horse", "horse-battery"}, "correct-horse-battery", "********"},
		"a secret that contains stars":       {[]string{"a***secret"}, "is a***secret", "is ********"},
		"headings and keys of a file stay":   {[]string{"apiVersion: v1\nclusters:\n[section]\nkey: correct-horse"}, "apiVersion: v1\nother:\nclusters:\n[section]", "apiVersion: v1\nother:\nclusters:\n[section]"},
		"lines of a file from Windows":       {[]string{"first line\r\nsecond line\r\n"}, "first line\nsecond line\n", "********\n"},
		"a short line stays":                 {[]string{config}, "[tls]", "[tls]"},
		"all lines of a secret in sequence":  {[]string{"first line\nsecond line"}, "first line\nsecond line", "********"},
	} {
		t.Run(name, func(t *testing.T) {
			var m Mask
			m.Add(test.secrets...)
			if diff := cmp.Diff(test.want, m.String(test.text)); diff != "" {
				t.Error(diff)
			}
			if masked := m.String(m.String(test.text)); masked != test.want {
				t.Errorf("masked twice: %q", masked)
			}
		})
	}
}

func TestLaterSecretsAreHiddenFromThenOn(t *testing.T) {
	var m Mask
	m.Add("hunter2")
	before := m.String("hunter2 swordfish")
	m.Add("swordfish")
	after := m.String("hunter2 swordfish")
	if diff := cmp.Diff([]string{"******** swordfish", "******** ********"}, []string{before, after}); diff != "" {
		t.Error(diff)
	}
}

func TestAddLeaves(t *testing.T) {
	const document = `
db:
  user: shop-user
  password: hunter2
  pin: 12345678
  port: 5432
  tls: true
  none: null
tokens:
  - swordfish
  - name: first-token
    pass-phrase: [correct horse]
"multi": |
  line number one
  line number two
`
	var leaves any
	if err := yaml.Unmarshal([]byte(document), &leaves); err != nil {
		t.Fatal(err)
	}
	var m Mask
	m.AddLeaves(leaves)
	want := `
db:
  user: ********
  password: ********
  pin: ********
  port: ********
  tls: true
  none: null
tokens:
  - ********
  - name: ********
    pass-phrase: [********]
"multi": |
  ********
`
	if diff := cmp.Diff(want, m.String(document)); diff != "" {
		t.Error(diff)
	}
	if got := m.String(fmt.Sprint("pin ", 12345678.0)); got != "pin ********" {
		t.Errorf("a number as a template prints it: %s", got)
	}
}

func TestWriter(t *testing.T) {
	var m Mask
	m.Add("hunter2", `quo"ted`)
	var out bytes.Buffer
	w := m.Writer(&out)
	slog.New(slog.NewJSONHandler(w, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}})).Error("no hunter2", "err", errors.New(`bad: quo"ted`))
	if n, err := w.Write([]byte("hunter2\n")); n != len("hunter2\n") || err != nil {
		t.Errorf("got %d, %v: Write must return the length of its input, not of its output", n, err)
	}
	m.Add("swordfish")
	fmt.Fprintln(w, "swordfish")
	want := `{"level":"ERROR","msg":"no ********","err":"bad: ********"}
********
********
`
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Error(diff)
	}
}

type brokenPipe struct{}

func (brokenPipe) Write([]byte) (int, error) { return 0, errors.New("broken pipe") }

func TestWriterReturnsErrorOfUnderlyingWriter(t *testing.T) {
	n, err := new(Mask).Writer(brokenPipe{}).Write([]byte("text\n"))
	if n != len("text\n") || err == nil || err.Error() != "broken pipe" {
		t.Errorf("got %d, %v", n, err)
	}
}

// TestMaskIsSafeForConcurrentUse is for the race detector. Without it, the test only shows that a value is hidden when Add has returned.
func TestMaskIsSafeForConcurrentUse(t *testing.T) {
	var m Mask
	var group sync.WaitGroup
	for i := range 8 {
		group.Go(func() {
			for j := range 50 {
				secret := fmt.Sprintf("secret-%d-%d", i, j)
				m.Add(secret)
				m.AddLeaves(map[string]any{"a": []any{secret + "-leaf"}})
				if got := m.String("is " + secret); got != "is ********" {
					t.Errorf("%s: %s", secret, got)
				}
			}
		})
	}
	group.Wait()
}

func jsonOfHTML(s string) string {
	encoded, err := json.Marshal(s)
	if err != nil {
		panic(err)
	}
	return string(encoded)
}

func jsonOf(s string) string {
	var b strings.Builder
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(s); err != nil {
		panic(err)
	}
	return strings.TrimSpace(b.String())
}

func TestWriterHidesSecretSplitOverWrites(t *testing.T) {
	var m Mask
	m.Add("hunter2")
	var out bytes.Buffer
	w := m.Writer(&out)
	for _, piece := range []string{"is hun", "ter2\nand ", "hun"} {
		fmt.Fprint(w, piece)
	}
	if got := out.String(); got != "is ********\n" {
		t.Errorf("before the end of the line: %q", got)
	}
	fmt.Fprint(w, "ter2?")
	if err := w.Flush(); err != nil || out.String() != "is ********\nand ********?" {
		t.Errorf("after Flush: %q, %v", out.String(), err)
	}
}

// TestWriterHidesSecretInOverlongLine checks that the place where the writer cuts a line is not inside a secret.
func TestWriterHidesSecretInOverlongLine(t *testing.T) {
	const secret = "correct-horse"
	for name, test := range map[string]struct{ line, want string }{
		"where the buffer is full": {strings.Repeat("x", maxBuffered-5) + secret, strings.Repeat("x", maxBuffered-5) + stars},
		"where the line is cut":    {strings.Repeat("x", maxBuffered-overlap-5) + secret + strings.Repeat("y", overlap), strings.Repeat("x", maxBuffered-overlap-5) + stars + strings.Repeat("y", overlap)},
		"everywhere":               {strings.Repeat(secret, maxBuffered/len(secret)+2), strings.Repeat(stars, maxBuffered/len(secret)+2)},
	} {
		t.Run(name, func(t *testing.T) {
			var m Mask
			m.Add(secret)
			var out strings.Builder
			w := m.Writer(&out)
			for _, piece := range []string{test.line[:maxBuffered+1], test.line[maxBuffered+1:], "!\n"} {
				if _, err := io.WriteString(w, piece); err != nil {
					t.Fatal(err)
				}
			}
			if out.String() != test.want+"!\n" {
				t.Errorf("the secret is not hidden, or other text is: %d bytes", out.Len())
			}
		})
	}
}

// TestShortValuesAndCommonWords checks that they are hidden only next to their key.
func TestShortValuesAndCommonWords(t *testing.T) {
	var m Mask
	m.AddLeaves(map[string]any{"pin": "4711", "user": "admin", "password": "password", "tls": true, "n": "1", "host": "shop"})
	m.AddNamed("name", "storefront")
	m.Exempt("storefront")
	for text, want := range map[string]string{
		"port 4711, user admin, a password": "port 4711, user admin, a password",
		"pin: 4711":                         "pin: ********",
		`{"pin":"4711","spin":"4711"}`:      `{"pin":"********","spin":"4711"}`,
		`say \"pin\": \"4711\"`:             `say \"pin\": \"********\"`,
		"map[pin:4711 user:admin]":          "map[pin:******** user:********]",
		"pin=4711 user = 'admin'":           "pin=******** user = '********'",
		"pin: 47110, pin: 4711.5":           "pin: 47110, pin: 4711.5",
		"password: password":                "password: ********",
		"tls: true, n: 1":                   "tls: true, n: 1",
		"data: NDcxMQ==":                    "data: ********",
		"release shop/storefront":           "release shop/storefront",
		"name: storefront":                  "name: ********",
	} {
		if got := m.String(text); got != want {
			t.Errorf("String(%s) = %s, want %s", text, got, want)
		}
	}
}

func TestAddObject(t *testing.T) {
	var m Mask
	m.AddObject(map[string]any{"kind": "List", "items": []any{
		map[string]any{"kind": "Secret", "data": map[string]any{"a": "Y29ycmVjdC1ob3JzZQ==", "b": "no base64!"}, "stringData": map[string]any{"c": "battery-staple"}},
		map[string]any{"kind": "ConfigMap", "data": map[string]any{"d": "not-secret"}},
	}})
	if got := m.String("correct-horse no base64! battery-staple not-secret"); got != "******** ******** ******** not-secret" {
		t.Errorf("got %s", got)
	}
}

// TestAddDocument checks that the mask hides the values of a decrypted file as the file spells them.
func TestAddDocument(t *testing.T) {
	for name, test := range map[string]struct{ document, text, want string }{
		"YAML":                     {"db: {password: correct-horse}\n", "correct-horse", "********"},
		"JSON":                     {`{"db": {"password": "correct-horse"}}`, "correct-horse", "********"},
		"two documents":            {"a: correct-horse\n---\nb: battery-staple\n", "correct-horse battery-staple", "******** ********"},
		"a long number":            {"pin: 1234567890123456789\n", "pin 1234567890123456789", "pin ********"},
		"a longer number":          {"pin: 12345678901234567890\n", "pin 12345678901234567890", "pin ********"},
		"a date":                   {"born: 1990-12-31\n", "on 1990-12-31", "on ********"},
		"a dotenv file":            {"A=correct-horse\nB=battery-staple\n", "correct-horse battery-staple", "******** ********"},
		"a template":               {"a: {{ .Values.x }}\nb: battery-staple\n", "battery-staple", "********"},
		"a broken second document": {"a: correct-horse\n---\nb: battery-staple\n}\n", "correct-horse battery-staple", "******** ********"},
	} {
		t.Run(name, func(t *testing.T) {
			var m Mask
			m.AddDocument([]byte(test.document))
			if got := m.String(test.text); got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}

func TestAddEnvironment(t *testing.T) {
	file := filepath.Join(t.TempDir(), "id_ed25519")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for variable, test := range map[string]struct{ text, want string }{
		"VAULT_TOKEN=correct-horse":                            {"correct-horse", stars},
		"HTTPS_PROXY=http://ada:battery%20staple@proxy:3128":   {"battery staple", stars},
		"AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI":                  {"wJalrXUtnFEMI", stars},
		"AWS_SECRET_ACCESS_KEY=/JalrXUtnFEMI, which is base64": {"/JalrXUtnFEMI, which is base64", stars},
		"PGPASSWORD=correct-horse":                             {"correct-horse", stars},
		"HELM_KUBETOKEN=correct-horse":                         {"correct-horse", stars},
		"SOPS_AGE_KEY_FILE=keys.txt.age":                       {"keys.txt.age", "keys.txt.age"},
		"MONKEY=innocent":                                      {"innocent", "innocent"},
		"SSH_KEY=" + file:                                      {file, file},
	} {
		var m Mask
		m.AddEnvironment([]string{variable})
		if got := m.String(test.text); got != test.want {
			t.Errorf("%s: got %s, want %s", variable, got, test.want)
		}
	}
}

// TestAddRegistryLogins checks the files where Helm and Docker may have stored the credentials.
func TestAddRegistryLogins(t *testing.T) {
	for variable, file := range map[string]string{
		"HELM_REGISTRY_CONFIG": "config.json",
		"HELM_CONFIG_HOME":     "registry/config.json",
		"XDG_CONFIG_HOME":      "helm/registry/config.json",
		"DOCKER_CONFIG":        "config.json",
		"HOME":                 ".config/helm/registry/config.json",
	} {
		t.Run(variable, func(t *testing.T) {
			for _, name := range []string{"HELM_REGISTRY_CONFIG", "HELM_CONFIG_HOME", "XDG_CONFIG_HOME", "DOCKER_CONFIG", "HOME"} {
				t.Setenv(name, "")
			}
			dir := t.TempDir()
			path := filepath.Join(dir, file)
			if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, []byte(`{"auths": {"x.io": {"auth": "YWRhOmNvcnJlY3QtaG9yc2U="}}}`), 0o600); err != nil {
				t.Fatal(err)
			}
			if variable == "HELM_REGISTRY_CONFIG" {
				dir = path
			}
			t.Setenv(variable, dir)
			var m Mask
			m.AddRegistryLogins()
			if got := m.String("correct-horse"); got != stars {
				t.Errorf("got %s", got)
			}
		})
	}
}

func BenchmarkMask(b *testing.B) {
	var m Mask
	for i := range 5000 {
		m.AddNamed("password", fmt.Sprintf("secret-%d-%x", i, i*7919*104729))
	}
	text := strings.Repeat("  some line: of a diff with secret-ish words, and more of them\n", 16<<10)
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		m.String(text)
	}
}

func BenchmarkAddNamed(b *testing.B) {
	for b.Loop() {
		var m Mask
		for i := range 1000 {
			m.AddNamed("password", fmt.Sprintf("secret-%d-%x", i, i*7919*104729))
		}
	}
}
