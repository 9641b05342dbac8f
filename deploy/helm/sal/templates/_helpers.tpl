{{/* Names of everything: the release's, with the chart's where it is not in it. */}}
{{- define "sal.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 50 | trimSuffix "-" -}}
{{- else -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- if contains $name .Release.Name -}}
{{- .Release.Name | trunc 50 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 50 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* What selects pods of one component; takes (list root component). */}}
{{- define "sal.selector" -}}
{{- $root := index . 0 -}}
app.kubernetes.io/name: {{ default $root.Chart.Name $root.Values.nameOverride }}
app.kubernetes.io/instance: {{ $root.Release.Name }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end -}}

{{- define "sal.labels" -}}
{{- $root := index . 0 -}}
{{ include "sal.selector" . }}
app.kubernetes.io/version: {{ $root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ $root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" $root.Chart.Name $root.Chart.Version | replace "+" "_" }}
{{- end -}}

{{- define "sal.serviceAccount" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "sal.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- default "default" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{- define "sal.image" -}}
{{- if .Values.image.digest -}}
{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- else -}}
{{ .Values.image.repository }}:{{ default .Chart.AppVersion .Values.image.tag }}
{{- end -}}
{{- end -}}

{{/* What all pods of ours have, by the profile `restricted`; fsGroup lets the user read IRSA's token. */}}
{{- define "sal.podSecurity" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
fsGroup: 65532
seccompProfile:
  type: RuntimeDefault
{{- end -}}

{{- define "sal.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop:
    - ALL
{{- end -}}

{{/* A value as a text; whole numbers of values.yaml are floats to Helm, and large ones get an exponent. */}}
{{- define "sal.text" -}}
{{- if kindIs "float64" . -}}{{ int64 . }}{{- else -}}{{ . }}{{- end -}}
{{- end -}}

{{/* Settings that the chart makes itself: named twice, one of them would count silently. */}}
{{- define "sal.checkSettings" -}}
{{- $own := dict "DB_HOST" "database.host" "DB_PORT" "database.port" "DB_NAME" "database.name" "DB_USER" "database.user" "DB_SSLMODE" "database.sslMode" "AWS_IAM" "aws.iam" "AWS_RDS_REGION" "aws.region" "SAL_DB_EXPECT_ROLE" "database.expectRole" "SAL_DRAIN_SECONDS" "drainSeconds" "SAL_MEMORY_BUDGET" "memoryBudget" "SAL_STATUS_LISTEN" "metrics" "SAL_LISTEN" "service.port" -}}
{{- range $name, $value := .Values.settings -}}
{{- with get $own $name -}}
{{- fail (printf "settings.%s: set %s instead" $name .) -}}
{{- end -}}
{{- if has $name (list "DB_PASS" "ADMIN_PASS" "SAL_OIDC_CLIENT_SECRET" "SAL_STATUS_TOKEN" "SAL_RELAY_PASSWORD" "SAL_ADMIN_PASS") -}}
{{- fail (printf "settings.%s is a secret: put it into existingSecret and list it in secretKeys" $name) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* The way to the database, for the server and for relays. */}}
{{- define "sal.databaseEnv" -}}
- name: DB_HOST
  value: {{ .Values.database.host | quote }}
- name: DB_PORT
  value: {{ .Values.database.port | quote }}
- name: DB_NAME
  value: {{ .Values.database.name | quote }}
- name: DB_USER
  value: {{ .Values.database.user | quote }}
{{- with .Values.database.sslMode }}
- name: DB_SSLMODE
  value: {{ . | quote }}
{{- end }}
{{- if .Values.aws.iam }}
- name: AWS_IAM
  value: "true"
{{- with .Values.aws.region }}
- name: AWS_RDS_REGION
  value: {{ . | quote }}
{{- end }}
{{- end }}
{{- end -}}

{{/* A relay beside another program, on 127.0.0.1:6432 of its pod; a sidecar that starts before and ends after it. */}}
{{- define "sal.relaySidecar" -}}
- name: relay
  image: {{ include "sal.image" . | quote }}
  imagePullPolicy: {{ .Values.image.pullPolicy }}
  restartPolicy: Always
  args:
    - relay
    - 127.0.0.1:6432={{ .Values.database.host }}:{{ .Values.database.port }}
    - --health
    - 0.0.0.0:9101
    - --check
    - "60"
    - --max-connections
    - {{ .Values.relay.maxConnections | quote }}
  env:
    {{- include "sal.databaseEnv" . | nindent 4 }}
    - name: SAL_RELAY_PASSWORD
      valueFrom:
        secretKeyRef:
          name: {{ required "existingSecret with SAL_RELAY_PASSWORD is needed for relays" .Values.existingSecret | quote }}
          key: SAL_RELAY_PASSWORD
  ports:
    - name: relay-health
      containerPort: 9101
  # The program beside it starts when logins work.
  startupProbe:
    httpGet:
      path: /readyz
      port: relay-health
    periodSeconds: 2
    failureThreshold: 60
  livenessProbe:
    httpGet:
      path: /livez
      port: relay-health
    periodSeconds: 10
    timeoutSeconds: 5
  resources:
    {{- toYaml .Values.relay.resources | nindent 4 }}
  securityContext:
    {{- include "sal.containerSecurity" . | nindent 4 }}
    runAsNonRoot: true
    runAsUser: 65532
    runAsGroup: 65532
{{- end -}}
