{{/*
gate.container: the items for a pod's initContainers, the last of them: gate, and with
`durable` (the default) a plain init container behind it that holds the app should the kubelet
restart while gate waits.

  initContainers:
    {{- include "gate.container" . | nindent 4 }}

That is all, unless .Values.gate.stateFile is true: then the pod's volumes take gate.volumes.

  volumes:
    {{- include "gate.volumes" . | nindent 4 }}
*/}}
{{- define "gate.container" -}}
{{- $gate := .Values.gate -}}
{{- $isInit := eq $gate.mode "init" -}}
{{- if and $gate.stateFile (not $isInit) -}}
- name: gate-forget
  image: {{ $gate.image | quote }}
  args: [forget]
  env:
    - name: GATE_STATE_FILE
      value: /run/gate/opened
  volumeMounts:
    - {name: gate, mountPath: /run/gate}
  {{- include "gate.small" $gate | nindent 2 }}
{{ end -}}
- name: gate
  image: {{ $gate.image | quote }}
  {{- if $isInit }}
  args: [wait]
  {{- else }}
  restartPolicy: Always
  ports: [{name: gate, containerPort: {{ $gate.port }}}]
  {{- end }}
  env:
    {{- include "gate.env" $gate | nindent 4 }}
  {{- if or $gate.stateFile $gate.volumeMounts }}
  volumeMounts:
    {{- if $gate.stateFile }}
    - {name: gate, mountPath: /run/gate}
    {{- end }}
    {{- with $gate.volumeMounts }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  {{- end }}
  {{- if eq $gate.mode "poststart" }}
  lifecycle:
    postStart:
      exec: {command: [gate, hold, --timeout, {{ $gate.holdTimeout | quote }}]}
  {{- end }}
  {{- if not $isInit }}
  startupProbe:
    {{- if eq $gate.mode "exec-probe" }}
    exec: {command: [gate, probe, --hold, 25s]}
    {{- else }}
    httpGet: {path: "/startupz?hold=25s", port: {{ $gate.port }}}
    {{- end }}
    periodSeconds: 1
    timeoutSeconds: 30
    failureThreshold: {{ $gate.failureThreshold }}
  {{- end }}
  {{- if has $gate.mode (list "sidecar" "poststart") }}
  readinessProbe:
    httpGet: {path: /readyz, port: {{ $gate.port }}}
    periodSeconds: 5
  {{- end }}
  resources:
    {{- include "gate.resources" $gate | nindent 4 }}
  {{- include "gate.security" $gate | nindent 2 }}
{{- if and $gate.durable (not $isInit) }}
- name: gate-hold
  image: {{ $gate.image | quote }}
  args: [hold, --timeout, {{ include "gate.patience" $gate }}]
  {{- if ne (int $gate.port) 4283 }}
  env:
    - name: GATE_LISTEN
      value: {{ printf ":%d" (int $gate.port) | quote }}
  {{- end }}
  {{- include "gate.small" $gate | nindent 2 }}
{{- end }}
{{- end }}

{{- define "gate.security" -}}
securityContext:
  runAsNonRoot: true
  runAsUser: 65532
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: {drop: [ALL]}
  seccompProfile: {type: RuntimeDefault}
{{- end }}

{{/* gate.small: what the small containers around gate have in common. */}}
{{- define "gate.small" -}}
resources:
  requests: {cpu: 10m, memory: 16Mi}
  limits: {memory: 64Mi}
{{ include "gate.security" . }}
{{- end }}

{{/* gate.patience: how long the probes of gate are patient, as a duration. */}}
{{- define "gate.patience" -}}
{{- $seconds := mul 25 (int .failureThreshold) -}}
{{- if mod $seconds 60 }}{{ $seconds }}s{{ else }}{{ div $seconds 60 }}m{{ end -}}
{{- end }}

{{/* gate.volumes: the item for the pod's volumes; nothing without stateFile. */}}
{{- define "gate.volumes" -}}
{{- if .Values.gate.stateFile -}}
- name: gate
  emptyDir: {sizeLimit: 1Mi}
{{- end }}
{{- end }}

{{- define "gate.env" -}}
{{- with .dependencies -}}
- name: GATE_DEPENDENCIES
  value: {{ . | quote }}
{{ end -}}
{{- range $name, $source := .secrets -}}
- name: GATE_DEPENDENCY_{{ $name | upper | replace "-" "_" }}
  valueFrom:
    secretKeyRef: {name: {{ $source.name | quote }}, key: {{ $source.key | quote }}}
{{ end -}}
{{- range $name, $value := .env -}}
- name: {{ $name }}
  value: {{ $value | quote }}
{{ end -}}
{{- if ne (int .port) 4283 -}}
- name: GATE_LISTEN
  value: {{ printf ":%d" (int .port) | quote }}
{{ end -}}
{{- if .stateFile -}}
- name: GATE_STATE_FILE
  value: /run/gate/opened
{{- end -}}
{{- end }}

{{- define "gate.resources" -}}
{{- if .resources -}}
{{- toYaml .resources -}}
{{- else if eq .mode "exec-probe" -}}
requests: {cpu: 10m, memory: 64Mi}
limits: {memory: 128Mi}
{{- else -}}
requests: {cpu: 10m, memory: {{ if eq .mode "init" }}48Mi{{ else }}16Mi{{ end }}}
limits: {memory: 96Mi}
{{- end }}
{{- end }}
