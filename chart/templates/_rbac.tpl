{{/* The namespace of the agent's own objects: its state, its Lease and its Events. */}}
{{- define "helmfile-agent.ownNamespace" -}}
{{- (include "helmfile-agent.config" . | fromYaml).namespace | default .Release.Namespace -}}
{{- end -}}

{{/* The namespaces that get a Role or a RoleBinding, as a list under the key namespaces. The agent's own is the first. */}}
{{- define "helmfile-agent.namespaces" -}}
{{- toYaml (dict "namespaces" (prepend (.Values.rbac.namespaces | default list) (include "helmfile-agent.ownNamespace" .) | uniq)) -}}
{{- end -}}

{{/* Whether the agent's own namespace has releases: "true" or empty. */}}
{{- define "helmfile-agent.ownReleases" -}}
{{- $rbac := .Values.rbac -}}
{{- $own := include "helmfile-agent.ownNamespace" . -}}
{{- if $rbac.releasesInOwnNamespace -}}
true
{{- else if ne $rbac.mode "role" -}}
{{- fail (printf "rbac.releasesInOwnNamespace is false, but rbac.mode is %s: set rbac.mode to role, because the other modes create no Role" $rbac.mode) -}}
{{- else if not (without ($rbac.namespaces | default list) $own) -}}
{{- fail "rbac.releasesInOwnNamespace is false, but rbac.namespaces names no other namespace: name the namespaces of the releases there" -}}
{{- else if has $own $rbac.namespaces -}}
{{- fail (printf "rbac.releasesInOwnNamespace is false, but rbac.namespaces contains the agent's own namespace %s: remove one of the two" $own) -}}
{{- end -}}
{{- end -}}

{{/* The rules for one namespace. Arguments: root; own, whether it is the agent's own namespace; releases, whether it has releases.
A test compares these rules with the README's table of rights. */}}
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
# Helm's records, to find releases that are no longer declared
- apiGroups: [""]
  resources: [secrets]
  verbs: [get, list]
{{- end }}
{{- end -}}

{{/* The rules for the agent's own objects. */}}
{{- define "helmfile-agent.ownRules" -}}
{{- $instance := include "helmfile-agent.instance" . }}
# The agent's state and its Lease. A Role cannot restrict create to a name. Only `destroy` deletes them.
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
# optional: whether the pod of a run that holds the Lease has ended. Without it the next run waits up to two minutes.
- apiGroups: [""]
  resources: [pods]
  verbs: [get]
{{- end -}}

{{/* The rules for releases and their objects. */}}
{{- define "helmfile-agent.releaseRules" -}}
{{- $kinds := .Values.rbac.kinds | default list }}
# Helm's records. Each revision is a new Secret with a new name, so a Role cannot name them.
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
# The objects of your charts
- apiGroups: [{{ $group | quote }}]
  resources: {{ get $groups $group | uniq | toJson }}
  verbs: [get, list, create, patch, delete]
{{- end }}
{{- include "helmfile-agent.waitRules" $kinds }}
{{- range .Values.rbac.rules }}
{{- if has "*" (concat (.verbs | default list) (.apiGroups | default list) (.resources | default list)) }}
{{- fail "rbac.rules contains a *: name the verbs, groups and resources instead; `helmfile-agent access` prints them" }}
{{- end }}
- {{ toYaml . | nindent 2 | trim }}
{{- end }}
{{- end -}}

{{/* Objects that Helm reads while it waits for objects of these kinds, and objects that the agent reads to compare them. */}}
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
# The agent does not correct replicas that an autoscaler manages
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
