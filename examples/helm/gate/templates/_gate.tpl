{{/*
gate.container: the item for a pod's initContainers, the last of them.

  initContainers:
    {{- include "gate.container" . | nindent 4 }}

That is all, unless .Values.gate.stateFile is true: then the pod's volumes take gate.volumes.

  volumes:
    {{- include "gate.volumes" . | nindent 4 }}
*/}}
{{- define "gate.container" -}}
{{- $gate := .Values.gate -}}
{{- $isInit := eq $gate.mode "init" -}}
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
  resources:
    {{- include "gate.resources" $gate | nindent 4 }}
  securityContext:
    runAsNonRoot: true
    runAsUser: 65532
    allowPrivilegeEscalation: false
    readOnlyRootFilesystem: true
    capabilities: {drop: [ALL]}
    seccompProfile: {type: RuntimeDefault}
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
requests: {cpu: 10m, memory: 48Mi}
limits: {memory: 96Mi}
{{- end }}
{{- end }}
