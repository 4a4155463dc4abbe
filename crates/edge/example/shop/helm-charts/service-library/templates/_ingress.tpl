{{- define "service-library.ingress" -}}
{{- if .Values.ingress.enabled -}}
{{- $host := required "ingress.host is the name that the service is reached by" .Values.ingress.host -}}
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  {{- include "service-library.metadata" . | nindent 2 }}
  {{- with .Values.ingress.annotations }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
spec:
  {{- with .Values.ingress.className }}
  ingressClassName: {{ . }}
  {{- end }}
  {{- if .Values.ingress.tls }}
  tls:
    - hosts:
        - {{ $host }}
      secretName: {{ include "service-library.name" . }}-tls
  {{- end }}
  rules:
    - host: {{ $host }}
      http:
        paths:
          - path: /
            pathType: Prefix
            backend:
              service:
                name: {{ include "service-library.name" . }}
                port:
                  name: http
{{- end -}}
{{- end -}}
