{{/* The namespace where the agent keeps what is its own. */}}
{{- define "helmfile-agent.ownNamespace" -}}
{{- (include "helmfile-agent.config" . | fromYaml).namespace | default .Release.Namespace -}}
{{- end -}}

{{/* The namespaces where releases live, as a list under the key namespaces: the agent's own is the first. */}}
{{- define "helmfile-agent.namespaces" -}}
{{- toYaml (dict "namespaces" (prepend (.Values.rbac.namespaces | default list) (include "helmfile-agent.ownNamespace" .) | uniq)) -}}
{{- end -}}

{{/* The rules for a namespace: root, and own, whether it is the agent's own. */}}
{{- define "helmfile-agent.rules" -}}
{{- $instance := include "helmfile-agent.instance" .root -}}
# Helm's records
- apiGroups: [""]
  resources: [secrets]
  verbs: [get, list, create, update, patch, delete]
# what tells of a run
- apiGroups: [""]
  resources: [events]
  verbs: [create]
{{- if .own }}
# the agent's memory, and the Lease that lets one run at a time: what is created has no name yet
- apiGroups: [""]
  resources: [configmaps]
  verbs: [create]
- apiGroups: [""]
  resources: [configmaps]
  resourceNames: [{{ printf "%s-memory" $instance | toYaml }}]
  verbs: [get, update, delete]
- apiGroups: [coordination.k8s.io]
  resources: [leases]
  verbs: [create]
- apiGroups: [coordination.k8s.io]
  resources: [leases]
  resourceNames: [{{ toYaml $instance }}]
  verbs: [get, update, delete]
{{- end }}
# what Helm looks at while it waits
- apiGroups: [""]
  resources: [pods]
  verbs: [list]
- apiGroups: [apps]
  resources: [replicasets]
  verbs: [list]
{{- $groups := dict }}
{{- range .root.Values.rbac.kinds }}
{{- $parts := splitn "." 2 . }}
{{- $group := $parts._1 | default "" }}
{{- $_ := set $groups $group (append (get $groups $group | default list) $parts._0) }}
{{- end }}
{{- range $group := keys $groups | sortAlpha }}
# what your charts contain
- apiGroups: [{{ $group | quote }}]
  resources: {{ get $groups $group | uniq | toJson }}
  verbs: [get, list, watch, create, update, patch, delete]
{{- end }}
{{- range .root.Values.rbac.rules }}
{{- if has "*" (concat (.verbs | default list) (.apiGroups | default list) (.resources | default list)) }}
{{- fail "rbac.rules holds a *: name the verbs, groups and resources, which `helmfile-agent access` prints" }}
{{- end }}
- {{ toYaml . | nindent 2 | trim }}
{{- end }}
{{- end -}}
