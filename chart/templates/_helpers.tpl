{{/* toYaml quotes names such as 123, which YAML would read as numbers. */}}

{{/* The name of the objects, at most 52 characters. A name that was cut ends with a hash, so that two long names stay different. */}}
{{- define "helmfile-agent.fullname" -}}
{{- $name := .Values.nameOverride | default .Chart.Name -}}
{{- if contains $name .Release.Name -}}
{{- $name = .Release.Name -}}
{{- else -}}
{{- $name = printf "%s-%s" .Release.Name $name -}}
{{- end -}}
{{- include "helmfile-agent.cut" (.Values.fullnameOverride | default $name) -}}
{{- end -}}

{{- define "helmfile-agent.cut" -}}
{{- if gt (len .) 52 -}}
{{- printf "%s-%s" (trunc 43 . | trimAll "-.") (sha256sum . | trunc 8) -}}
{{- else -}}
{{- . -}}
{{- end -}}
{{- end -}}

{{/* The keys of a map that are not null, as YAML. Zero and false stay. */}}
{{- define "helmfile-agent.given" -}}
{{- $given := dict -}}
{{- range $key, $value := . -}}
{{- if not (kindIs "invalid" $value) -}}
{{- $_ := set $given $key $value -}}
{{- end -}}
{{- end -}}
{{- if $given -}}
{{- toYaml $given -}}
{{- end -}}
{{- end -}}

{{- define "helmfile-agent.selectorLabels" -}}
app.kubernetes.io/name: {{ .Values.nameOverride | default .Chart.Name | trunc 63 | trimAll "-." | toYaml }}
app.kubernetes.io/instance: {{ toYaml .Release.Name }}
{{- end -}}

{{- define "helmfile-agent.labels" -}}
{{- $own := include "helmfile-agent.selectorLabels" . | fromYaml -}}
{{- $_ := set $own "helm.sh/chart" (printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimAll "-._") -}}
{{- $_ := set $own "app.kubernetes.io/managed-by" .Release.Service -}}
{{- with .Chart.AppVersion -}}
{{- $_ := set $own "app.kubernetes.io/version" (. | toString | replace "+" "_" | trunc 63 | trimAll "-._") -}}
{{- end -}}
{{- toYaml (merge $own (.Values.commonLabels | default dict)) -}}
{{- end -}}

{{/* The metadata of an object. Arguments: root and kind; optionally suffix, namespace, labels and annotations. */}}
{{- define "helmfile-agent.metadata" -}}
{{- $root := .root -}}
{{- $labels := merge (include "helmfile-agent.labels" $root | fromYaml) (.labels | default dict) -}}
{{- $annotations := deepCopy (.annotations | default dict) -}}
{{- if has .kind ($root.Values.keep | default list) -}}
{{- $_ := set $annotations "helm.sh/resource-policy" "keep" -}}
{{- end -}}
name: {{ printf "%s%s" (include "helmfile-agent.fullname" $root) (.suffix | default "") | toYaml }}
namespace: {{ .namespace | default $root.Release.Namespace | toYaml }}
labels:
  {{- toYaml $labels | nindent 2 }}
{{- with $annotations }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{- define "helmfile-agent.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- .Values.serviceAccount.name | default (include "helmfile-agent.fullname" .) -}}
{{- else -}}
{{- .Values.serviceAccount.name | default "default" -}}
{{- end -}}
{{- end -}}

{{/* The image. image.registry replaces the registry in image.repository, if there is one. It is never put before it. */}}
{{- define "helmfile-agent.image" -}}
{{- $repository := .Values.image.repository -}}
{{- with .Values.image.registry | default (.Values.global | default dict).imageRegistry -}}
{{- $parts := splitList "/" $repository -}}
{{- if and (gt (len $parts) 1) (regexMatch "[.:]|^localhost$" (first $parts)) -}}
{{- $parts = rest $parts -}}
{{- end -}}
{{- $repository = printf "%s/%s" (trimSuffix "/" .) (join "/" $parts) -}}
{{- end -}}
{{- if .Values.image.digest -}}
{{- printf "%s@%s" $repository .Values.image.digest -}}
{{- else -}}
{{- printf "%s:%s" $repository (.Values.image.tag | default .Chart.AppVersion | toString) -}}
{{- end -}}
{{- end -}}
