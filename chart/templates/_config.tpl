{{- define "helmfile-agent.configDir" -}}/etc/helmfile-agent{{- end -}}

{{/* Whether the URL of the repository uses SSH: "true" or empty. */}}
{{- define "helmfile-agent.ssh" -}}
{{- $repo := (.Values.config | default dict).repo | default "" -}}
{{- if or (hasPrefix "ssh://" $repo) (and (not (contains "://" $repo)) (regexMatch "^[^/]+:" $repo)) -}}true{{- end -}}
{{- end -}}

{{/* The agent's configuration file. Keys in config override keys that the chart derives from other values. */}}
{{- define "helmfile-agent.config" -}}
{{- $config := deepCopy (.Values.config | default dict) -}}
{{- $repo := required "config.repo is missing: set the URL of the Git repository with your helmfile, for example with --set config.repo=https://git.example.com/shop/config" $config.repo -}}
{{- if or (regexMatch "^https?://[^/]*@" $repo) (regexMatch "^[a-z+]+://[^/@]*:[^/@]*@" $repo) -}}
{{- fail "config.repo contains credentials: remove them from the URL, put them into a Secret with the keys username and password, and name the Secret in git.existingSecret" -}}
{{- end -}}
{{- $dir := include "helmfile-agent.configDir" . -}}
{{- $found := dict "instance" (include "helmfile-agent.fullname" .) -}}
{{- if and .Values.git.existingSecret (include "helmfile-agent.ssh" .) -}}
{{- $_ := set $found "gitSSHKeyFile" (printf "%s/git/identity" $dir) -}}
{{- $_ := set $found "gitKnownHostsFile" (printf "%s/git/known_hosts" $dir) -}}
{{- end -}}
{{- if and .Values.git.existingSecret .Values.git.caKey -}}
{{- $_ := set $found "gitCAFile" (printf "%s/git/ca.crt" $dir) -}}
{{- end -}}
{{- if .Values.sops.existingSecret -}}
{{- $_ := set $found "sopsKeys" (printf "%s/sops" $dir) -}}
{{- end -}}
{{- /* The pod of helm test uses the same file, and its command refuses detailedExitcode. So that key becomes an argument. */ -}}
{{- range $key, $value := omit $config "detailedExitcode" -}}
{{- if not (kindIs "invalid" $value) -}}
{{- $_ := set $found $key $value -}}
{{- end -}}
{{- end -}}
{{- if not (hasKey $found "agentRelease") -}}
{{- $_ := set $found "agentRelease" .Release.Name -}}
{{- end -}}
{{- with include "helmfile-agent.ownSecrets" . | fromYamlArray -}}
{{- $_ := set $found "ownSecrets" (concat . ($config.ownSecrets | default list) | uniq) -}}
{{- end -}}
{{- toYaml $found -}}
{{- end -}}

{{/* The names of the Secrets that the pod uses, as a list. `lookup` in charts must not read them. */}}
{{- define "helmfile-agent.ownSecrets" -}}
{{- $names := list .Values.git.existingSecret .Values.sops.existingSecret .Values.registry.existingSecret -}}
{{- range .Values.imagePullSecrets -}}
{{- $names = append $names .name -}}
{{- end -}}
{{- range .Values.extraEnv -}}
{{- $names = append $names (dig "valueFrom" "secretKeyRef" "name" "" .) -}}
{{- end -}}
{{- range .Values.extraEnvFrom -}}
{{- $names = append $names (dig "secretRef" "name" "" .) -}}
{{- end -}}
{{- range .Values.extraVolumes -}}
{{- $names = append $names (dig "secret" "secretName" "" .) -}}
{{- range dig "projected" "sources" list . -}}
{{- $names = append $names (dig "secret" "name" "" .) -}}
{{- end -}}
{{- end -}}
{{- toYaml (compact $names | uniq) -}}
{{- end -}}

{{- define "helmfile-agent.instance" -}}
{{- (include "helmfile-agent.config" . | fromYaml).instance -}}
{{- end -}}

{{/* The agent's own timeout in whole seconds, from a duration such as 1h30m. */}}
{{- define "helmfile-agent.timeoutSeconds" -}}
{{- $factors := dict "h" 3600.0 "m" 60.0 "s" 1.0 "ms" 0.001 "us" 0.000001 "µs" 0.000001 "ns" 0.000000001 -}}
{{- $seconds := 0.0 -}}
{{- range regexFindAll "[0-9.]+(ns|us|µs|ms|s|m|h)" ((.Values.config | default dict).timeout | default "10m") -1 -}}
{{- $unit := regexFind "[a-zµ]+" . -}}
{{- $seconds = addf $seconds (mulf (trimSuffix $unit . | float64) (get $factors $unit)) -}}
{{- end -}}
{{- ceil $seconds | int64 -}}
{{- end -}}

{{/* The Job's deadline in seconds. Each try has the timeout plus five minutes for scheduling and for pulling the image. */}}
{{- define "helmfile-agent.activeDeadlineSeconds" -}}
{{- $timeout := include "helmfile-agent.timeoutSeconds" . | int64 -}}
{{- $given := .Values.job.activeDeadlineSeconds -}}
{{- if kindIs "invalid" $given -}}
{{- $limit := .Values.job.backoffLimit -}}
{{- $tries := ternary 7 (add 1 ($limit | default 0 | int64)) (kindIs "invalid" $limit) -}}
{{- mul $tries (add $timeout 300) -}}
{{- else if le ($given | int64) $timeout -}}
{{- fail (printf "job.activeDeadlineSeconds is %d, but config.timeout is %d seconds: raise job.activeDeadlineSeconds or lower config.timeout, because otherwise the Job ends before the agent can report" ($given | int64) $timeout) -}}
{{- else -}}
{{- $given | int64 -}}
{{- end -}}
{{- end -}}
