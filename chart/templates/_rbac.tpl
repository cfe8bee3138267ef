{{/* The namespace where the agent keeps what is its own. */}}
{{- define "helmfile-agent.ownNamespace" -}}
{{- (include "helmfile-agent.config" . | fromYaml).namespace | default .Release.Namespace -}}
{{- end -}}

{{/* The namespaces that get a Role or a RoleBinding, as a list under the key namespaces: the agent's own is the first. */}}
{{- define "helmfile-agent.namespaces" -}}
{{- toYaml (dict "namespaces" (prepend (.Values.rbac.namespaces | default list) (include "helmfile-agent.ownNamespace" .) | uniq)) -}}
{{- end -}}

{{/* Whether releases live in the agent's own namespace: empty if not. */}}
{{- define "helmfile-agent.ownReleases" -}}
{{- $rbac := .Values.rbac -}}
{{- $own := include "helmfile-agent.ownNamespace" . -}}
{{- if $rbac.releasesInOwnNamespace -}}
true
{{- else if ne $rbac.mode "role" -}}
{{- fail (printf "rbac.releasesInOwnNamespace is false, but rbac.mode is %s: a Role is made only with rbac.mode=role" $rbac.mode) -}}
{{- else if not (without ($rbac.namespaces | default list) $own) -}}
{{- fail "rbac.releasesInOwnNamespace is false: name in rbac.namespaces where releases live" -}}
{{- else if has $own $rbac.namespaces -}}
{{- fail (printf "rbac.releasesInOwnNamespace is false, but rbac.namespaces holds the agent's own namespace %s: remove one of the two" $own) -}}
{{- end -}}
{{- end -}}

{{/* The rules for a namespace: root; own, whether it is the agent's own; releases, whether releases live there. The README's
table of rights says the same, and a test compares them. */}}
{{- define "helmfile-agent.rules" -}}
# Events that report a run
- apiGroups: [""]
  resources: [events]
  verbs: [create]
{{- if .own }}
{{- include "helmfile-agent.ownRules" .root }}
{{- end }}
{{- if .releases }}
{{- include "helmfile-agent.releaseRules" .root }}
{{- else }}
# Helm's records: the agent looks for releases that are no longer declared
- apiGroups: [""]
  resources: [secrets]
  verbs: [get, list]
{{- end }}
{{- end -}}

{{/* The rules for the agent's own objects. */}}
{{- define "helmfile-agent.ownRules" -}}
{{- $instance := include "helmfile-agent.instance" . }}
# the agent's state and its Lease: a Role cannot grant create for a name. Only `destroy` deletes them.
- apiGroups: [""]
  resources: [configmaps]
  verbs: [create]
- apiGroups: [""]
  resources: [configmaps]
  resourceNames: [{{ printf "%s-state" $instance | toYaml }}]
  verbs: [get, update, delete]
- apiGroups: [coordination.k8s.io]
  resources: [leases]
  verbs: [create]
- apiGroups: [coordination.k8s.io]
  resources: [leases]
  resourceNames: [{{ toYaml $instance }}]
  verbs: [get, update, delete]
{{- end -}}

{{/* The rules for releases and their objects. */}}
{{- define "helmfile-agent.releaseRules" -}}
{{- $kinds := .Values.rbac.kinds | default list }}
# Helm's records: Helm finds them by their labels, and each revision has a new name. So a Role cannot name them.
- apiGroups: [""]
  resources: [secrets]
  verbs: [get, list, create, update, patch, delete]
{{- $groups := dict }}
{{- range $kinds }}
{{- $parts := splitn "." 2 . }}
{{- $group := $parts._1 | default "" }}
{{- $_ := set $groups $group (append (get $groups $group | default list) $parts._0) }}
{{- end }}
{{- range $group := keys $groups | sortAlpha }}
# the objects of your charts
- apiGroups: [{{ $group | quote }}]
  resources: {{ get $groups $group | uniq | toJson }}
  verbs: [get, list, create, patch, delete]
{{- end }}
{{- include "helmfile-agent.waitRules" $kinds }}
{{- range .Values.rbac.rules }}
{{- if has "*" (concat (.verbs | default list) (.apiGroups | default list) (.resources | default list)) }}
{{- fail "rbac.rules holds a *: name the verbs, groups and resources, which `helmfile-agent access` prints" }}
{{- end }}
- {{ toYaml . | nindent 2 | trim }}
{{- end }}
{{- end -}}

{{/* What Helm reads while it waits for objects of these kinds, and what the agent reads to find their drift. */}}
{{- define "helmfile-agent.waitRules" -}}
{{- if has "pods" . }}
# Helm watches hooks that are Pods until they complete
- apiGroups: [""]
  resources: [pods]
  verbs: [watch]
{{- end }}
{{- if has "jobs.batch" . }}
# Helm watches hooks that are Jobs until they complete
- apiGroups: [batch]
  resources: [jobs]
  verbs: [watch]
{{- end }}
{{- if has "deployments.apps" . }}
# Helm waits for the newest ReplicaSet of a Deployment
- apiGroups: [apps]
  resources: [replicasets]
  verbs: [list]
{{- end }}
{{- if or (has "deployments.apps" .) (has "statefulsets.apps" .) (has "replicasets.apps" .) (has "replicationcontrollers" .) }}
# replicas that an autoscaler manages are no drift
- apiGroups: [autoscaling]
  resources: [horizontalpodautoscalers]
  verbs: [list]
{{- end }}
{{- if or (has "replicasets.apps" .) (has "replicationcontrollers" .) }}
# Helm waits for the Pods of a ReplicaSet or a ReplicationController
- apiGroups: [""]
  resources: [pods]
  verbs: [list]
{{- end }}
{{- end -}}
