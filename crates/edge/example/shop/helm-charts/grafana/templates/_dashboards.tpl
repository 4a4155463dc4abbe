{{/*
Every dashboard, as a list of {folder, name, contents}: the files dashboards/<folder>/<name>.json of the folders in
values, as they are, and one a service in `services`, from services/red.json.tpl.
*/}}
{{- define "grafana.dashboards" -}}
{{- $dashboards := list -}}
{{- range $folder, $_ := .Values.folders -}}
  {{- range $path, $bytes := $.Files.Glob (printf "dashboards/%s/*.json" $folder) -}}
    {{- $dashboards = append $dashboards (dict
          "folder" $folder
          "name" (base $path | trimSuffix ".json")
          "contents" (toString $bytes)) -}}
  {{- end -}}
{{- end -}}
{{- $red := .Files.Get "services/red.json.tpl" -}}
{{- range .Values.services -}}
  {{- $context := dict "Service" . "Template" $.Template -}}
  {{- $dashboards = append $dashboards (dict
        "folder" "shop"
        "name" (printf "service-%s" .name)
        "contents" (tpl $red $context)) -}}
{{- end -}}
{{- toJson $dashboards -}}
{{- end -}}
