{{/* The consumer's container without probes and command, for the service and for `helm test`. */}}
{{- define "detection-consumer.container" -}}
image: {{ include "detection-consumer.image" . | quote }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
securityContext:
  {{- toYaml .Values.securityContext | nindent 2 }}
env:
  {{- include "detection-consumer.env" . | trim | nindent 2 }}
{{- with .Values.extraEnvFrom }}
envFrom:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.resources }}
resources:
  {{- toYaml . | nindent 2 }}
{{- end }}
volumeMounts:
  - {name: tmp, mountPath: /tmp}
  {{- if include "detection-consumer.credentials" . }}
  - {name: credentials, mountPath: {{ include "detection-consumer.secretsPath" . }}, readOnly: true}
  {{- end }}
  {{- with .Values.extraVolumeMounts }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end }}

{{- define "detection-consumer.volumes" -}}
- name: tmp
  emptyDir: {sizeLimit: {{ .Values.tmpSizeLimit }}}
{{- with include "detection-consumer.credentials" . }}
- name: credentials
  projected:
    defaultMode: 0440
    sources:
      {{- . | trim | nindent 6 }}
{{- end }}
{{- with .Values.extraVolumes }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* What service and `helm test` share about where and as whom a pod runs. */}}
{{- define "detection-consumer.placement" -}}
serviceAccountName: {{ include "detection-consumer.serviceAccountName" . | quote }}
automountServiceAccountToken: false
# Kubernetes would add a variable for every service of the namespace, some with our prefix.
enableServiceLinks: false
{{- with .Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
securityContext:
  {{- toYaml .Values.podSecurityContext | nindent 2 }}
{{- range $key := list "nodeSelector" "tolerations" "affinity" "priorityClassName" "runtimeClassName" }}
{{- with get $.Values $key }}
{{ $key }}: {{ toYaml . | nindent 2 }}
{{- end }}
{{- end }}
{{- end }}

{{- define "detection-consumer.spread" -}}
{{- if .Values.topologySpreadConstraints }}
{{- toYaml .Values.topologySpreadConstraints }}
{{- else }}
{{- $keys := dict "zone" "topology.kubernetes.io/zone" "host" "kubernetes.io/hostname" -}}
{{- range $what := list "zone" "host" }}
{{- $how := get $.Values.topologySpread $what }}
{{- if ne $how "off" }}
- maxSkew: 1
  topologyKey: {{ get $keys $what }}
  whenUnsatisfiable: {{ $how }}
  labelSelector:
    matchLabels:
      {{- include "detection-consumer.selectorLabels" $ | nindent 6 }}
  # Pods of the last version don't count, or a roll-out would end up askew.
  matchLabelKeys: [{{ ternary "controller-revision-hash" "pod-template-hash" (eq $.Values.workload "statefulset") }}]
{{- end }}
{{- end }}
{{- end }}
{{- end }}

{{- define "detection-consumer.probe" -}}
httpGet: {path: {{ .path }}, port: admin}
{{ toYaml .times }}
{{- end }}

{{- define "detection-consumer.pod" -}}
metadata:
  labels:
    {{- merge (include "detection-consumer.selectorLabels" . | fromYaml) .Values.podLabels .Values.commonLabels | toYaml | nindent 4 }}
  annotations:
    kubectl.kubernetes.io/default-container: consumer
    {{- with .Values.podAnnotations }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
spec:
  {{- include "detection-consumer.placement" . | nindent 2 }}
  terminationGracePeriodSeconds: {{ include "detection-consumer.graceSeconds" . }}
  {{- with include "detection-consumer.spread" . | trim }}
  topologySpreadConstraints:
    {{- . | nindent 4 }}
  {{- end }}
  {{- with .Values.initContainers }}
  initContainers:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  containers:
    - name: consumer
      args: [run]
      ports:
        - {name: admin, containerPort: {{ include "detection-consumer.adminPort" . }}, protocol: TCP}
      {{- include "detection-consumer.container" . | nindent 6 }}
      startupProbe:
        {{- include "detection-consumer.probe" (dict "path" "/startup" "times" .Values.probes.startup) | nindent 8 }}
      livenessProbe:
        {{- include "detection-consumer.probe" (dict "path" "/live" "times" .Values.probes.liveness) | nindent 8 }}
      readinessProbe:
        {{- include "detection-consumer.probe" (dict "path" "/ready" "times" .Values.probes.readiness) | nindent 8 }}
    {{- with .Values.extraContainers }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  volumes:
    {{- include "detection-consumer.volumes" . | nindent 4 }}
{{- end }}
