package drift

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

// comparison is a manifest, a live object, and the expected patch. Both objects are written without apiVersion, kind and
// metadata.name.
type comparison struct {
	kind       string // such as "apps/v1 Deployment"; empty means "v1 ConfigMap"
	want, live string
	ignore     []string
	patch      string // empty means that nothing differs
	strategy   string // "merge", or empty for a strategic merge patch
}

const (
	byHelm    = "{manager: helmfile-agent, operation: Update, fieldsType: FieldsV1, fieldsV1: %}"
	byKubectl = "{manager: kubectl-edit, operation: Update, fieldsType: FieldsV1, fieldsV1: %}"
)

func withFields(entry, fields string) string { return strings.Replace(entry, "%", fields, 1) }

var comparisons = map[string]comparison{
	"equal objects": {want: "data: {a: b}", live: "data: {a: b}"},
	"fields that other clients added": {
		want: "data: {a: b}", live: "{data: {a: b, c: d}, metadata: {labels: {mine: yes}, finalizers: [example.com/x]}}",
	},
	"a changed value": {want: "data: {a: b}", live: "data: {a: x, c: d}", patch: "data: {a: b}"},
	"a removed value": {want: "data: {a: b}", live: "{}", patch: "data: {a: b}"},
	"a null in the manifest is ignored": {
		want: "{data: {a: b, c: null}, binaryData: null, metadata: {creationTimestamp: null}}", live: "{data: {a: b, c: d}, metadata: {creationTimestamp: 2026-01-01T00:00:00Z}}",
	},
	"the status is ignored": {kind: "apps/v1 Deployment", want: "status: {replicas: 1}", live: "status: {replicas: 2}"},

	"stringData of a Secret counts as data": {
		kind: "v1 Secret", want: "{stringData: {user: admin, both: new}, data: {both: b2xk}}", live: "data: {user: YWRtaW4=, both: bmV3}",
	},
	"changed stringData of a Secret": {
		kind: "v1 Secret", want: "stringData: {user: admin}", live: "data: {user: eA==, more: eA==}", patch: "data: {user: YWRtaW4=}",
	},
	"a Secret of another API group is a custom resource": {
		kind: "example.com/v1 Secret", want: "stringData: {user: admin}", live: "{}", patch: "stringData: {user: admin}", strategy: "merge",
	},

	"equal quantities in different forms": {
		kind: "v1 ResourceQuota", want: "spec: {hard: {cpu: 0.5, memory: 1024Mi, pods: 10}}", live: `spec: {hard: {cpu: 500m, memory: "1073741824", pods: "10"}}`,
	},
	"a changed quantity": {
		kind: "v1 ResourceQuota", want: "spec: {hard: {cpu: 0.5}}", live: "spec: {hard: {cpu: 2}}", patch: "spec: {hard: {cpu: 500m}}",
	},
	"a quantity in a custom resource is plain text": {
		kind: "example.com/v1 Quota", want: "spec: {cpu: 0.5}", live: "spec: {cpu: 500m}", patch: "spec: {cpu: 0.5}", strategy: "merge",
	},
	"a whole number written as a float": {kind: "apps/v1 Deployment", want: "spec: {replicas: 3.0}", live: "spec: {replicas: 3}"},
	"a field that accepts a number or a string": {
		kind: "policy/v1 PodDisruptionBudget", want: "spec: {maxUnavailable: 1}", live: `spec: {maxUnavailable: "1"}`, patch: "spec: {maxUnavailable: 1}",
	},

	"false, zero and empty values equal absent fields": {
		kind: "apps/v1 Deployment",
		want: "spec: {paused: false, minReadySeconds: 0, template: {spec: {hostNetwork: false, nodeSelector: {}, tolerations: [], serviceAccountName: ''}}}",
		live: "spec: {template: {spec: {}}}",
	},
	"false in the manifest, true in the live object": {
		kind: "apps/v1 Deployment", want: "spec: {template: {spec: {hostNetwork: false}}}", live: "spec: {template: {spec: {hostNetwork: true}}}",
		patch: "spec: {template: {spec: {hostNetwork: false}}}",
	},
	"a value that the API server chose for an empty string": {
		kind: "v1 Service", want: "spec: {clusterIP: '', type: ''}",
		live: "{spec: {clusterIP: 10.96.0.7, type: ClusterIP}, metadata: {managedFields: [" + withFields(byHelm, "{'f:spec': {'f:type': {}}}") + "]}}",
	},
	"a field that the Go type does not have": {kind: "apps/v1 Deployment", want: "spec: {replicas: 1, invented: 7}", live: "spec: {replicas: 1}"},

	"an injected sidecar": {
		kind: "apps/v1 Deployment",
		want: "spec: {template: {spec: {containers: [{name: a, image: a:1}]}}}",
		live: "spec: {template: {spec: {containers: [{name: mesh, image: m:1}, {name: a, image: a:1, imagePullPolicy: Always}]}}}",
	},
	"a changed image and an injected sidecar": {
		kind:  "apps/v1 Deployment",
		want:  "spec: {template: {spec: {containers: [{name: a, image: a:1}]}}}",
		live:  "spec: {template: {spec: {containers: [{name: mesh, image: m:1}, {name: a, image: a:2}]}}}",
		patch: "spec: {template: {spec: {$setElementOrder/containers: [{name: mesh}, {name: a}], containers: [{name: a, image: a:1}]}}}",
	},
	"two ports with the same number and different protocols": {
		kind: "v1 Service",
		want: "spec: {ports: [{name: tcp, port: 53}, {name: udp, port: 53, protocol: UDP}]}",
		live: "spec: {ports: [{name: udp, port: 53, protocol: UDP, targetPort: 53}, {name: tcp, port: 53, protocol: TCP, targetPort: 53}]}",
	},
	"two ports with the same number, one changed: a strategic merge patch cannot express it": {
		kind:     "v1 Service",
		want:     "spec: {ports: [{name: tcp, port: 53, targetPort: 5353}, {name: udp, port: 53, protocol: UDP}]}",
		live:     "spec: {ports: [{name: udp, port: 53, protocol: UDP, targetPort: 53}, {name: tcp, port: 53, protocol: TCP, targetPort: 53}]}",
		patch:    "spec: {ports: [{name: udp, port: 53, protocol: UDP, targetPort: 53}, {name: tcp, port: 53, protocol: TCP, targetPort: 5353}]}",
		strategy: "merge",
	},
	"a port with a changed number is found by its name": {
		kind:  "v1 Service",
		want:  "spec: {ports: [{name: http, port: 80}]}",
		live:  "spec: {ports: [{name: http, port: 81, protocol: TCP}, {name: more, port: 9}]}",
		patch: "spec: {$setElementOrder/ports: [{port: 80}, {port: 9}], ports: [{name: http, port: 80, protocol: TCP}, {$patch: delete, port: 81}]}",
	},

	"a default in each element of a replaced list that only Helm has written": {
		kind: "networking.k8s.io/v1 NetworkPolicy", want: "spec: {ingress: [{ports: [{port: 80}]}]}",
		live: "{spec: {ingress: [{ports: [{port: 80, protocol: TCP}]}]}, metadata: {managedFields: [" + withFields(byHelm, "{'f:spec': {'f:ingress': {}}}") + "]}}",
	},
	"a default in each element of a replaced list that another client has written": {
		kind: "networking.k8s.io/v1 NetworkPolicy", want: "spec: {ingress: [{ports: [{port: 80}]}]}",
		live:  "{spec: {ingress: [{ports: [{port: 80, protocol: TCP}]}]}, metadata: {managedFields: [" + withFields(byKubectl, "{'f:spec': {'f:ingress': {}}}") + "]}}",
		patch: "spec: {ingress: [{ports: [{port: 80}]}]}",
	},
	"a default in each element of a replaced list without managedFields": {
		kind: "networking.k8s.io/v1 NetworkPolicy", want: "spec: {ingress: [{ports: [{port: 80}]}]}",
		live:  "spec: {ingress: [{ports: [{port: 80, protocol: TCP}]}]}",
		patch: "spec: {ingress: [{ports: [{port: 80}]}]}",
	},
	"elements that an admission plugin added to a replaced list": {
		kind: "v1 Pod", want: "spec: {tolerations: [{key: a}]}",
		live: "{spec: {tolerations: [{key: a}, {key: b}]}, metadata: {managedFields: [" + withFields(byHelm, "{'f:spec': {'f:tolerations': {}}}") + "]}}",
	},
	"a list in a custom resource is replaced": {
		kind: "example.com/v1 Zoo", want: "spec: {food: [{name: fish}]}", live: "spec: {food: [{name: fish}, {name: mouse}]}",
		patch: "spec: {food: [{name: fish}]}", strategy: "merge",
	},
	"keys that exclude each other": {
		kind: "apps/v1 Deployment", want: "spec: {strategy: {type: Recreate}}", live: "spec: {strategy: {type: RollingUpdate, rollingUpdate: {maxSurge: 1}}}",
		patch: "spec: {strategy: {$retainKeys: [type], type: Recreate, rollingUpdate: null}}",
	},
	"keys that exclude each other, one added by the API server": {
		kind: "apps/v1 Deployment", want: "spec: {strategy: {type: RollingUpdate}}", live: "spec: {strategy: {type: RollingUpdate, rollingUpdate: {maxSurge: 1}}}",
	},

	"an ignored field": {want: "data: {a: b, c: d}", live: "data: {a: x, c: d}", ignore: []string{"/data/a"}},
	"an ignored map":   {want: "data: {a: b, c: d}", live: "data: {a: x}", ignore: []string{"/data"}},
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
	"ignored fields that do not exist": {want: "data: {a: b}", live: "data: {a: x}", ignore: []string{"/spec/replicas", "/data/a/b/c", "/data/7"}, patch: "data: {a: b}"},
}

func TestCompare(t *testing.T) {
	for title, c := range comparisons {
		t.Run(title, func(t *testing.T) {
			live := object(t, c.kind, c.live)
			before := toJSONTypes(live)
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

// TestCorrectionIsComplete: a corrected object needs no further correction.
func TestCorrectionIsComplete(t *testing.T) {
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
			if patch, again, err := Compare(want, toJSONTypes(corrected), c.ignore); err != nil || again != nil {
				t.Errorf("the corrected object differs again: %s, %v", patch.Data, err)
			}
		})
	}
}

func TestFields(t *testing.T) {
	tests := map[string]struct {
		kind                       string
		live, corrected, confirmed string // confirmed is the same as corrected when it is empty
		want                       string
	}{
		"a changed value": {
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
		"a list of another length is one field": {
			live: "data: {list: [a]}", corrected: "data: {list: [a, c]}",
			want: "/data/list [a] → [a c]",
		},
		"a missing field": {
			live: "{}", corrected: "data: {a: b}",
			want: "/data <nil> → map[a:b]",
		},
		"a field that the API server sets does not count": {
			live: "{metadata: {resourceVersion: '1', generation: 1, uid: x}, status: {a: b}}", corrected: "{metadata: {resourceVersion: '2', generation: 2, uid: y}}",
		},
		"a value that the API server writes in another form does not count": {
			live: "data: {a: X, b: old}", corrected: "data: {a: x, b: new}", confirmed: "data: {a: X, b: NEW}",
			want: "/data/b old → NEW",
		},
		"a change that follows from another correction does not count": {
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
				lines = append(lines, formatField(field))
			}
			if got := strings.Join(lines, ", "); got != test.want {
				t.Errorf("want %q, got %q", test.want, got)
			}
		})
	}
}

func TestLastWriter(t *testing.T) {
	const containers = "spec: {template: {spec: {containers: [{name: a, image: x}, {name: b, image: y}]}}, finalizers: [one, two], rules: [{verbs: [get]}]}"
	tests := map[string]struct {
		live    string
		entries []string
		path    string
		want    string
	}{
		"a plain field": {
			live: "data: {a: b}", path: "/data/a",
			entries: []string{managedBy("helm", 1, "{'f:data': {'f:c': {}}}"), managedBy("kubectl", 2, "{'f:data': {'f:a': {}}}")},
			want:    "kubectl 2",
		},
		"the later of two writers": {
			live: "data: {a: b}", path: "/data/a",
			entries: []string{managedBy("helm", 3, "{'f:data': {'f:a': {}}}"), managedBy("kubectl", 2, "{'f:data': {'f:a': {}}}")},
			want:    "helm 3",
		},
		"a field in an element with a key": {
			live: containers, path: "/spec/template/spec/containers/1/image",
			entries: []string{
				managedBy("helm", 1, `{'f:spec': {'f:template': {'f:spec': {'f:containers': {'k:{"name":"a"}': {'f:image': {}}}}}}}`),
				managedBy("kubectl", 2, `{'f:spec': {'f:template': {'f:spec': {'f:containers': {'k:{"name":"b"}': {'.': {}, 'f:image': {}}}}}}}`),
			},
			want: "kubectl 2",
		},
		"a plain value in a list": {
			live: containers, path: "/spec/finalizers/1",
			entries: []string{managedBy("one", 1, `{'f:spec': {'f:finalizers': {'v:"one"': {}}}}`), managedBy("two", 2, `{'f:spec': {'f:finalizers': {'v:"two"': {}}}}`)},
			want:    "two 2",
		},
		"a field in a replaced list": {
			live: containers, path: "/spec/rules/0/verbs",
			entries: []string{managedBy("kubectl", 2, "{'f:spec': {'f:rules': {}}}")},
			want:    "kubectl 2",
		},
		"a field below the path": {
			live: containers, path: "/spec/template",
			entries: []string{managedBy("kubectl", 2, `{'f:spec': {'f:template': {'f:spec': {'f:containers': {'k:{"name":"b"}': {}}}}}}`)},
			want:    "kubectl 2",
		},
		"keys with slashes": {
			live: "metadata: {labels: {example.com/a: b}}", path: "/metadata/labels/example.com~1a",
			entries: []string{managedBy("kubectl", 2, "{'f:metadata': {'f:labels': {'f:example.com/a': {}}}}")},
			want:    "kubectl 2",
		},
		"a writer of the status does not count": {
			live: "data: {a: b}", path: "/data/a",
			entries: []string{strings.Replace(managedBy("kubelet", 2, "{'f:data': {'f:a': {}}}"), "manager:", "subresource: status, manager:", 1)},
			want:    "none",
		},
		"a removed field has no writer": {
			live: "data: {c: d}", path: "/data/a",
			entries: []string{managedBy("helm", 1, "{'f:data': {'f:c': {}}}"), managedBy("kubectl", 2, "{'f:metadata': {'f:labels': {}}}")},
			want:    "none",
		},
		"the last removed field of a map has no writer": {
			live: "data: {}", path: "/data/a",
			entries: []string{managedBy("helm", 1, "{'f:data': {}}")},
			want:    "none",
		},
		"no managedFields": {live: "data: {a: b}", path: "/data/a", want: "none"},
	}
	for title, test := range tests {
		t.Run(title, func(t *testing.T) {
			live := object(t, "", test.live)
			live["metadata"].(map[string]any)["managedFields"] = decode(t, "["+strings.Join(test.entries, ", ")+"]")
			managed := &managedFields{live: live}
			manager, since := managed.lastWriter(splitPointer(test.path))
			got := "none"
			if manager != "" {
				got = manager + " " + since.Format("5")
			}
			if got != test.want {
				t.Errorf("want %s, got %s", test.want, got)
			}
		})
	}
}

// managedBy is an entry of managedFields with a time in seconds.
func managedBy(manager string, second int, fields string) string {
	return "{manager: " + manager + ", operation: Update, time: '2026-01-01T00:00:0" + string(rune('0'+second)) + "Z', fieldsType: FieldsV1, fieldsV1: " + fields + "}"
}

func formatField(field release.Field) string {
	return strings.TrimSpace(strings.Join([]string{field.Path, text(field.Live), "→", text(field.Want)}, " "))
}
