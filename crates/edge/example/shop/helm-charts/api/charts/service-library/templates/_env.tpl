{{/*
The container's environment. Values of `env` may be templates, for example "https://{{ .Values.ingress.host }}";
`secretEnv` maps a variable to the secret and key that hold it.
*/}}
{{- define "service-library.env" -}}
- name: LISTEN_ADDRESS
  value: {{ printf ":%d" (int .Values.port) | quote }}
{{- range $name, $value := .Values.env }}
- name: {{ $name }}
  value: {{ tpl (toString $value) $ | quote }}
{{- end }}
{{- range $name, $source := .Values.secretEnv }}
- name: {{ $name }}
  valueFrom:
    secretKeyRef:
      name: {{ required (printf "secretEnv.%s.secret names the Secret" $name) $source.secret }}
      key: {{ $source.key | default "value" }}
{{- end }}
{{- end -}}
