{{/*
The rule files that are loaded, as a list of {name, contents}: those of rules/ that `rules` lists (all when it is
empty), as they are, and one a service level objective.
*/}}
{{- define "prometheus.ruleFiles" -}}
{{- $files := list -}}
{{- range $path, $_ := .Files.Glob "rules/*.yaml" -}}
  {{- $name := trimSuffix ".yaml" (base $path) -}}
  {{- if or (empty $.Values.rules) (has $name $.Values.rules) -}}
    {{- $files = append $files (dict "name" $name "contents" ($.Files.Get $path)) -}}
  {{- end -}}
{{- end -}}
{{- $slo := .Files.Get "slo/burn-rate.yaml.tpl" -}}
{{- range .Values.slos -}}
  {{- $context := dict "Slo" . "Template" $.Template -}}
  {{- $files = append $files (dict "name" (printf "slo-%s" .name) "contents" (tpl $slo $context)) -}}
{{- end -}}
{{- range $wanted := .Values.rules -}}
  {{- if not ($.Files.Get (printf "rules/%s.yaml" $wanted)) -}}
    {{- fail (printf "rules: there is no rules/%s.yaml in the chart" $wanted) -}}
  {{- end -}}
{{- end -}}
{{- toJson $files -}}
{{- end -}}
