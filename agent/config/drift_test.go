package config

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

func TestDriftIgnore(t *testing.T) {
	replicas := []string{"/spec/replicas"}
	for rule, want := range map[string]release.IgnoreRule{
		"Deployment:/spec/replicas":               {Kind: "Deployment", Paths: replicas},
		"Deployment.apps:/spec/replicas":          {Kind: "Deployment", Group: "apps", Paths: replicas},
		"Deployment.apps/web:/spec/replicas":      {Kind: "Deployment", Group: "apps", Name: "web", Paths: replicas},
		"Deployment.apps/shop/web:/spec/replicas": {Kind: "Deployment", Group: "apps", Namespace: "shop", Name: "web", Paths: replicas},
		"Deployment.apps/shop/:/spec/replicas":    {Kind: "Deployment", Group: "apps", Namespace: "shop", Paths: replicas},
		"Widget.a.example.org/web:/spec/replicas": {Kind: "Widget", Group: "a.example.org", Name: "web", Paths: replicas},
		"*:/spec/replicas":                        {Paths: replicas},
		":/spec/replicas":                         {Paths: replicas},
		"*/web:/spec/replicas":                    {Name: "web", Paths: replicas},
		"*.apps/web:/spec/replicas":               {Group: "apps", Name: "web", Paths: replicas},
		"ConfigMap:/data/a,/data/b":               {Kind: "ConfigMap", Paths: []string{"/data/a", "/data/b"}},
		"ConfigMap:/data/a:b":                     {Kind: "ConfigMap", Paths: []string{"/data/a:b"}},
		"Secret:/metadata/annotations/x.io~1y":    {Kind: "Secret", Paths: []string{"/metadata/annotations/x.io~1y"}},
	} {
		t.Run(rule, func(t *testing.T) {
			var c Config
			if err := storeDriftIgnore(&c, []string{rule}); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff([]release.IgnoreRule{want}, c.DriftIgnore); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestDriftIgnoreRefuses(t *testing.T) {
	for rule, want := range map[string]string{
		"":                             "is not a rule",
		"Deployment":                   "is not a rule",
		"/spec/replicas":               "is not a rule",
		"Deployment:":                  "has no field",
		"Deployment:/":                 "has no field",
		"Deployment:spec/replicas":     "has no field",
		"Deployment:/spec, /status":    "has no field",
		"Deployment:/spec,":            "has no field",
		"Deployment.apps/a/b/c:/spec":  "too many parts",
		"apps/v1/Deployment/web:/spec": "too many parts",
	} {
		t.Run(rule, func(t *testing.T) {
			err := storeDriftIgnore(&Config{}, []string{"Service:/spec", rule})
			if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), rule) {
				t.Errorf("got %v, want one about %q", err, want)
			}
		})
	}
}
