{{- define "service-library.service" -}}
apiVersion: v1
kind: Service
metadata:
  {{- include "service-library.metadata" . | nindent 2 }}
spec:
  type: {{ .Values.service.type }}
  selector:
    {{- include "service-library.selectorLabels" . | nindent 4 }}
  ports:
    - name: http
      port: {{ .Values.service.port }}
      targetPort: http
{{- end -}}
