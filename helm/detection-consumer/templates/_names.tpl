{{- define "detection-consumer.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{/* 52 letters leave room for what StatefulSets and Jobs append, and for our own suffixes. */}}
{{- define "detection-consumer.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 52 | trimSuffix "-" }}
{{- else -}}
{{- $name := include "detection-consumer.name" . -}}
{{- $full := ternary .Release.Name (printf "%s-%s" .Release.Name $name) (contains $name .Release.Name) -}}
{{- $full | trunc 52 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{- define "detection-consumer.selectorLabels" -}}
app.kubernetes.io/name: {{ include "detection-consumer.name" . | quote }}
app.kubernetes.io/instance: {{ .Release.Name | quote }}
app.kubernetes.io/component: consumer
{{- end }}

{{- define "detection-consumer.labels" -}}
{{- $own := include "detection-consumer.selectorLabels" . | fromYaml -}}
{{- $own = merge $own (dict
  "helm.sh/chart" (printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63)
  "app.kubernetes.io/version" (.Values.image.tag | default .Chart.AppVersion | replace "+" "_" | trunc 63 | trimAll "-_.")
  "app.kubernetes.io/managed-by" .Release.Service) -}}
{{- toYaml (merge $own .Values.commonLabels) }}
{{- end }}

{{- define "detection-consumer.serviceAccountName" -}}
{{- .Values.serviceAccount.name | default (ternary (include "detection-consumer.fullname" .) "default" .Values.serviceAccount.create) }}
{{- end }}

{{- define "detection-consumer.image" -}}
{{- if .Values.image.digest -}}
{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- else -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end }}
{{- end }}

{{- define "detection-consumer.strimziUser" -}}
{{- .Values.strimzi.user.name | default (include "detection-consumer.fullname" .) }}
{{- end }}

{{- define "detection-consumer.scaled" -}}
{{- if or .Values.autoscaling.hpa.enabled .Values.autoscaling.keda.enabled }}yes{{ end }}
{{- end }}
