{{/* What selects the pods of the service: never changes during its life. */}}
{{- define "service-library.selectorLabels" -}}
app.kubernetes.io/name: {{ include "service-library.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{/* What every resource carries. */}}
{{- define "service-library.labels" -}}
{{ include "service-library.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- with .Values.component }}
app.kubernetes.io/component: {{ . }}
{{- end }}
{{- end -}}

{{/* The metadata block of every resource. */}}
{{- define "service-library.metadata" -}}
name: {{ include "service-library.name" . }}
namespace: {{ .Release.Namespace }}
labels:
  {{- include "service-library.labels" . | nindent 2 }}
{{- end -}}
