{{- /* Written by `make chart` from what kustomize renders; change that, not this. */}}
{{- /* Objects are called soak-SUFFIX: of a release called soak, as kustomize calls them. */}}
{{- define "soak.suffix" -}}
{{ ternary .Values.form (trimPrefix "soak-" .Release.Name) (eq .Release.Name "soak") }}
{{- end }}
{{- /* The files of the ConfigMap, as JSON. */}}
{{- define "soak.files" -}}
{{- $shipped := dict }}
{{- $_ := set $shipped "job" (list "kubernetes/base/scenarios/pod.yaml") }}
{{- $_ := set $shipped "cronjob" (list "kubernetes/base/scenarios/pod.yaml") }}
{{- $_ := set $shipped "deployment" (list "kubernetes/base/scenarios/pod.yaml") }}
{{- $_ := set $shipped "daemon" (list "kubernetes/overlays/daemon/daemon.yaml" "kubernetes/base/scenarios/pod.yaml") }}
{{- $_ := set $shipped "sidecar" (list "kubernetes/overlays/sidecar/beside.yaml" "kubernetes/base/scenarios/pod.yaml") }}
{{- $files := dict }}
{{- range get $shipped .Values.form }}
{{- $_ := set $files (base .) ($.Files.Get .) }}
{{- end }}
{{- mergeOverwrite $files .Values.scenarios | toJson }}
{{- end }}
{{- /* A change of the files is a change of the name, and so of the pods. */}}
{{- define "soak.scenarios" -}}
soak-scenarios-{{ include "soak.suffix" . }}-{{ include "soak.files" . | sha256sum | trunc 10 }}
{{- end }}
