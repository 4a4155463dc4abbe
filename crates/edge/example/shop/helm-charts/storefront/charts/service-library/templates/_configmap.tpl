{{- define "service-library.configmap" -}}
{{- if .Values.files -}}
apiVersion: v1
kind: ConfigMap
metadata:
  {{- include "service-library.metadata" . | nindent 2 }}
data:
  {{- range $name, $contents := .Values.files }}
  {{ $name }}: |
    {{- tpl $contents $ | trim | nindent 4 }}
  {{- end }}
{{- end -}}
{{- end -}}
