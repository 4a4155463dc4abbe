{{- /* Rules of one objective: the error ratio over several windows, and alerts on how fast the budget burns. */ -}}
{{- $slo := .Slo -}}
{{- $budget := divf (subf 100 $slo.objective) 100 -}}
{{- $metric := printf "slo:%s:error_ratio" ($slo.name | replace "-" "_") -}}
{{- $windows := list "5m" "30m" "1h" "2h" "6h" "1d" "3d" -}}
groups:
  - name: slo-{{ $slo.name }}-ratios
    rules:
      {{- range $windows }}
      - record: {{ $metric }}:{{ . }}
        expr: |
          sum(rate(http_requests_total{ {{- $slo.errors -}} }[{{ . }}]))
            /
          sum(rate(http_requests_total{ {{- $slo.total -}} }[{{ . }}]))
        labels:
          slo: {{ $slo.name }}
      {{- end }}
      - record: slo:{{ $slo.name | replace "-" "_" }}:budget
        expr: vector({{ $budget }})
        labels:
          slo: {{ $slo.name }}
  - name: slo-{{ $slo.name }}-alerts
    rules:
      {{- range list
            (dict "severity" "page" "rate" 14.4 "long" "1h" "short" "5m" "for" "2m")
            (dict "severity" "page" "rate" 6.0 "long" "6h" "short" "30m" "for" "15m")
            (dict "severity" "ticket" "rate" 3.0 "long" "1d" "short" "2h" "for" "1h")
            (dict "severity" "ticket" "rate" 1.0 "long" "3d" "short" "6h" "for" "3h") }}
      - alert: {{ $slo.name | replace "-" " " | title | nospace }}ErrorBudgetBurn
        expr: |
          {{ $metric }}:{{ .long }} > {{ mulf .rate $budget | printf "%.6f" }}
            and
          {{ $metric }}:{{ .short }} > {{ mulf .rate $budget | printf "%.6f" }}
        for: {{ .for }}
        labels:
          severity: {{ .severity }}
          slo: {{ $slo.name }}
          window: {{ .long }}
        annotations:
          summary: The error budget of {{ $slo.name }} burns {{ .rate }} times as fast as it may.
          description: >-
            {{ "{{" }} $value | humanizePercentage {{ "}}" }} of requests failed over {{ .long }}; the objective is
            {{ $slo.objective }} %.
          {{- with $slo.runbook }}
          runbook_url: {{ . }}
          {{- end }}
      {{- end }}
