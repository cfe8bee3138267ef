package drift

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

// comparison is a manifest, a live object, and the patch between them. Of both only what lies below apiVersion, kind and
// metadata.name is written down.
type comparison struct {
	kind       string // ConfigMap unless it says otherwise; "apps/v1 Deployment"
	want, live string
	ignore     []string
	patch      string // empty: nothing differs
	strategy   string // of the patch: strategic unless it says otherwise
}

const (
	byHelm    = "{manager: helmfile-agent, operation: Update, fieldsType: FieldsV1, fieldsV1: %}"
	byKubectl = "{manager: kubectl-edit, operation: Update, fieldsType: FieldsV1, fieldsV1: %}"
)

func written(entry, fields string) string { return strings.Replace(entry, "%", fields, 1) }

var comparisons = map[string]comparison{
	"what is the same": {want: "data: {a: b}", live: "data: {a: b}"},
	"what others have added": {
		want: "data: {a: b}", live: "{data: {a: b, c: d}, metadata: {labels: {mine: yes}, finalizers: [example.com/x]}}",
	},
	"a value changed": {want: "data: {a: b}", live: "data: {a: x, c: d}", patch: "data: {a: b}"},
	"a value removed": {want: "data: {a: b}", live: "{}", patch: "data: {a: b}"},
	"a null says nothing": {
		want: "{data: {a: b, c: null}, binaryData: null, metadata: {creationTimestamp: null}}", live: "{data: {a: b, c: d}, metadata: {creationTimestamp: 2026-01-01T00:00:00Z}}",
	},
	"status says nothing": {kind: "apps/v1 Deployment", want: "status: {replicas: 1}", live: "status: {replicas: 2}"},

	"a Secret's stringData is its data": {
		kind: "v1 Secret", want: "{stringData: {user: admin, both: new}, data: {both: b2xk}}", live: "data: {user: YWRtaW4=, both: bmV3}",
	},
	"a Secret's stringData changed": {
		kind: "v1 Secret", want: "stringData: {user: admin}", live: "data: {user: eA==, more: eA==}", patch: "data: {user: YWRtaW4=}",
	},
	"a Secret of another group is no Secret": {
		kind: "example.com/v1 Secret", want: "stringData: {user: admin}", live: "{}", patch: "stringData: {user: admin}", strategy: "merge",
	},

	"quantities have many spellings": {
		kind: "v1 ResourceQuota", want: "spec: {hard: {cpu: 0.5, memory: 1024Mi, pods: 10}}", live: `spec: {hard: {cpu: 500m, memory: "1073741824", pods: "10"}}`,
	},
	"a quantity changed": {
		kind: "v1 ResourceQuota", want: "spec: {hard: {cpu: 0.5}}", live: "spec: {hard: {cpu: 2}}", patch: "spec: {hard: {cpu: 500m}}",
	},
	"in a custom resource a quantity is a text": {
		kind: "example.com/v1 Quota", want: "spec: {cpu: 0.5}", live: "spec: {cpu: 500m}", patch: "spec: {cpu: 0.5}", strategy: "merge",
	},
	"a whole number written with a point": {kind: "apps/v1 Deployment", want: "spec: {replicas: 3.0}", live: "spec: {replicas: 3}"},
	"a number or a word": {
		kind: "policy/v1 PodDisruptionBudget", want: "spec: {maxUnavailable: 1}", live: `spec: {maxUnavailable: "1"}`, patch: "spec: {maxUnavailable: 1}",
	},

	"false, zero and empty are the same as unsaid": {
		kind: "apps/v1 Deployment",
		want: "spec: {paused: false, minReadySeconds: 0, template: {spec: {hostNetwork: false, nodeSelector: {}, tolerations: [], serviceAccountName: ''}}}",
		live: "spec: {template: {spec: {}}}",
	},
	"false is not true": {
		kind: "apps/v1 Deployment", want: "spec: {template: {spec: {hostNetwork: false}}}", live: "spec: {template: {spec: {hostNetwork: true}}}",
		patch: "spec: {template: {spec: {hostNetwork: false}}}",
	},
	"what the API server chose for an empty word": {
		kind: "v1 Service", want: "spec: {clusterIP: '', type: ''}",
		live: "{spec: {clusterIP: 10.96.0.7, type: ClusterIP}, metadata: {managedFields: [" + written(byHelm, "{'f:spec': {'f:type': {}}}") + "]}}",
	},
	"a field that the Go type does not know": {kind: "apps/v1 Deployment", want: "spec: {replicas: 1, invented: 7}", live: "spec: {replicas: 1}"},

	"a sidecar": {
		kind: "apps/v1 Deployment",
		want: "spec: {template: {spec: {containers: [{name: a, image: a:1}]}}}",
		live: "spec: {template: {spec: {containers: [{name: mesh, image: m:1}, {name: a, image: a:1, imagePullPolicy: Always}]}}}",
	},
	"an image beside a sidecar": {
		kind:  "apps/v1 Deployment",
		want:  "spec: {template: {spec: {containers: [{name: a, image: a:1}]}}}",
		live:  "spec: {template: {spec: {containers: [{name: mesh, image: m:1}, {name: a, image: a:2}]}}}",
		patch: "spec: {template: {spec: {$setElementOrder/containers: [{name: mesh}, {name: a}], containers: [{name: a, image: a:1}]}}}",
	},
	"one number for two protocols": {
		kind: "v1 Service",
		want: "spec: {ports: [{name: tcp, port: 53}, {name: udp, port: 53, protocol: UDP}]}",
		live: "spec: {ports: [{name: udp, port: 53, protocol: UDP, targetPort: 53}, {name: tcp, port: 53, protocol: TCP, targetPort: 53}]}",
	},
	"one number for two protocols, and the second changed: a strategic patch cannot say which": {
		kind:     "v1 Service",
		want:     "spec: {ports: [{name: tcp, port: 53, targetPort: 5353}, {name: udp, port: 53, protocol: UDP}]}",
		live:     "spec: {ports: [{name: udp, port: 53, protocol: UDP, targetPort: 53}, {name: tcp, port: 53, protocol: TCP, targetPort: 53}]}",
		patch:    "spec: {ports: [{name: udp, port: 53, protocol: UDP, targetPort: 53}, {name: tcp, port: 53, protocol: TCP, targetPort: 5353}]}",
		strategy: "merge",
	},
	"a port that got another number is known by its name": {
		kind:  "v1 Service",
		want:  "spec: {ports: [{name: http, port: 80}]}",
		live:  "spec: {ports: [{name: http, port: 81, protocol: TCP}, {name: more, port: 9}]}",
		patch: "spec: {$setElementOrder/ports: [{port: 80}, {port: 9}], ports: [{name: http, port: 80, protocol: TCP}, {$patch: delete, port: 81}]}",
	},

	"a default in each element of a list that is one value, which only Helm has written": {
		kind: "networking.k8s.io/v1 NetworkPolicy", want: "spec: {ingress: [{ports: [{port: 80}]}]}",
		live: "{spec: {ingress: [{ports: [{port: 80, protocol: TCP}]}]}, metadata: {managedFields: [" + written(byHelm, "{'f:spec': {'f:ingress': {}}}") + "]}}",
	},
	"the same, and somebody else has written it": {
		kind: "networking.k8s.io/v1 NetworkPolicy", want: "spec: {ingress: [{ports: [{port: 80}]}]}",
		live:  "{spec: {ingress: [{ports: [{port: 80, protocol: TCP}]}]}, metadata: {managedFields: [" + written(byKubectl, "{'f:spec': {'f:ingress': {}}}") + "]}}",
		patch: "spec: {ingress: [{ports: [{port: 80}]}]}",
	},
	"the same, and nobody knows who has written it": {
		kind: "networking.k8s.io/v1 NetworkPolicy", want: "spec: {ingress: [{ports: [{port: 80}]}]}",
		live:  "spec: {ingress: [{ports: [{port: 80, protocol: TCP}]}]}",
		patch: "spec: {ingress: [{ports: [{port: 80}]}]}",
	},
	"elements that admission has added to a list that is one value": {
		kind: "v1 Pod", want: "spec: {tolerations: [{key: a}]}",
		live: "{spec: {tolerations: [{key: a}, {key: b}]}, metadata: {managedFields: [" + written(byHelm, "{'f:spec': {'f:tolerations': {}}}") + "]}}",
	},
	"a list of custom resources is one value": {
		kind: "example.com/v1 Zoo", want: "spec: {food: [{name: fish}]}", live: "spec: {food: [{name: fish}, {name: mouse}]}",
		patch: "spec: {food: [{name: fish}]}", strategy: "merge",
	},
	"keys that exclude each other": {
		kind: "apps/v1 Deployment", want: "spec: {strategy: {type: Recreate}}", live: "spec: {strategy: {type: RollingUpdate, rollingUpdate: {maxSurge: 1}}}",
		patch: "spec: {strategy: {$retainKeys: [type], type: Recreate, rollingUpdate: null}}",
	},
	"a key of those that exclude each other, added by the API server": {
		kind: "apps/v1 Deployment", want: "spec: {strategy: {type: RollingUpdate}}", live: "spec: {strategy: {type: RollingUpdate, rollingUpdate: {maxSurge: 1}}}",
	},

	"an ignored field": {want: "data: {a: b, c: d}", live: "data: {a: x, c: d}", ignore: []string{"/data/a"}},
	"an ignored part":  {want: "data: {a: b, c: d}", live: "data: {a: x}", ignore: []string{"/data"}},
	"ignored keys with slashes and tildes": {
		want: "metadata: {annotations: {example.com/a: b, 'tilde~': c}}", live: "metadata: {annotations: {example.com/a: x}}",
		ignore: []string{"/metadata/annotations/example.com~1a", "/metadata/annotations/tilde~0"},
	},
	"an ignored field in an element": {
		kind: "example.com/v1 Zoo", want: "spec: {food: [{name: fish, grams: 1}]}", live: "spec: {food: [{name: fish}]}", ignore: []string{"/spec/food/0/grams"},
	},
	"an ignored element": {
		kind: "example.com/v1 Zoo", want: "spec: {food: [fish, mouse]}", live: "spec: {food: [fish, bird]}", ignore: []string{"/spec/food/1"},
	},
	"an ignored field that nobody has": {want: "data: {a: b}", live: "data: {a: x}", ignore: []string{"/spec/replicas", "/data/a/b/c", "/data/7"}, patch: "data: {a: b}"},
}

func TestCompare(t *testing.T) {
	for title, c := range comparisons {
		t.Run(title, func(t *testing.T) {
			live := object(t, c.kind, c.live)
			before := plain(live)
			patch, corrected, err := Compare(release.Object{Content: object(t, c.kind, c.want)}, live, c.ignore)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(decode(t, c.patch), decode(t, string(patch.Data))); diff != "" {
				t.Errorf("patch: %s", diff)
			}
			if strategy := "application/" + map[string]string{"": "strategic-merge-patch+json", "merge": "merge-patch+json"}[c.strategy]; c.patch != "" && patch.Type != strategy {
				t.Errorf("the patch is of type %s, want %s", patch.Type, strategy)
			}
			if (corrected == nil) != (c.patch == "") {
				t.Errorf("corrected: %v", corrected)
			}
			if diff := cmp.Diff(before, live); diff != "" {
				t.Errorf("the live object was changed: %s", diff)
			}
		})
	}
}

// TestCorrectedAgrees: what is corrected has nothing left to correct.
func TestCorrectedAgrees(t *testing.T) {
	for title, c := range comparisons {
		if c.patch == "" {
			continue
		}
		t.Run(title, func(t *testing.T) {
			want := release.Object{Content: object(t, c.kind, c.want)}
			_, corrected, err := Compare(want, object(t, c.kind, c.live), c.ignore)
			if err != nil {
				t.Fatal(err)
			}
			if patch, again, err := Compare(want, plain(corrected), c.ignore); err != nil || again != nil {
				t.Errorf("it would be corrected again: %s, %v", patch.Data, err)
			}
		})
	}
}

func TestFields(t *testing.T) {
	tests := map[string]struct {
		kind                       string
		live, corrected, confirmed string // confirmed as corrected when it is empty
		want                       string
	}{
		"one value": {
			live: "data: {a: x}", corrected: "data: {a: b}",
			want: "/data/a x → b",
		},
		"slashes and tildes": {
			live: "metadata: {labels: {a/b~c: x}}", corrected: "metadata: {labels: {a/b~c: d}}",
			want: "/metadata/labels/a~1b~0c x → d",
		},
		"an element of a list": {
			live: "data: {list: [a, b]}", corrected: "data: {list: [a, c]}",
			want: "/data/list/1 b → c",
		},
		"a longer list is one field": {
			live: "data: {list: [a]}", corrected: "data: {list: [a, c]}",
			want: "/data/list [a] → [a c]",
		},
		"what is missing": {
			live: "{}", corrected: "data: {a: b}",
			want: "/data <nil> → map[a:b]",
		},
		"what the API server keeps is no field": {
			live: "{metadata: {resourceVersion: '1', generation: 1, uid: x}, status: {a: b}}", corrected: "{metadata: {resourceVersion: '2', generation: 2, uid: y}}",
		},
		"what the API server spells in its own way is no field": {
			live: "data: {a: X, b: old}", corrected: "data: {a: x, b: new}", confirmed: "data: {a: X, b: NEW}",
			want: "/data/b old → NEW",
		},
		"what follows from a correction is no field": {
			live: "spec: {type: NodePort, nodePort: 7}", corrected: "spec: {type: ClusterIP, nodePort: 7}", confirmed: "spec: {type: ClusterIP}",
			want: "/spec/type NodePort → ClusterIP",
		},
	}
	for title, test := range tests {
		t.Run(title, func(t *testing.T) {
			if test.confirmed == "" {
				test.confirmed = test.corrected
			}
			var lines []string
			for _, field := range Fields(object(t, test.kind, test.live), object(t, test.kind, test.corrected), object(t, test.kind, test.confirmed)) {
				lines = append(lines, sprint(field))
			}
			if got := strings.Join(lines, ", "); got != test.want {
				t.Errorf("want %q, got %q", test.want, got)
			}
		})
	}
}

func TestWriter(t *testing.T) {
	const containers = "spec: {template: {spec: {containers: [{name: a, image: x}, {name: b, image: y}]}}, finalizers: [one, two], rules: [{verbs: [get]}]}"
	tests := map[string]struct {
		live    string
		entries []string
		path    string
		want    string
	}{
		"a plain field": {
			live: "data: {a: b}", path: "/data/a",
			entries: []string{by("helm", 1, "{'f:data': {'f:c': {}}}"), by("kubectl", 2, "{'f:data': {'f:a': {}}}")},
			want:    "kubectl 2",
		},
		"the last of two": {
			live: "data: {a: b}", path: "/data/a",
			entries: []string{by("helm", 3, "{'f:data': {'f:a': {}}}"), by("kubectl", 2, "{'f:data': {'f:a': {}}}")},
			want:    "helm 3",
		},
		"a field in an element with a key": {
			live: containers, path: "/spec/template/spec/containers/1/image",
			entries: []string{
				by("helm", 1, `{'f:spec': {'f:template': {'f:spec': {'f:containers': {'k:{"name":"a"}': {'f:image': {}}}}}}}`),
				by("kubectl", 2, `{'f:spec': {'f:template': {'f:spec': {'f:containers': {'k:{"name":"b"}': {'.': {}, 'f:image': {}}}}}}}`),
			},
			want: "kubectl 2",
		},
		"a plain value in a set": {
			live: containers, path: "/spec/finalizers/1",
			entries: []string{by("one", 1, `{'f:spec': {'f:finalizers': {'v:"one"': {}}}}`), by("two", 2, `{'f:spec': {'f:finalizers': {'v:"two"': {}}}}`)},
			want:    "two 2",
		},
		"a field in a list that is one value": {
			live: containers, path: "/spec/rules/0/verbs",
			entries: []string{by("kubectl", 2, "{'f:spec': {'f:rules': {}}}")},
			want:    "kubectl 2",
		},
		"some of what is below": {
			live: containers, path: "/spec/template",
			entries: []string{by("kubectl", 2, `{'f:spec': {'f:template': {'f:spec': {'f:containers': {'k:{"name":"b"}': {}}}}}}`)},
			want:    "kubectl 2",
		},
		"keys with slashes": {
			live: "metadata: {labels: {example.com/a: b}}", path: "/metadata/labels/example.com~1a",
			entries: []string{by("kubectl", 2, "{'f:metadata': {'f:labels': {'f:example.com/a': {}}}}")},
			want:    "kubectl 2",
		},
		"who has written status has not written the object": {
			live: "data: {a: b}", path: "/data/a",
			entries: []string{strings.Replace(by("kubelet", 2, "{'f:data': {'f:a': {}}}"), "manager:", "subresource: status, manager:", 1)},
			want:    "nobody",
		},
		"nobody is recorded to have removed a field": {
			live: "data: {c: d}", path: "/data/a",
			entries: []string{by("helm", 1, "{'f:data': {'f:c': {}}}"), by("kubectl", 2, "{'f:metadata': {'f:labels': {}}}")},
			want:    "nobody",
		},
		"nor the last of them": {
			live: "data: {}", path: "/data/a",
			entries: []string{by("helm", 1, "{'f:data': {}}")},
			want:    "nobody",
		},
		"no records": {live: "data: {a: b}", path: "/data/a", want: "nobody"},
	}
	for title, test := range tests {
		t.Run(title, func(t *testing.T) {
			live := object(t, "", test.live)
			live["metadata"].(map[string]any)["managedFields"] = decode(t, "["+strings.Join(test.entries, ", ")+"]")
			o := &owners{live: live}
			manager, since := o.writer(split(test.path))
			got := "nobody"
			if manager != "" {
				got = manager + " " + since.Format("5")
			}
			if got != test.want {
				t.Errorf("want %s, got %s", test.want, got)
			}
		})
	}
}

// by is an entry of managedFields, written at that second.
func by(manager string, second int, fields string) string {
	return "{manager: " + manager + ", operation: Update, time: '2026-01-01T00:00:0" + string(rune('0'+second)) + "Z', fieldsType: FieldsV1, fieldsV1: " + fields + "}"
}

func sprint(field release.Field) string {
	return strings.TrimSpace(strings.Join([]string{field.Path, words(field.Live), "→", words(field.Want)}, " "))
}
