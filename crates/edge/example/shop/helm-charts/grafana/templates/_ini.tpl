{{/* grafana.ini: a section a map, a line a key. */}}
{{- define "grafana.ini" -}}
{{- range $section, $keys := .Values.ini }}
[{{ $section }}]
{{- range $key, $value := $keys }}
{{ $key }} = {{ if kindIs "string" $value }}{{ tpl $value $ }}{{ else }}{{ $value }}{{ end }}
{{- end }}
{{ end }}
{{- end -}}
