{{/*
What no schema can say, because it takes several values to see it. Each line tells what is wrong and
what to do; all of them come at once. They say nothing of the cluster: `helm test` looks at that.
*/}}
{{- define "detection-consumer.problems" -}}
{{- $problems := concat
  (include "detection-consumer.problems.required" . | fromJsonArray)
  (include "detection-consumer.problems.names" . | fromJsonArray)
  (include "detection-consumer.problems.secrets" . | fromJsonArray)
  (include "detection-consumer.problems.admin" . | fromJsonArray)
  (include "detection-consumer.problems.times" . | fromJsonArray)
  (include "detection-consumer.problems.topics" . | fromJsonArray)
  (include "detection-consumer.problems.scaling" . | fromJsonArray)
  (include "detection-consumer.problems.strimzi" . | fromJsonArray)
  (include "detection-consumer.problems.telemetry" . | fromJsonArray) -}}
{{- toJson $problems }}
{{- end }}

{{- define "detection-consumer.problems.required" -}}
{{- $found := list -}}
{{- if not (include "detection-consumer.setting" (list . "CONSUMER_KAFKA__BOOTSTRAP_SERVERS")) -}}
{{- $found = append $found "config.CONSUMER_KAFKA__BOOTSTRAP_SERVERS is missing: the brokers to ask first, HOST:PORT with commas between" -}}
{{- end -}}
{{- if not (include "detection-consumer.setting" (list . "CONSUMER_API__TARGET")) -}}
{{- $found = append $found "config.CONSUMER_API__TARGET is missing: the API's endpoint, HOST:PORT" -}}
{{- end -}}
{{- if not (include "detection-consumer.setting" (list . "CONSUMER_API__CID")) -}}
{{- $found = append $found "config.CONSUMER_API__CID is missing: the project's number at the API" -}}
{{- end -}}
{{- if not (or .Values.api.existingSecret .Values.config.CONSUMER_API__TOKEN_FILE) -}}
{{- $found = append $found "api.existingSecret is missing: make a secret with the API token under the key `token` and name it here" -}}
{{- end -}}
{{- toJson $found }}
{{- end }}

{{/* Names that are settings, but not to be set here; and names in the wrong place. */}}
{{- define "detection-consumer.problems.names" -}}
{{- $found := list -}}
{{- $reserved := dict
  "CONSUMER_API__TOKEN" "is a secret: put it into a secret and name that in api.existingSecret"
  "CONSUMER_KAFKA__SASL_PASSWORD" "is a secret: put it into a secret and name that in kafka.sasl.existingSecret"
  "CONSUMER_KAFKA__SSL_KEY_PASSWORD" "is a secret: put it into the secret of kafka.clientCertificate and name its key in keyPasswordKey"
  "CONSUMER_KAFKA__INSTANCE_ID" "would give all replicas one name, and they would throw each other out: use workload: statefulset"
  "CONSUMER_ENV_FILE" "would hide settings from the checks of this chart: put them into config"
  "CONSUMER_CONFIG" "would hide settings from the checks of this chart: put them into config" -}}
{{- $derived := include "detection-consumer.derived" . | fromJson -}}
{{- range $name, $_ := .Values.config -}}
{{- if hasKey $reserved $name -}}
{{- $found = append $found (printf "config.%s %s" $name (get $reserved $name)) -}}
{{- else if hasKey $derived $name -}}
{{- $found = append $found (printf "config.%s is set twice: this chart makes it %q from its other values" $name (get $derived $name)) -}}
{{- end -}}
{{- end -}}
{{- range .Values.extraEnv -}}
{{- if hasPrefix "CONSUMER_" .name -}}
{{- $found = append $found (printf "extraEnv may not hold %s: settings belong into config, where they are checked" .name) -}}
{{- else if has .name (list "POD_NAME" "POD_NAMESPACE") -}}
{{- $found = append $found (printf "extraEnv may not hold %s: this chart sets it for StatefulSets" .name) -}}
{{- end -}}
{{- end -}}
{{- toJson $found }}
{{- end }}

{{- define "detection-consumer.problems.secrets" -}}
{{- $found := list -}}
{{- $protocol := include "detection-consumer.setting" (list . "CONSUMER_KAFKA__SECURITY_PROTOCOL") -}}
{{- $config := .Values.config -}}
{{- $kafka := .Values.kafka -}}
{{- if hasPrefix "SASL_" $protocol -}}
{{- if not (or $kafka.sasl.existingSecret $config.CONSUMER_KAFKA__SASL_PASSWORD_FILE) -}}
{{- $found = append $found (printf "kafka.sasl.existingSecret is missing: %s needs a password" $protocol) -}}
{{- end -}}
{{- if not (or $kafka.sasl.usernameKey $config.CONSUMER_KAFKA__SASL_USERNAME) -}}
{{- $found = append $found (printf "config.CONSUMER_KAFKA__SASL_USERNAME is missing: %s needs a user; kafka.sasl.usernameKey may name it in the secret instead" $protocol) -}}
{{- end -}}
{{- else if $kafka.sasl.existingSecret -}}
{{- $found = append $found (printf "kafka.sasl.existingSecret is set, but config.CONSUMER_KAFKA__SECURITY_PROTOCOL is %s: make it SASL_SSL" $protocol) -}}
{{- end -}}
{{- if and $kafka.sasl.usernameKey $config.CONSUMER_KAFKA__SASL_USERNAME -}}
{{- $found = append $found "the SASL user is named twice: set config.CONSUMER_KAFKA__SASL_USERNAME or kafka.sasl.usernameKey, not both" -}}
{{- end -}}
{{- if and $kafka.sasl.usernameKey (not $kafka.sasl.existingSecret) -}}
{{- $found = append $found "kafka.sasl.usernameKey is a key of kafka.sasl.existingSecret, which is missing" -}}
{{- end -}}
{{- if not (hasSuffix "SSL" $protocol) -}}
{{- if or $kafka.ca.existingSecret $kafka.ca.configMap $kafka.clientCertificate.existingSecret -}}
{{- $found = append $found (printf "kafka.ca or kafka.clientCertificate is set, but config.CONSUMER_KAFKA__SECURITY_PROTOCOL is %s: make it SSL or SASL_SSL" $protocol) -}}
{{- end -}}
{{- end -}}
{{- range $name, $ca := dict "api.ca" .Values.api.ca "kafka.ca" $kafka.ca -}}
{{- if and $ca.existingSecret $ca.configMap -}}
{{- $found = append $found (printf "%s: set existingSecret or configMap, not both" $name) -}}
{{- end -}}
{{- end -}}
{{- if and (or .Values.api.ca.existingSecret .Values.api.ca.configMap) (eq "false" (include "detection-consumer.setting" (list . "CONSUMER_API__TLS"))) -}}
{{- $found = append $found "api.ca is set, but config.CONSUMER_API__TLS is false" -}}
{{- end -}}
{{- toJson $found }}
{{- end }}

{{- define "detection-consumer.problems.admin" -}}
{{- $found := list -}}
{{- $listen := include "detection-consumer.setting" (list . "CONSUMER_ADMIN__LISTEN") -}}
{{- if eq "false" (include "detection-consumer.setting" (list . "CONSUMER_ADMIN__ENABLED")) -}}
{{- $found = append $found "config.CONSUMER_ADMIN__ENABLED must stay true: the probes ask the admin port" -}}
{{- end -}}
{{- if regexMatch "^(127\\.|localhost:|\\[::1\\])" $listen -}}
{{- $found = append $found (printf "config.CONSUMER_ADMIN__LISTEN is %s, where no probe gets to: listen on 0.0.0.0 or [::]" $listen) -}}
{{- end -}}
{{- if eq "0" (include "detection-consumer.adminPort" .) -}}
{{- $found = append $found "config.CONSUMER_ADMIN__LISTEN has port 0, which probes can't know: name one" -}}
{{- end -}}
{{- toJson $found }}
{{- end }}

{{/* The rules between settings that the service has too: better told now than by a pod that won't start. */}}
{{- define "detection-consumer.problems.times" -}}
{{- $found := list -}}
{{- $shutdown := include "detection-consumer.shutdownSeconds" . | int64 -}}
{{- if lt (include "detection-consumer.graceSeconds" . | int64) (add $shutdown 5) -}}
{{- $found = append $found (printf "terminationGracePeriodSeconds is too short: the service may take CONSUMER_SHUTDOWN__TIMEOUT_SECONDS, %d s, to hand its calls over, and would be killed meanwhile; leave it out or make it %d at least" $shutdown (add $shutdown 5)) -}}
{{- end -}}
{{- $rules := list
  (list "CONSUMER_KAFKA__HEARTBEAT_SECONDS" 3.0 "at most a third of" "CONSUMER_KAFKA__SESSION_TIMEOUT_SECONDS" false)
  (list "CONSUMER_COMMIT__REVOKE_SECONDS" 1.0 "below" "CONSUMER_KAFKA__REBALANCE_TIMEOUT_SECONDS" true)
  (list "CONSUMER_MESSAGE__TARGET_SECONDS" 1.0 "at most" "CONSUMER_MESSAGE__BEHIND_SECONDS" false)
  (list "CONSUMER_MESSAGE__BEHIND_SECONDS" 1.0 "at most" "CONSUMER_MESSAGE__IN_FLIGHT_SECONDS" false)
  (list "CONSUMER_RETRY__INITIAL_SECONDS" 1.0 "at most" "CONSUMER_RETRY__MAXIMUM_SECONDS" false)
  (list "CONSUMER_BREAKER__INITIAL_SECONDS" 1.0 "at most" "CONSUMER_BREAKER__MAXIMUM_SECONDS" false)
  (list "CONSUMER_AUDIO__CHANNEL" 1.0 "below" "CONSUMER_AUDIO__CHANNELS" true) -}}
{{- if eq "exactly_once" (include "detection-consumer.setting" (list . "CONSUMER_DELIVERY")) -}}
{{- $rules = concat $rules (list
  (list "CONSUMER_KAFKA__TRANSACTION_TIMEOUT_SECONDS" 1.0 "below" "CONSUMER_KAFKA__SESSION_TIMEOUT_SECONDS" true)
  (list "CONSUMER_COMMIT__INTERVAL_SECONDS" 3.0 "at most a third of" "CONSUMER_KAFKA__TRANSACTION_TIMEOUT_SECONDS" false)) -}}
{{- end -}}
{{- range $rule := $rules -}}
{{- $low := include "detection-consumer.setting" (list $ (index $rule 0)) | float64 -}}
{{- $high := include "detection-consumer.setting" (list $ (index $rule 3)) | float64 -}}
{{- $scaled := mulf $low (index $rule 1) -}}
{{- if or (gt $scaled $high) (and (index $rule 4) (eq $scaled $high)) -}}
{{- $found = append $found (printf "config.%s is %v and must be %s %s, which is %v" (index $rule 0) $low (index $rule 2) (index $rule 3) $high) -}}
{{- end -}}
{{- end -}}
{{- toJson $found }}
{{- end }}

{{- define "detection-consumer.problems.topics" -}}
{{- $found := list -}}
{{- $seen := dict -}}
{{- $topics := dict
  "CONSUMER_KAFKA__INPUT_TOPIC" (include "detection-consumer.setting" (list . "CONSUMER_KAFKA__INPUT_TOPIC"))
  "CONSUMER_KAFKA__RESULTS_TOPIC" (include "detection-consumer.setting" (list . "CONSUMER_KAFKA__RESULTS_TOPIC"))
  "CONSUMER_KAFKA__SESSIONS_TOPIC" (include "detection-consumer.setting" (list . "CONSUMER_KAFKA__SESSIONS_TOPIC"))
  "CONSUMER_KAFKA__DEAD_LETTER_TOPIC" (include "detection-consumer.topic.deadLetters" .)
  "CONSUMER_KAFKA__CHECKPOINTS_TOPIC" (include "detection-consumer.topic.checkpoints" .) -}}
{{- range $name, $topic := $topics -}}
{{- if hasKey $seen $topic -}}
{{- $found = append $found (printf "%s and %s are both %q: each topic needs a name of its own" (get $seen $topic) $name $topic) -}}
{{- end -}}
{{- $_ := set $seen $topic $name -}}
{{- end -}}
{{- if not (regexMatch "^[A-Za-z0-9._-]{1,249}$" (get $topics "CONSUMER_KAFKA__CHECKPOINTS_TOPIC")) -}}
{{- $found = append $found "config.CONSUMER_KAFKA__CHECKPOINTS_TOPIC is missing: the default is made of the group's name, which no topic can have" -}}
{{- end -}}
{{- toJson $found }}
{{- end }}

{{- define "detection-consumer.problems.scaling" -}}
{{- $found := list -}}
{{- $scaling := .Values.autoscaling -}}
{{- if and $scaling.hpa.enabled $scaling.keda.enabled -}}
{{- $found = append $found "autoscaling.hpa and autoscaling.keda are both on and would fight over the replicas: KEDA makes an HPA of its own, so turn one off" -}}
{{- end -}}
{{- if gt (int64 $scaling.minReplicas) (int64 $scaling.maxReplicas) -}}
{{- $found = append $found (printf "autoscaling.minReplicas, %v, is above autoscaling.maxReplicas, %v" $scaling.minReplicas $scaling.maxReplicas) -}}
{{- end -}}
{{- if and $scaling.hpa.enabled (not $scaling.hpa.metrics) (not $scaling.hpa.targetCPUUtilizationPercentage) -}}
{{- $found = append $found "autoscaling.hpa has nothing to scale by: set targetCPUUtilizationPercentage or metrics" -}}
{{- end -}}
{{- if and $scaling.hpa.enabled $scaling.hpa.targetCPUUtilizationPercentage (not (dig "requests" "cpu" "" .Values.resources)) -}}
{{- $found = append $found "autoscaling.hpa scales by a part of the CPU request, but resources.requests.cpu is missing" -}}
{{- end -}}
{{- if and $scaling.keda.enabled $scaling.keda.sessions.enabled (not $scaling.keda.sessions.serverAddress) -}}
{{- $found = append $found "autoscaling.keda.sessions.serverAddress is missing: where Prometheus is" -}}
{{- end -}}
{{- if and $scaling.keda.enabled .Values.config.CONSUMER_KAFKA__SASL_PASSWORD_FILE -}}
{{- $found = append $found "autoscaling.keda needs the SASL password too and can't read a file of the pod: name a secret in kafka.sasl.existingSecret instead of config.CONSUMER_KAFKA__SASL_PASSWORD_FILE" -}}
{{- end -}}
{{- toJson $found }}
{{- end }}

{{- define "detection-consumer.problems.strimzi" -}}
{{- $found := list -}}
{{- $strimzi := .Values.strimzi -}}
{{- $protocol := include "detection-consumer.setting" (list . "CONSUMER_KAFKA__SECURITY_PROTOCOL") -}}
{{- if and (or $strimzi.topics.enabled $strimzi.user.enabled) (not $strimzi.cluster) -}}
{{- $found = append $found "strimzi.cluster is missing: the Kafka cluster that topics and user belong to" -}}
{{- end -}}
{{- if $strimzi.topics.enabled -}}
{{- if ne "compact" (get $strimzi.topics.checkpoints.config "cleanup.policy" | default "") -}}
{{- $found = append $found "strimzi.topics.checkpoints.config must have cleanup.policy: compact, or brokers delete what the next owner of a partition needs; the service refuses such a topic" -}}
{{- end -}}
{{- range $what := list "deadLetters" "results" "sessions" -}}
{{- if contains "compact" (get (get $strimzi.topics $what).config "cleanup.policy" | default "" | toString) -}}
{{- $found = append $found (printf "strimzi.topics.%s.config has cleanup.policy %s: of all records of a call only the last would stay" $what (get (get $strimzi.topics $what).config "cleanup.policy")) -}}
{{- end -}}
{{- end -}}
{{- if not (hasKey $strimzi.topics.deadLetters.config "retention.ms") -}}
{{- $found = append $found "strimzi.topics.deadLetters.config must have retention.ms: dead letters hold call audio, and how long that is kept should be somebody's decision" -}}
{{- end -}}
{{- end -}}
{{- if $strimzi.user.enabled -}}
{{- if and (eq $strimzi.user.authentication "scram-sha-512") (not (hasPrefix "SASL_" $protocol)) -}}
{{- $found = append $found (printf "strimzi.user.authentication is scram-sha-512, but config.CONSUMER_KAFKA__SECURITY_PROTOCOL is %s: make it SASL_SSL" $protocol) -}}
{{- end -}}
{{- if and (hasPrefix "tls" $strimzi.user.authentication) (ne $protocol "SSL") -}}
{{- $found = append $found (printf "strimzi.user.authentication is %s, but config.CONSUMER_KAFKA__SECURITY_PROTOCOL is %s: make it SSL" $strimzi.user.authentication $protocol) -}}
{{- end -}}
{{- end -}}
{{- toJson $found }}
{{- end }}

{{- define "detection-consumer.problems.telemetry" -}}
{{- $found := list -}}
{{- $policy := .Values.networkPolicy -}}
{{- if and .Values.config.CONSUMER_METRICS__OTLP_ENDPOINT $policy.enabled (not $policy.egress.otlp.enabled) -}}
{{- $found = append $found "config.CONSUMER_METRICS__OTLP_ENDPOINT is set, but the network policy lets nothing get there: turn networkPolicy.egress.otlp on" -}}
{{- end -}}
{{- toJson $found }}
{{- end }}

{{/* What is allowed and may surprise. */}}
{{- define "detection-consumer.warnings" -}}
{{- $found := list -}}
{{- $static := eq .Values.workload "statefulset" -}}
{{- $session := include "detection-consumer.setting" (list . "CONSUMER_KAFKA__SESSION_TIMEOUT_SECONDS") | float64 -}}
{{- if and $static (include "detection-consumer.scaled" .) -}}
{{- $found = append $found (printf "static membership and a scaler: each time a pod is scaled away, its partitions stay unread for %v s (CONSUMER_KAFKA__SESSION_TIMEOUT_SECONDS); workload: deployment hands them over at once" $session) -}}
{{- end -}}
{{- if and $static (lt $session (include "detection-consumer.graceSeconds" . | float64)) -}}
{{- $found = append $found (printf "static membership spares a rebalance only if a pod is back within CONSUMER_KAFKA__SESSION_TIMEOUT_SECONDS, %v s, but stopping alone may take %s s" $session (include "detection-consumer.graceSeconds" .)) -}}
{{- end -}}
{{- if and (eq "drain" (include "detection-consumer.setting" (list . "CONSUMER_SHUTDOWN__MODE"))) (lt (include "detection-consumer.setting" (list . "CONSUMER_SHUTDOWN__TIMEOUT_SECONDS") | float64) (include "detection-consumer.setting" (list . "CONSUMER_API__CLOSE_TIMEOUT_SECONDS") | float64)) -}}
{{- $found = append $found "CONSUMER_SHUTDOWN__MODE is drain, but the API may take CONSUMER_API__CLOSE_TIMEOUT_SECONDS to finish a stream, longer than CONSUMER_SHUTDOWN__TIMEOUT_SECONDS: what doesn't fit is heard again" -}}
{{- end -}}
{{- if eq "false" (include "detection-consumer.setting" (list . "CONSUMER_API__TLS")) -}}
{{- $found = append $found "CONSUMER_API__TLS is false: the token and the calls' audio can be read on the way to the API" -}}
{{- end -}}
{{- if eq "SASL_PLAINTEXT" (include "detection-consumer.setting" (list . "CONSUMER_KAFKA__SECURITY_PROTOCOL")) -}}
{{- $found = append $found "CONSUMER_KAFKA__SECURITY_PROTOCOL is SASL_PLAINTEXT: calls' audio can be read on the way from the brokers" -}}
{{- end -}}
{{- $namespace := .Values.strimzi.namespace -}}
{{- if and .Values.strimzi.user.enabled $namespace (ne $namespace .Release.Namespace) -}}
{{- $found = append $found (printf "Strimzi makes the user's secret in %s; copy it to %s, where the pods can mount it" $namespace .Release.Namespace) -}}
{{- end -}}
{{- toJson $found }}
{{- end }}
