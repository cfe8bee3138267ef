package e2e

// The objects of the incidents.
const (
	theConfigMap   = "configmaps/shop"
	tolerantMap    = "configmaps/tolerant"
	freeMap        = "configmaps/free"
	watchedMap     = "configmaps/watched"
	theSecret      = "secrets/shop"
	theService     = "services/shop"
	theDeployment  = "deployments.v1.apps/shop"
	scaledOne      = "deployments.v1.apps/scaled"
	theStatefulSet = "statefulsets.v1.apps/shop"
	theJob         = "jobs.v1.batch/shop"
	passingJob     = "jobs.v1.batch/passing"
	theCronJob     = "cronjobs.v1.batch/shop"
	theRole        = "roles.v1.rbac.authorization.k8s.io/shop"
	theBinding     = "rolebindings.v1.rbac.authorization.k8s.io/shop"
	theBudget      = "poddisruptionbudgets.v1.policy/shop"
	thePolicy      = "networkpolicies.v1.networking.k8s.io/shop"
	theIngress     = "ingresses.v1.networking.k8s.io/shop"
	firstContainer = "/spec/template/spec/containers/0"
)

var incidents = map[string]incident{
	// ConfigMaps, labels and annotations, by every kind of edit.
	"data changed by a merge patch": {
		edit: merge(theConfigMap, `{data: {color: red}}`),
		why:  []string{"drift: ConfigMap/shop: /data/color by kubectl-patch"},
		live: []string{theConfigMap + " /data/color: blue"},
	},
	"data changed by a JSON patch": {
		edit: jsonPatch(theConfigMap, `[{op: replace, path: /data/color, value: red}]`),
		why:  []string{"ConfigMap/shop: /data/color by kubectl-patch"},
		live: []string{theConfigMap + " /data/color: blue"},
	},
	"data changed by an update of the whole object": {
		edit: update(theConfigMap, set("red", "data", "color")),
		why:  []string{"ConfigMap/shop: /data/color by kubectl-edit"},
		live: []string{theConfigMap + " /data/color: blue"},
	},
	"data taken over by server-side apply": {
		edit: serverSide(theConfigMap, `{data: {color: red, extra: kept}}`),
		why:  []string{"ConfigMap/shop: /data/color by another-controller"},
		live: []string{theConfigMap + " /data/color: blue", theConfigMap + " /data/extra: kept"},
	},
	"a key removed": {
		edit: jsonPatch(theConfigMap, `[{op: remove, path: /data/color}]`),
		why:  []string{"drift: ConfigMap/shop: /data "},
		live: []string{theConfigMap + " /data/color: blue"},
	},
	"a key added": {
		edit:    merge(theConfigMap, `{data: {extra: kept}}`),
		verdict: unchanged,
		live:    []string{theConfigMap + " /data/extra: kept"},
	},
	"all data removed": {
		edit: merge(theConfigMap, `{data: null, binaryData: null}`),
		why:  []string{"ConfigMap/shop: /binaryData", "/data"},
		live: []string{theConfigMap + " /data/color: blue", theConfigMap + " /binaryData/blob: AAEC"},
	},
	"binary data changed": {
		edit: merge(theConfigMap, `{binaryData: {blob: AAAA}}`),
		why:  []string{"ConfigMap/shop: /binaryData/blob by kubectl-patch"},
		live: []string{theConfigMap + " /binaryData/blob: AAEC"},
	},
	"a label changed, another removed, a third added": {
		edit: merge(theConfigMap, `{metadata: {labels: {app: other, tier: null, mine: kept}}}`),
		why:  []string{"/metadata/labels/app by kubectl-patch", "/metadata/labels/tier"},
		live: []string{theConfigMap + " /metadata/labels/app: shop", theConfigMap + " /metadata/labels/tier: front", theConfigMap + " /metadata/labels/mine: kept"},
	},
	"a label added": {
		edit:    merge(theConfigMap, `{metadata: {labels: {mine: kept}}}`),
		verdict: unchanged,
		live:    []string{theConfigMap + " /metadata/labels/mine: kept"},
	},
	"an annotation changed": {
		edit: merge(theConfigMap, `{metadata: {annotations: {team: blue}}}`),
		why:  []string{"/metadata/annotations/team by kubectl-patch"},
		live: []string{theConfigMap + " /metadata/annotations/team: red"},
	},
	"an annotation with a slash changed": {
		edit: merge(theConfigMap, `{metadata: {annotations: {example.com/team: blue}}}`),
		why:  []string{"/metadata/annotations/example.com~1team by kubectl-patch"},
		live: []string{theConfigMap + " /metadata/annotations/example.com~1team: red"},
	},
	"an annotation added": {
		edit:    merge(theConfigMap, `{metadata: {annotations: {mine: kept}}}`),
		verdict: unchanged,
		live:    []string{theConfigMap + " /metadata/annotations/mine: kept"},
	},
	"Helm's marks of ownership removed": {
		edit:    merge(theConfigMap, `{metadata: {labels: {app.kubernetes.io/managed-by: null}, annotations: {meta.helm.sh/release-name: null}}}`),
		verdict: drifted,
		why: []string{"/metadata/annotations/meta.helm.sh~1release-name", "/metadata/labels/app.kubernetes.io~1managed-by",
			"(not corrected: it does not have Helm's annotations of this release)"},
		live: []string{theConfigMap + " /metadata/labels/app.kubernetes.io~1managed-by", theConfigMap + " /metadata/annotations/meta.helm.sh~1release-name"},
	},
	"a finalizer added": {
		edit:    merge(theConfigMap, `{metadata: {finalizers: [example.com/kept]}}`),
		verdict: unchanged,
	},

	// Deleted objects.
	"a ConfigMap deleted": {
		edit: removed(theConfigMap),
		why:  []string{"drift: ConfigMap/shop is missing"},
		live: []string{
			theConfigMap + " /data/color: blue", theConfigMap + " /metadata/labels/app.kubernetes.io~1managed-by: Helm",
			theConfigMap + " /metadata/annotations/meta.helm.sh~1release-name: shop",
		},
	},
	"a Service and a Deployment deleted": {
		edit: all(removed(theService), removed(theDeployment)),
		why:  []string{"Deployment/shop is missing", "Service/shop is missing"},
		live: []string{theService + " /spec/ports/0/port: 80", theDeployment + " /spec/replicas: 1"},
	},
	"a Secret deleted": {
		edit: removed(theSecret),
		why:  []string{"Secret/shop is missing"},
		live: []string{theSecret + " /data/password: c2VzYW1l", theSecret + " /data/user: YWRtaW4="},
	},
	"deleted, but still finalizing": {
		edit:    all(merge(theConfigMap, `{metadata: {finalizers: [example.com/stay]}, data: {color: red}}`), removed(theConfigMap)),
		verdict: unchanged,
		live:    []string{theConfigMap + " /data/color: red"},
	},
	"a finished Job that Kubernetes deletes": {
		edit:    removed(passingJob),
		verdict: unchanged,
	},
	"a Job deleted": {
		edit: removed(theJob),
		why:  []string{"Job/shop is missing"},
		live: []string{theJob + " /spec/suspend: true"},
	},

	// Secrets.
	"a Secret's data changed": {
		edit: merge(theSecret, `{data: {password: b3RoZXI=}}`),
		why:  []string{"Secret/shop: /data/password by kubectl-patch"},
		live: []string{theSecret + " /data/password: c2VzYW1l"},
	},
	"a Secret's data changed, and the chart uses stringData": {
		edit: merge(theSecret, `{stringData: {user: mallory}}`),
		why:  []string{"Secret/shop: /data/user by kubectl-patch"},
		live: []string{theSecret + " /data/user: YWRtaW4="},
	},
	"a Secret's key added": {
		edit:    merge(theSecret, `{stringData: {extra: kept}}`),
		verdict: unchanged,
		live:    []string{theSecret + " /data/extra: a2VwdA=="},
	},

	// RBAC.
	"a Role widened": {
		edit: jsonPatch(theRole, `[{op: add, path: /rules/0/verbs/-, value: delete}]`),
		why:  []string{"Role/shop: /rules/0/verbs by kubectl-patch"},
		live: []string{theRole + " /rules/0/verbs: [get]"},
	},
	"a rule added to a Role": {
		edit: jsonPatch(theRole, `[{op: add, path: /rules/-, value: {apiGroups: [""], resources: [secrets], verbs: ["*"]}}]`),
		why:  []string{"Role/shop: /rules by kubectl-patch"},
		live: []string{theRole + " /rules: [{apiGroups: [''], resources: [configmaps], verbs: [get]}]"},
	},
	"a rule of a Role narrowed by a field that the chart does not set": {
		edit: jsonPatch(theRole, `[{op: add, path: /rules/0/resourceNames, value: [one]}]`),
		why:  []string{"Role/shop: /rules/0/resourceNames by kubectl-patch"},
		live: []string{theRole + " /rules/0/resourceNames"},
	},
	"a subject added to a RoleBinding": {
		edit: jsonPatch(theBinding, `[{op: add, path: /subjects/-, value: {kind: User, name: mallory, apiGroup: rbac.authorization.k8s.io}}]`),
		why:  []string{"RoleBinding/shop: /subjects by kubectl-patch"},
		live: []string{theBinding + " /subjects/1/name: ada", theBinding + " /subjects/2"},
	},
	"a RoleBinding recreated for another Role": {
		edit:    recreated(theBinding, set("other", "roleRef", "name")),
		verdict: failed,
		why: []string{"RoleBinding/shop: /roleRef/name by kubectl-replace", "cannot change roleRef",
			"the agent never deletes what it finds", "delete the object yourself"},
		live: []string{theBinding + " /roleRef/name: other"},
	},

	// Services.
	"a port's target changed": {
		edit: strategic(theService, `{spec: {ports: [{port: 80, targetPort: 9090}]}}`),
		why:  []string{"Service/shop: /spec/ports/0/targetPort by kubectl-patch"},
		live: []string{theService + " /spec/ports/0/targetPort: 8080"},
	},
	"one of two ports with the same number changed": {
		edit: jsonPatch(theService, `[{op: replace, path: /spec/ports/1/targetPort, value: 5353}, {op: replace, path: /spec/ports/1/name, value: other}]`),
		why:  []string{"Service/shop: /spec/ports/1/name by kubectl-patch"},
		live: []string{theService + " /spec/ports/1/name: dns", theService + " /spec/ports/2/name: dns-tcp", theService + " /spec/ports/2/protocol: TCP"},
	},
	"a port added by another client": {
		edit:    jsonPatch(theService, `[{op: add, path: /spec/ports/-, value: {name: metrics, port: 9100}}]`),
		verdict: unchanged,
		live:    []string{theService + " /spec/ports/3/name: metrics"},
	},
	"a port added by another client stays when a missing port is added": {
		edit: jsonPatch(theService, `[{op: add, path: /spec/ports/-, value: {name: metrics, port: 9100}}, {op: replace, path: /spec/ports/0/port, value: 81}]`),
		why:  []string{"Service/shop: /spec/ports/0/port by kubectl-patch"},
		live: []string{theService + " /spec/ports/0/port: 80", theService + " /spec/ports/3/name: metrics"},
	},
	"a port's number changed": {
		edit: jsonPatch("services/plain", `[{op: replace, path: /spec/ports/0/port, value: 81}]`),
		why:  []string{"Service/plain: /spec/ports/0/port by kubectl-patch"},
		live: []string{"services/plain /spec/ports/0/port: 80", "services/plain /spec/ports/1"},
	},
	"a selector changed": {
		edit: merge(theService, `{spec: {selector: {app: other}}}`),
		why:  []string{"Service/shop: /spec/selector/app by kubectl-patch"},
		live: []string{theService + " /spec/selector/app: shop"},
	},
	"a type changed": {
		edit: merge(theService, `{spec: {type: NodePort}}`),
		why:  []string{"drift: Service/shop: /spec/type by kubectl-patch "},
		live: []string{theService + " /spec/type: ClusterIP"},
	},

	// Workloads.
	"an image changed": {
		edit: strategic(theDeployment, `{spec: {template: {spec: {containers: [{name: shop, image: "registry.example.com/shop:2"}]}}}}`),
		why:  []string{"Deployment/shop: " + firstContainer + "/image by kubectl-patch"},
		live: []string{theDeployment + " " + firstContainer + "/image: registry.example.com/shop:1"},
	},
	"a variable changed": {
		edit: strategic(theDeployment, `{spec: {template: {spec: {containers: [{name: shop, env: [{name: COLOR, value: red}, {name: MINE, value: kept}]}]}}}}`),
		why:  []string{"Deployment/shop: " + firstContainer + "/env", "by kubectl-patch"},
	},
	"a variable changed that the chart sets to an empty value": {
		edit: strategic(theDeployment, `{spec: {template: {spec: {containers: [{name: shop, env: [{name: DEBUG, value: "1"}]}]}}}}`),
		why:  []string{"Deployment/shop: " + firstContainer + "/env/1/value by kubectl-patch"},
		live: []string{theDeployment + " " + firstContainer + "/env/1/value"},
	},
	"resources changed": {
		edit: strategic(theDeployment, `{spec: {template: {spec: {containers: [{name: shop, resources: {requests: {cpu: "2"}}}]}}}}`),
		why:  []string{firstContainer + "/resources/requests/cpu by kubectl-patch"},
		live: []string{theDeployment + " " + firstContainer + "/resources/requests/cpu: 500m"},
	},
	"a quantity in another form": {
		edit:    strategic(theDeployment, `{spec: {template: {spec: {containers: [{name: shop, resources: {requests: {cpu: "0.500", memory: 1073741824}}}]}}}}`),
		verdict: unchanged,
	},
	"a limit added that the chart does not set": {
		edit:    strategic(theDeployment, `{spec: {template: {spec: {containers: [{name: shop, resources: {limits: {cpu: "2"}}}]}}}}`),
		verdict: unchanged,
		live:    []string{theDeployment + " " + firstContainer + `/resources/limits/cpu: "2"`},
	},
	"a default written explicitly": {
		edit:    merge(theDeployment, `{spec: {progressDeadlineSeconds: 600, strategy: {type: RollingUpdate}}}`),
		verdict: unchanged,
	},
	"a default changed by hand": {
		edit:    merge(theDeployment, `{spec: {progressDeadlineSeconds: 7}}`),
		verdict: unchanged,
		live:    []string{theDeployment + " /spec/progressDeadlineSeconds: 7"},
	},
	"a sidecar injected": {
		edit:    strategic(theDeployment, `{spec: {template: {spec: {containers: [{name: mesh, image: "registry.example.com/mesh:1"}]}}}}`),
		verdict: unchanged,
	},
	"a container removed": {
		edit: jsonPatch(theDeployment, `[{op: remove, path: /spec/template/spec/containers/1}]`),
		why:  []string{"Deployment/shop: /spec/template/spec/containers"},
		live: []string{theDeployment + " /spec/template/spec/containers/1/name: proxy"},
	},
	"scaled by hand": {
		edit: scale(theDeployment, 3),
		why:  []string{"Deployment/shop: /spec/replicas by "},
		live: []string{theDeployment + " /spec/replicas: 1"},
	},
	"scaled by an autoscaler": {
		edit:    scale(scaledOne, 4),
		verdict: unchanged,
		live:    []string{scaledOne + " /spec/replicas: 4"},
	},
	"scaled by an autoscaler, and its image changed": {
		edit: all(scale(scaledOne, 4), jsonPatch(scaledOne, `[{op: replace, path: `+firstContainer+`/image, value: other}]`)),
		why:  []string{"Deployment/scaled: " + firstContainer + "/image by kubectl-patch"},
		live: []string{scaledOne + " /spec/replicas: 4", scaledOne + " " + firstContainer + "/image: registry.example.com/scaled:1"},
	},
	"the autoscaler deleted and the replicas changed": {
		edit: all(removed("horizontalpodautoscalers.v2.autoscaling/scaled"), scale(scaledOne, 4)),
		why:  []string{"HorizontalPodAutoscaler/scaled is missing", "Deployment/scaled: /spec/replicas"},
		live: []string{scaledOne + " /spec/replicas: 2"},
	},
	"status edited": {
		edit:    status(theDeployment, `{observedGeneration: 99}`),
		verdict: unchanged,
	},
	"a CronJob suspended by hand": {
		edit: merge(theCronJob, `{spec: {suspend: true}}`),
		why:  []string{"CronJob/shop: /spec/suspend by kubectl-patch"},
		live: []string{theCronJob + " /spec/suspend: false"},
	},
	"a Job recreated with another template": {
		edit: recreated(theJob, func(object map[string]any) {
			delete(object["metadata"].(map[string]any), "labels")
			object["spec"] = map[string]any{"suspend": true, "template": map[string]any{"spec": map[string]any{
				"restartPolicy": "Never", "containers": []any{map[string]any{"name": "job", "image": "registry.example.com/job:2"}},
			}}}
		}),
		verdict: failed,
		why:     []string{"Job/shop: ", firstContainer + "/image by kubectl-replace", "field is immutable", "the agent never deletes what it finds"},
		live:    []string{theJob + " " + firstContainer + "/image: registry.example.com/job:2"},
	},
	"a StatefulSet recreated with other immutable fields": {
		edit:    recreated(theStatefulSet, set("other", "spec", "serviceName")),
		verdict: failed,
		why:     []string{"StatefulSet/shop: /spec/serviceName by kubectl-replace", "Forbidden: updates to statefulset spec", "the agent never deletes what it finds"},
		live:    []string{theStatefulSet + " /spec/serviceName: other"},
	},
	"one object cannot be corrected, but another one is": {
		edit:    all(recreated(theStatefulSet, set("other", "spec", "serviceName")), merge(theConfigMap, `{data: {color: red}}`)),
		verdict: failed,
		why:     []string{"correct StatefulSet/shop: "},
		live:    []string{theConfigMap + " /data/color: blue", theStatefulSet + " /spec/serviceName: other"},
	},

	// Policies and traffic.
	"a PodDisruptionBudget changed": {
		edit: merge(theBudget, `{spec: {maxUnavailable: 100%}}`),
		why:  []string{"PodDisruptionBudget/shop: /spec/maxUnavailable by kubectl-patch"},
		live: []string{theBudget + " /spec/maxUnavailable: 50%"},
	},
	"a NetworkPolicy opened": {
		edit: jsonPatch(thePolicy, `[{op: add, path: /spec/ingress/0/from/0/namespaceSelector, value: {}}]`),
		why:  []string{"NetworkPolicy/shop: /spec/ingress/0/from/0/namespaceSelector by kubectl-patch"},
		live: []string{thePolicy + " /spec/ingress/0/from/0/namespaceSelector", thePolicy + " /spec/ingress/0/ports/0/protocol: TCP"},
	},
	"a rule added to a NetworkPolicy": {
		edit: jsonPatch(thePolicy, `[{op: add, path: /spec/ingress/-, value: {}}]`),
		why:  []string{"NetworkPolicy/shop: /spec/ingress by kubectl-patch"},
		live: []string{thePolicy + " /spec/ingress/1"},
	},
	"an Ingress's host changed": {
		edit: jsonPatch(theIngress, `[{op: replace, path: /spec/rules/0/host, value: evil.example.com}]`),
		why:  []string{"Ingress/shop: /spec/rules/0/host by kubectl-patch"},
		live: []string{theIngress + " /spec/rules/0/host: shop.example.com"},
	},
	"an Ingress's certificates added by a controller": {
		edit:    merge(theIngress, `{spec: {tls: [{hosts: [shop.example.com], secretName: tls}]}}`),
		verdict: unchanged,
		live:    []string{theIngress + " /spec/tls/0/secretName: tls"},
	},

	// Fields and objects that may differ.
	"a field ignored by a rule for everything": {
		edit:    merge(theConfigMap, `{data: {color: red}}`),
		flags:   []string{"--drift-ignore", "*:/data/color"},
		verdict: unchanged,
		live:    []string{theConfigMap + " /data/color: red"},
	},
	"a field ignored by a rule for one object, and another that is not": {
		edit:  all(merge(theDeployment, `{spec: {replicas: 3}}`), merge(scaledOne, `{spec: {template: {spec: {containers: [{name: scaled, image: other}]}}}}`)),
		flags: []string{"--drift-ignore", "Deployment.apps/shop:/spec/replicas"},
		why:   []string{"drift: Deployment/scaled: " + firstContainer + "/image"},
		live:  []string{theDeployment + " /spec/replicas: 3", scaledOne + " " + firstContainer + "/image: registry.example.com/scaled:1"},
	},
	"an ignored field in an element of a list": {
		edit:    strategic(theDeployment, `{spec: {template: {spec: {containers: [{name: shop, image: other}]}}}}`),
		flags:   []string{"--drift-ignore", "Deployment/shop:" + firstContainer + "/image"},
		verdict: unchanged,
	},
	"a whole part of an object ignored": {
		edit:    merge(theConfigMap, `{data: {color: red}, metadata: {labels: {tier: null}}}`),
		flags:   []string{"--drift-ignore", "ConfigMap:/data,/metadata/labels/tier"},
		verdict: unchanged,
	},
	"a rule for another kind": {
		edit:  merge(theConfigMap, `{data: {color: red}}`),
		flags: []string{"--drift-ignore", "Secret:/data/color", "--drift-ignore", "ConfigMap/elsewhere/shop:/data/color", "--drift-ignore", "ConfigMap.apps:/data"},
		why:   []string{"ConfigMap/shop: /data/color"},
	},
	"a field ignored by the chart's annotation": {
		edit:    merge(tolerantMap, `{data: {color: red}, metadata: {labels: {team: blue}}}`),
		verdict: unchanged,
		live:    []string{tolerantMap + " /data/color: red"},
	},
	"one field is ignored, another is not": {
		edit: merge(tolerantMap, `{data: {color: red, shape: square}}`),
		why:  []string{"drift: ConfigMap/tolerant: /data/shape by kubectl-patch"},
		live: []string{tolerantMap + " /data/color: red", tolerantMap + " /data/shape: round"},
	},
	"a field ignored by an annotation of the live object": {
		edit:    merge(theConfigMap, `{data: {color: red}, metadata: {annotations: {helmfile-agent.github.io/drift-ignore: /data/color}}}`),
		verdict: unchanged,
		live:    []string{theConfigMap + " /data/color: red"},
	},
	"an object with the chart's annotation off": {
		edit:    merge(freeMap, `{data: {color: red}}`),
		verdict: unchanged,
	},
	"an object with the chart's annotation off, deleted": {
		edit:    removed(freeMap),
		verdict: unchanged,
	},
	"an object with a live annotation off": {
		edit:    merge(theConfigMap, `{data: {color: red}, metadata: {annotations: {helmfile-agent.github.io/drift: "off"}}}`),
		verdict: unchanged,
	},
	"an object with the annotation warn": {
		edit:    merge(watchedMap, `{data: {color: red}}`),
		verdict: drifted,
		why:     []string{"drift: ConfigMap/watched: /data/color by kubectl-patch"},
		live:    []string{watchedMap + " /data/color: red"},
	},
	"drift that is only reported": {
		edit:    all(merge(theConfigMap, `{data: {color: red}}`), removed(theSecret)),
		flags:   []string{"--drift", "warn"},
		verdict: drifted,
		why:     []string{"ConfigMap/shop: /data/color by kubectl-patch", "Secret/shop is missing"},
		live:    []string{theConfigMap + " /data/color: red"},
	},
}
