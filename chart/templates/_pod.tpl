{{/* The spec of a pod that runs the agent. Arguments: root, command and restartPolicy. */}}
{{- define "helmfile-agent.pod" -}}
{{- $values := .root.Values -}}
{{- $dir := include "helmfile-agent.configDir" .root -}}
{{- $ssh := include "helmfile-agent.ssh" .root -}}
{{- $gitFiles := include "helmfile-agent.gitFiles" .root -}}
restartPolicy: {{ .restartPolicy }}
serviceAccountName: {{ include "helmfile-agent.serviceAccountName" .root | toYaml }}
automountServiceAccountToken: false # the pod mounts the volume token instead
enableServiceLinks: false
{{- with include "helmfile-agent.given" (dict
  "terminationGracePeriodSeconds" $values.terminationGracePeriodSeconds
  "imagePullSecrets" ($values.imagePullSecrets | default nil)
  "initContainers" ($values.initContainers | default nil)
  "nodeSelector" ($values.nodeSelector | default nil)
  "tolerations" ($values.tolerations | default nil)
  "affinity" ($values.affinity | default nil)
  "topologySpreadConstraints" ($values.topologySpreadConstraints | default nil)
  "priorityClassName" ($values.priorityClassName | default nil)) }}
{{ . }}
{{- end }}
{{- with include "helmfile-agent.given" ($values.podSecurityContext | default dict) }}
securityContext:
  {{- . | nindent 2 }}
{{- end }}
containers:
  - name: agent
    image: {{ include "helmfile-agent.image" .root | quote }}
    {{- with $values.image.pullPolicy }}
    imagePullPolicy: {{ . }}
    {{- end }}
    args:
      - {{ .command }}
      - --config={{ $dir }}/config/agent.yaml
      {{- if and (eq .command "diff") ($values.config | default dict).detailedExitcode }}
      - --detailed-exitcode
      {{- end }}
      {{- with $values.extraArgs }}
      {{- toYaml . | nindent 6 }}
      {{- end }}
    env:
      - name: HOME
        value: /tmp
      - name: TMPDIR
        value: /tmp
      {{- if $values.registry.existingSecret }}
      - name: HELM_REGISTRY_CONFIG
        value: {{ $dir }}/registry/config.json
      {{- end }}
      {{- if $values.git.existingSecret }}
      {{- with $values.git.usernameKey }}
      - name: HELMFILE_AGENT_GIT_USERNAME
        valueFrom:
          secretKeyRef:
            name: {{ toYaml $values.git.existingSecret }}
            key: {{ toYaml . }}
            optional: true
      {{- end }}
      {{- with $values.git.passwordKey }}
      - name: HELMFILE_AGENT_GIT_PASSWORD
        valueFrom:
          secretKeyRef:
            name: {{ toYaml $values.git.existingSecret }}
            key: {{ toYaml . }}
            {{- if $ssh }}
            optional: true
            {{- end }}
      {{- end }}
      {{- end }}
      {{- with $values.extraEnv }}
      {{- toYaml . | nindent 6 }}
      {{- end }}
    {{- with $values.extraEnvFrom }}
    envFrom:
      {{- toYaml . | nindent 6 }}
    {{- end }}
    terminationMessagePolicy: FallbackToLogsOnError
    {{- with include "helmfile-agent.given" ($values.resources | default dict) }}
    resources:
      {{- . | nindent 6 }}
    {{- end }}
    {{- with include "helmfile-agent.given" ($values.securityContext | default dict) }}
    securityContext:
      {{- . | nindent 6 }}
    {{- end }}
    volumeMounts:
      - name: tmp
        mountPath: /tmp
      - name: token
        mountPath: /var/run/secrets/kubernetes.io/serviceaccount
        readOnly: true
      - name: config
        mountPath: {{ $dir }}/config
        readOnly: true
      {{- if $gitFiles }}
      - name: git
        mountPath: {{ $dir }}/git
        readOnly: true
      {{- end }}
      {{- if $values.sops.existingSecret }}
      - name: sops
        mountPath: {{ $dir }}/sops
        readOnly: true
      {{- end }}
      {{- if $values.registry.existingSecret }}
      - name: registry
        mountPath: {{ $dir }}/registry
        readOnly: true
      {{- end }}
      {{- with $values.extraVolumeMounts }}
      {{- toYaml . | nindent 6 }}
      {{- end }}
volumes:
  - name: tmp
    emptyDir:
      {{- include "helmfile-agent.given" (dict "medium" ($values.tmp.medium | default "") "sizeLimit" $values.tmp.sizeLimit) | nindent 6 }}
  # The token that Kubernetes mounts by default is valid for a year. This one expires after expirationSeconds, and the kubelet
  # renews it before that.
  - name: token
    projected:
      sources:
        - serviceAccountToken:
            path: token
            expirationSeconds: {{ $values.serviceAccount.tokenExpirationSeconds | int64 }}
        - configMap:
            name: kube-root-ca.crt
            items:
              - key: ca.crt
                path: ca.crt
        - downwardAPI:
            items:
              - path: namespace
                fieldRef:
                  apiVersion: v1
                  fieldPath: metadata.namespace
  - name: config
    configMap:
      name: {{ include "helmfile-agent.fullname" .root }}-config
  {{- /* What is missing in a Secret, the agent names; a pod that waits for it says less. */}}
  {{- if $gitFiles }}
  - name: git
    secret:
      secretName: {{ toYaml $values.git.existingSecret }}
      optional: true
      items:
        {{- $gitFiles | nindent 8 }}
  {{- end }}
  {{- with $values.sops.existingSecret }}
  - name: sops
    secret:
      secretName: {{ toYaml . }}
      optional: true
  {{- end }}
  {{- with $values.registry.existingSecret }}
  - name: registry
    secret:
      secretName: {{ toYaml . }}
      optional: true
      items:
        - key: .dockerconfigjson
          path: config.json
  {{- end }}
  {{- with $values.extraVolumes }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end -}}

{{/* The keys of the Git Secret that the pod mounts as files. */}}
{{- define "helmfile-agent.gitFiles" -}}
{{- $git := .Values.git -}}
{{- if $git.existingSecret -}}
{{- if include "helmfile-agent.ssh" . }}
- key: {{ toYaml $git.identityKey }}
  path: identity
- key: {{ toYaml $git.knownHostsKey }}
  path: known_hosts
{{- end }}
{{- with $git.caKey }}
- key: {{ toYaml . }}
  path: ca.crt
{{- end }}
{{- end -}}
{{- end -}}
