package config

import (
	"errors"
	"fmt"
	"log/slog"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/helmfile-agent/helmfile-agent/agent/config/internal/settings"
)

// A check returns what is wrong with a value and what to do. Messages print it after the value: `"x" is not …`.
type check func(string) error

// Each of the next functions returns a function that checks the values of a setting and stores them in a field. A setting that is not
// a list has exactly one value.

func storeText(field func(*Config) *string, checks ...check) func(*Config, []string) error {
	return func(c *Config, values []string) error {
		if err := checkAll(values[0], checks); err != nil {
			return err
		}
		*field(c) = values[0]
		return nil
	}
}

// storeFilePath makes the path absolute, because the working directory may change later.
func storeFilePath(field func(*Config) *string) func(*Config, []string) error {
	return func(c *Config, values []string) (err error) {
		path := values[0]
		if path != "" {
			if path, err = filepath.Abs(path); err != nil {
				return fmt.Errorf("cannot be made an absolute path: %w", err)
			}
		}
		*field(c) = path
		return nil
	}
}

func storeSecret(field func(*Config) *Secret) func(*Config, []string) error {
	return func(c *Config, values []string) error {
		*field(c) = Secret(values[0])
		return nil
	}
}

func storeList(field func(*Config) *[]string, checks ...check) func(*Config, []string) error {
	return func(c *Config, values []string) error {
		for _, value := range values {
			if err := checkAll(value, append([]check{notEmpty}, checks...)); err != nil {
				return inItem(value, values, err)
			}
		}
		*field(c) = slices.Clone(values)
		return nil
	}
}

func checkAll(value string, checks []check) error {
	for _, check := range checks {
		if err := check(value); err != nil {
			return err
		}
	}
	return nil
}

// inItem adds to an error the item of the list that it is about, if the list has other items.
func inItem(item string, values []string, err error) error {
	if strings.Join(values, ",") == item {
		return err
	}
	return fmt.Errorf("has the item %q, which %w", item, err)
}

// storeHelmfilePath stores the cleaned path. The path "." means the same as an empty one.
func storeHelmfilePath(c *Config, values []string) error {
	if values[0] == "" {
		c.Path = ""
		return nil
	}
	if !filepath.IsLocal(values[0]) {
		return errors.New("leads out of the repository: use a path relative to its root, without ..")
	}
	c.Path = path.Clean(values[0])
	if c.Path == "." {
		c.Path = ""
	}
	return nil
}

// storeStateValues splits every item at commas, as helmfile does. It refuses an item without "=", because helmfile would panic.
func storeStateValues(c *Config, values []string) error {
	var pairs []string
	for _, value := range values {
		for pair := range strings.SplitSeq(value, ",") {
			if name, _, ok := strings.Cut(pair, "="); !ok || name == "" {
				return inItem(pair, values, errors.New("is not key=value: write it like image.tag=v2"))
			}
			pairs = append(pairs, pair)
		}
	}
	c.StateValuesSet = pairs
	return nil
}

func storeTimeout(c *Config, values []string) error {
	timeout, err := time.ParseDuration(values[0])
	if err != nil {
		return errors.New("is not a duration: write it like 90s, 10m or 1h30m")
	}
	if timeout <= 0 {
		return errors.New("is too short: use more than 0s")
	}
	c.Timeout = timeout
	return nil
}

func storeConcurrency(c *Config, values []string) error {
	n, err := strconv.Atoi(values[0])
	if err != nil || n < 1 || n > 64 {
		return errors.New("is not a whole number from 1 to 64")
	}
	c.Concurrency = n
	return nil
}

var logLevels = map[string]slog.Level{
	"debug": slog.LevelDebug, "info": slog.LevelInfo, "warn": slog.LevelWarn, "error": slog.LevelError,
}

func storeLogLevel(c *Config, values []string) error {
	level, known := logLevels[values[0]]
	if !known {
		return oneOf("debug", "info", "warn", "error")(values[0])
	}
	c.LogLevel = level
	return nil
}

func storeBool(field func(*Config) *bool) func(*Config, []string) error {
	return func(c *Config, values []string) error {
		on, err := strconv.ParseBool(values[0])
		if err != nil {
			return errors.New("is neither true nor false: use one of them")
		}
		*field(c) = on
		return nil
	}
}

func storeGitMaxFiles(c *Config, values []string) error {
	n, err := strconv.Atoi(values[0])
	if err != nil || n < 1 || n > 10_000_000 {
		return errors.New("is not a whole number from 1 to 10000000")
	}
	c.GitMaxFiles = n
	return nil
}

// maxSize is small enough that sums and products of sizes do not overflow.
var maxSize = resource.MustParse("1Pi")

func storeSize(field func(*Config) *int64) func(*Config, []string) error {
	return func(c *Config, values []string) error {
		size, err := resource.ParseQuantity(values[0])
		if err != nil || size.Sign() <= 0 || size.Cmp(maxSize) > 0 {
			return errors.New("is not a size from 1 to 1Pi: write it like 64Mi or 1Gi")
		}
		*field(c) = size.Value()
		return nil
	}
}

func storePruneGrace(c *Config, values []string) error {
	grace, err := time.ParseDuration(values[0])
	if err != nil || grace < 0 {
		return errors.New("is not a duration: write it like 0s, 30m or 24h")
	}
	c.PruneGrace = grace
	return nil
}

func storePruneMaxShare(c *Config, values []string) error {
	share, err := strconv.Atoi(strings.TrimSuffix(values[0], "%"))
	if err != nil || share < 0 || share > 100 {
		return errors.New("is not a percentage from 0% to 100%: write it like 50%")
	}
	c.PruneMaxShare = share
	return nil
}

var commitDigits = regexp.MustCompile(`^[0-9a-f]{7,40}$`)

func isCommit(value string) error {
	if value == "" || commitDigits.MatchString(value) {
		return nil
	}
	return errors.New("is not a commit: use 7 to 40 of its hexadecimal digits, in lower case")
}

func notEmpty(value string) error {
	if strings.TrimSpace(value) == "" {
		return errors.New("is empty: write a value, or remove the setting")
	}
	return nil
}

func oneOf(allowed ...string) check {
	return func(value string) error {
		if slices.Contains(allowed, value) {
			return nil
		}
		return notOneOf(allowed)
	}
}

// notOneOf is the error for a value that is not in this list.
type notOneOf []string

func (allowed notOneOf) Error() string {
	return "is unknown: use one of " + strings.Join(allowed, ", ")
}

func staysInside(value string) error {
	if !filepath.IsAbs(value) && !filepath.IsLocal(value) {
		return errors.New("leads out of the repository: use a path relative to its root without .., or an absolute path")
	}
	return nil
}

var selectorTerm = regexp.MustCompile(`^[a-zA-Z0-9_./+-]+!?=[a-zA-Z0-9_./+-]+$`) // the same as in helmfile

func isSelector(value string) error {
	for term := range strings.SplitSeq(value, ",") {
		if !selectorTerm.MatchString(term) {
			return errors.New("is not a selector: write key=value or key!=value, with commas between terms that must all match")
		}
	}
	return nil
}

var (
	dnsLabel     = regexp.MustCompile(`^[a-z0-9]([-a-z0-9]*[a-z0-9])?$`)
	dnsSubdomain = regexp.MustCompile(`^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$`)
)

// isInstance limits the length, because object names are made of the instance and a suffix, and Kubernetes allows 63 characters.
func isInstance(value string) error {
	if len(value) > 52 || !dnsSubdomain.MatchString(value) {
		return errors.New("cannot be the name of an instance: use at most 52 lower-case letters, digits, - and ., starting and ending with a letter or digit")
	}
	return nil
}

func isSecretName(value string) error {
	if len(value) > 253 || !dnsSubdomain.MatchString(value) {
		return errors.New("cannot be the name of a Secret: use at most 253 lower-case letters, digits, - and ., starting and ending with a letter or digit")
	}
	return nil
}

func isNamespace(value string) error {
	if value != "" && (len(value) > 63 || !dnsLabel.MatchString(value)) {
		return errors.New("cannot be the name of a namespace: use at most 63 lower-case letters, digits and -, starting and ending with a letter or digit")
	}
	return nil
}

var notInRefs = regexp.MustCompile(`[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//|^[-/]|[/.]$|\.lock$`) // git check-ref-format

func isRef(value string) error {
	if notInRefs.MatchString(value) {
		return errors.New("cannot be a ref: use a branch, a tag, a full ref or a commit; git expressions such as HEAD~1 are not supported")
	}
	return nil
}

var variableName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// isTemplateVariable refuses the variables of the agent's own settings, because some of them are passwords.
func isTemplateVariable(name string) error {
	switch {
	case !variableName.MatchString(name):
		return errors.New("is not the name of an environment variable")
	case settings.IsVariable(name):
		return errors.New("is a setting of the agent, which a helmfile must not read")
	}
	return nil
}

func storeLoaderTime(c *Config, values []string) error {
	d, err := time.ParseDuration(values[0])
	if err != nil || d < time.Second {
		return errors.New("is not a duration of at least one second, such as 90s or 2m")
	}
	c.LoaderTime = d
	return nil
}
