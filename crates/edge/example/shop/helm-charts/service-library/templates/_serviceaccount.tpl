{{- define "service-library.serviceaccount" -}}
apiVersion: v1
kind: ServiceAccount
metadata:
  {{- include "service-library.metadata" . | nindent 2 }}
  {{- with (.Values.serviceAccount | default dict).annotations }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
automountServiceAccountToken: false
{{- end -}}
