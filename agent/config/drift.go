package config

import (
	"errors"
	"strings"

	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

// storeDriftIgnore reads rules such as Deployment.apps/shop/web:/spec/replicas,/metadata/labels/team. An asterisk, or an empty kind,
// stands for every kind.
func storeDriftIgnore(c *Config, values []string) error {
	var rules []release.IgnoreRule
	for _, value := range values {
		rule, err := ignoreRule(value)
		if err != nil {
			return inItem(value, values, err)
		}
		rules = append(rules, rule)
	}
	c.DriftIgnore = rules
	return nil
}

func ignoreRule(value string) (release.IgnoreRule, error) {
	target, pointers, found := strings.Cut(value, ":")
	if !found {
		return release.IgnoreRule{}, errors.New("is not a rule: write it like Deployment.apps/web:/spec/replicas")
	}
	var rule release.IgnoreRule
	for pointer := range strings.SplitSeq(pointers, ",") {
		if !strings.HasPrefix(pointer, "/") || pointer == "/" {
			return rule, errors.New("has no field: a JSON pointer begins with /, like /spec/replicas")
		}
		rule.Paths = append(rule.Paths, pointer)
	}
	parts := strings.Split(target, "/")
	if len(parts) > 3 {
		return rule, errors.New("has too many parts: at most KIND.GROUP/NAMESPACE/NAME")
	}
	rule.Kind, rule.Group, _ = strings.Cut(strings.TrimPrefix(parts[0], "*"), ".")
	if len(parts) > 1 {
		rule.Name = parts[len(parts)-1]
	}
	if len(parts) == 3 {
		rule.Namespace = parts[1]
	}
	return rule, nil
}
