//go:build linux

package node

// Entries that tests declare and remove.
const (
	web     = "- {name: web, chart: ./chart}\n"
	webRed  = "- {name: web, chart: ./chart, values: [{color: red}]}\n"
	db      = "- {name: db, chart: ./chart}\n"
	cache   = "- {name: cache, chart: ./chart}\n"
	broken  = "- {name: web, chart: ./chart, values: [{broken: true}]}\n"
	refused = "- {name: web, chart: ./chart, values: [{color: [not, a, text]}]}\n"
	gated   = "- {name: gated, chart: ./chart, wait: true, timeout: 120, values: [{gate: gate}]}\n"
)

// smallChart is the chart of most releases. Its values can cause failures, and a Deployment that becomes ready only when a ConfigMap
// exists.
var smallChart = map[string]string{
	"chart/Chart.yaml": "apiVersion: v2\nname: small\nversion: 1.0.0\n",
	"chart/templates/all.yaml": `{{ if .Values.broken }}{{ fail "broken on purpose" }}{{ end }}
apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ .Release.Name }}
data:
  color: {{ .Values.color | default "blue" | toJson }}
{{ with .Values.gate }}
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ $.Release.Name }}
spec:
  selector:
    matchLabels: {app: {{ $.Release.Name }}}
  template:
    metadata:
      labels: {app: {{ $.Release.Name }}}
    spec:
      automountServiceAccountToken: false
      securityContext: {runAsNonRoot: true, runAsUser: 65535, seccompProfile: {type: RuntimeDefault}}
      terminationGracePeriodSeconds: 1
      containers:
      - name: app
        image: pause.e2e/pause:1
        securityContext: {allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}
        envFrom: [{configMapRef: {name: {{ . }}}}]
{{ end }}
`,
}
