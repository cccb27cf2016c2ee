{{/* A value as it is written into the environment. Helm reads numbers as floats: 1000000 would become 1e+06. */}}
{{- define "detection-consumer.text" -}}
{{- if and (kindIs "float64" .) (eq . (floor .)) -}}
{{- printf "%.0f" . }}
{{- else -}}
{{- toString . }}
{{- end }}
{{- end }}

{{/* A setting in force: (list $ "CONSUMER_..."). files/settings.json holds the defaults; it is generated. */}}
{{- define "detection-consumer.setting" -}}
{{- $root := index . 0 -}}
{{- $name := index . 1 -}}
{{- $defaults := $root.Files.Get "files/settings.json" | fromJson -}}
{{- if not (hasKey $defaults $name) }}{{ fail (printf "the chart asks for %s, which is no setting" $name) }}{{ end -}}
{{- $given := include "detection-consumer.text" (get $root.Values.config $name | default "") -}}
{{- if hasKey $root.Values.config $name -}}
{{- $given = include "detection-consumer.text" (get $root.Values.config $name) -}}
{{- end -}}
{{- $given | default (get $defaults $name) }}
{{- end }}

{{- define "detection-consumer.topic.deadLetters" -}}
{{- include "detection-consumer.setting" (list . "CONSUMER_KAFKA__DEAD_LETTER_TOPIC") | default (printf "%s-dlq" (include "detection-consumer.setting" (list . "CONSUMER_KAFKA__INPUT_TOPIC"))) }}
{{- end }}

{{- define "detection-consumer.topic.checkpoints" -}}
{{- $group := include "detection-consumer.setting" (list . "CONSUMER_KAFKA__GROUP_ID") -}}
{{- $input := include "detection-consumer.setting" (list . "CONSUMER_KAFKA__INPUT_TOPIC") -}}
{{- include "detection-consumer.setting" (list . "CONSUMER_KAFKA__CHECKPOINTS_TOPIC") | default (printf "%s-%s-checkpoints" $group $input) }}
{{- end }}

{{- define "detection-consumer.adminPort" -}}
{{- include "detection-consumer.setting" (list . "CONSUMER_ADMIN__LISTEN") | regexFind "[0-9]+$" }}
{{- end }}

{{/* Whole seconds that stopping may take. */}}
{{- define "detection-consumer.shutdownSeconds" -}}
{{- include "detection-consumer.setting" (list . "CONSUMER_SHUTDOWN__TIMEOUT_SECONDS") | float64 | ceil | int64 }}
{{- end }}

{{- define "detection-consumer.graceSeconds" -}}
{{- .Values.terminationGracePeriodSeconds | default (add (include "detection-consumer.shutdownSeconds" .) 10) | int64 }}
{{- end }}

{{/* Where secrets are mounted. Never by subPath: such a file would keep its first content for ever. */}}
{{- define "detection-consumer.secretsPath" -}}/etc/detection-consumer{{- end }}

{{/* The settings that the chart makes out of other values: variable to text. */}}
{{- define "detection-consumer.derived" -}}
{{- $path := include "detection-consumer.secretsPath" . -}}
{{- $derived := dict -}}
{{- if .Values.api.existingSecret }}{{ $_ := set $derived "CONSUMER_API__TOKEN_FILE" (printf "%s/api/token" $path) }}{{ end -}}
{{- if or .Values.api.ca.existingSecret .Values.api.ca.configMap }}{{ $_ := set $derived "CONSUMER_API__CA_FILE" (printf "%s/api/ca.crt" $path) }}{{ end -}}
{{- with .Values.kafka -}}
{{- if .sasl.existingSecret }}{{ $_ := set $derived "CONSUMER_KAFKA__SASL_PASSWORD_FILE" (printf "%s/kafka/password" $path) }}{{ end -}}
{{- if or .ca.existingSecret .ca.configMap }}{{ $_ := set $derived "CONSUMER_KAFKA__SSL_CA_FILE" (printf "%s/kafka/ca.crt" $path) }}{{ end -}}
{{- if .clientCertificate.existingSecret -}}
{{- $_ := set $derived "CONSUMER_KAFKA__SSL_CERT_FILE" (printf "%s/kafka/client.crt" $path) -}}
{{- $_ := set $derived "CONSUMER_KAFKA__SSL_KEY_FILE" (printf "%s/kafka/client.key" $path) -}}
{{- end -}}
{{- end -}}
{{- if .Values.strimzi.topics.enabled }}{{ $_ := set $derived "CONSUMER_KAFKA__CREATE_TOPICS" "false" }}{{ end -}}
{{- toJson $derived }}
{{- end }}

{{/* All variables of the container. "$(" would be filled in by Kubernetes, so it is doubled. */}}
{{- define "detection-consumer.env" -}}
{{- range $name, $value := merge (include "detection-consumer.derived" . | fromJson) .Values.config }}
- name: {{ $name | quote }}
  value: {{ include "detection-consumer.text" $value | replace "$(" "$$(" | toJson }}
{{- end }}
{{- if eq .Values.workload "statefulset" }}
- name: POD_NAME
  valueFrom:
    fieldRef: {fieldPath: metadata.name}
- name: POD_NAMESPACE
  valueFrom:
    fieldRef: {fieldPath: metadata.namespace}
# Two members with one name throw each other out for ever, so releases of two namespaces must differ.
- name: CONSUMER_KAFKA__INSTANCE_ID
  value: $(POD_NAMESPACE).$(POD_NAME)
{{- end }}
{{- with .Values.kafka }}
{{- if and .sasl.existingSecret .sasl.usernameKey }}
- name: CONSUMER_KAFKA__SASL_USERNAME
  valueFrom:
    secretKeyRef: {name: {{ .sasl.existingSecret | quote }}, key: {{ .sasl.usernameKey | quote }}}
{{- end }}
{{- if and .clientCertificate.existingSecret .clientCertificate.keyPasswordKey }}
- name: CONSUMER_KAFKA__SSL_KEY_PASSWORD
  valueFrom:
    secretKeyRef: {name: {{ .clientCertificate.existingSecret | quote }}, key: {{ .clientCertificate.keyPasswordKey | quote }}}
{{- end }}
{{- end }}
{{- with .Values.extraEnv }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* One file out of a secret or a config map: (dict "of" values "key" name "path" file). */}}
{{- define "detection-consumer.file" -}}
{{- if .of.existingSecret }}
- secret:
    name: {{ .of.existingSecret | quote }}
    items:
      - {key: {{ .key | quote }}, path: {{ .path }}}
{{- else if .of.configMap }}
- configMap:
    name: {{ .of.configMap | quote }}
    items:
      - {key: {{ .key | quote }}, path: {{ .path }}}
{{- end }}
{{- end }}

{{/* What the volume with all credentials is made of. */}}
{{- define "detection-consumer.credentials" -}}
{{- include "detection-consumer.file" (dict "of" .Values.api "key" .Values.api.tokenKey "path" "api/token") }}
{{- include "detection-consumer.file" (dict "of" .Values.api.ca "key" .Values.api.ca.key "path" "api/ca.crt") }}
{{- with .Values.kafka }}
{{- include "detection-consumer.file" (dict "of" .sasl "key" .sasl.passwordKey "path" "kafka/password") }}
{{- include "detection-consumer.file" (dict "of" .ca "key" .ca.key "path" "kafka/ca.crt") }}
{{- include "detection-consumer.file" (dict "of" .clientCertificate "key" .clientCertificate.certKey "path" "kafka/client.crt") }}
{{- include "detection-consumer.file" (dict "of" .clientCertificate "key" .clientCertificate.keyKey "path" "kafka/client.key") }}
{{- end }}
{{- end }}
