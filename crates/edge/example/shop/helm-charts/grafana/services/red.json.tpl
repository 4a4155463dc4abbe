{{- /* Rate, errors and duration of one service. What Grafana is to see in braces is quoted. */ -}}
{{- $service := .Service -}}
{{- $yellow := $service.latency | default 0.5 -}}
{{- $red := mulf $yellow 3 -}}
{
  "uid": "service-{{ $service.name }}",
  "title": "{{ $service.title | default ($service.name | title) }}",
  "tags": ["service", "{{ $service.name }}"],
  "timezone": "utc",
  "schemaVersion": 41,
  "version": 1,
  "editable": false,
  "refresh": "1m",
  "time": { "from": "now-3h", "to": "now" },
  "templating": {
    "list": []
  },
  "annotations": {
    "list": [
      {
        "name": "Alerts",
        "datasource": { "type": "prometheus", "uid": "prometheus" },
        "enable": true,
        "iconColor": "red",
        "expr": "ALERTS{alertstate=\"firing\",severity=~\"page|ticket\"}",
        "titleFormat": "{{ "{{alertname}}" }}"
      }
    ]
  },
  "panels": [
    {
      "id": 1,
      "type": "stat",
      "title": "Requests",
      "datasource": { "type": "prometheus", "uid": "prometheus" },
      "gridPos": { "h": 4, "w": 6, "x": 0, "y": 0 },
      "fieldConfig": {
        "defaults": { "unit": "reqps" },
        "overrides": []
      },
      "options": {
        "reduceOptions": {
          "calcs": ["lastNotNull"]
        },
        "colorMode": "value",
        "graphMode": "area"
      },
      "targets": [
        {
          "refId": "A",
          "expr": "sum(rate(http_requests_total{service=\"{{ $service.name }}\"}[5m]))",
          "legendFormat": "",
          "instant": false
        }
      ]
    },
    {
      "id": 2,
      "type": "stat",
      "title": "Errors",
      "datasource": { "type": "prometheus", "uid": "prometheus" },
      "gridPos": { "h": 4, "w": 6, "x": 6, "y": 0 },
      "fieldConfig": {
        "defaults": {
          "unit": "percentunit",
          "thresholds": {
            "mode": "absolute",
            "steps": [
              { "color": "green", "value": null },
              { "color": "yellow", "value": 0.01 },
              { "color": "red", "value": 0.05 }
            ]
          }
        },
        "overrides": []
      },
      "options": {
        "reduceOptions": {
          "calcs": ["lastNotNull"]
        },
        "colorMode": "value",
        "graphMode": "area"
      },
      "targets": [
        {
          "refId": "A",
          "expr": "sum(rate(http_requests_total{service=\"{{ $service.name }}\",code=~\"5..\"}[5m])) / sum(rate(http_requests_total{service=\"{{ $service.name }}\"}[5m]))",
          "legendFormat": "",
          "instant": false
        }
      ]
    },
    {
      "id": 3,
      "type": "stat",
      "title": "Duration, 95th percentile",
      "datasource": { "type": "prometheus", "uid": "prometheus" },
      "gridPos": { "h": 4, "w": 6, "x": 12, "y": 0 },
      "fieldConfig": {
        "defaults": {
          "unit": "s",
          "thresholds": {
            "mode": "absolute",
            "steps": [
              { "color": "green", "value": null },
              { "color": "yellow", "value": {{ $yellow }} },
              { "color": "red", "value": {{ $red }} }
            ]
          }
        },
        "overrides": []
      },
      "options": {
        "reduceOptions": {
          "calcs": ["lastNotNull"]
        },
        "colorMode": "value",
        "graphMode": "area"
      },
      "targets": [
        {
          "refId": "A",
          "expr": "service:request_duration:p95{service=\"{{ $service.name }}\"}",
          "legendFormat": "",
          "instant": false
        }
      ]
    },
    {
      "id": 4,
      "type": "stat",
      "title": "Pods",
      "datasource": { "type": "prometheus", "uid": "prometheus" },
      "gridPos": { "h": 4, "w": 6, "x": 18, "y": 0 },
      "fieldConfig": {
        "defaults": { "unit": "none" },
        "overrides": []
      },
      "options": {
        "reduceOptions": {
          "calcs": ["lastNotNull"]
        },
        "colorMode": "value",
        "graphMode": "area"
      },
      "targets": [
        {
          "refId": "A",
          "expr": "count(up{job=\"pods\",service=\"{{ $service.name }}\"} == 1)",
          "legendFormat": "",
          "instant": false
        }
      ]
    },
    {
      "id": 5,
      "type": "timeseries",
      "title": "Requests by route",
      "datasource": { "type": "prometheus", "uid": "prometheus" },
      "gridPos": { "h": 8, "w": 12, "x": 0, "y": 4 },
      "fieldConfig": {
        "defaults": {
          "unit": "reqps",
          "min": 0,
          "custom": {
            "fillOpacity": 20,
            "lineWidth": 1,
            "showPoints": "never",
            "stacking": { "mode": "normal" }
          }
        },
        "overrides": []
      },
      "options": {
        "legend": { "displayMode": "list", "placement": "bottom" },
        "tooltip": { "mode": "multi", "sort": "desc" }
      },
      "targets": [
        {
          "refId": "A",
          "expr": "sum by (route) (rate(http_requests_total{service=\"{{ $service.name }}\"}[5m]))",
          "legendFormat": "{{ "{{route}}" }}"
        }
      ]
    },
    {
      "id": 6,
      "type": "timeseries",
      "title": "Answers by code",
      "datasource": { "type": "prometheus", "uid": "prometheus" },
      "gridPos": { "h": 8, "w": 12, "x": 12, "y": 4 },
      "fieldConfig": {
        "defaults": {
          "unit": "reqps",
          "min": 0,
          "custom": {
            "fillOpacity": 20,
            "lineWidth": 1,
            "showPoints": "never",
            "stacking": { "mode": "normal" }
          }
        },
        "overrides": []
      },
      "options": {
        "legend": { "displayMode": "list", "placement": "bottom" },
        "tooltip": { "mode": "multi", "sort": "desc" }
      },
      "targets": [
        {
          "refId": "A",
          "expr": "sum by (code) (rate(http_requests_total{service=\"{{ $service.name }}\"}[5m]))",
          "legendFormat": "{{ "{{code}}" }}"
        }
      ]
    },
    {
      "id": 7,
      "type": "timeseries",
      "title": "Duration",
      "datasource": { "type": "prometheus", "uid": "prometheus" },
      "gridPos": { "h": 8, "w": 12, "x": 0, "y": 12 },
      "fieldConfig": {
        "defaults": {
          "unit": "s",
          "min": 0,
          "custom": { "fillOpacity": 5, "lineWidth": 1, "showPoints": "never" },
          "thresholds": {
            "mode": "absolute",
            "steps": [
              { "color": "green", "value": null },
              { "color": "yellow", "value": {{ $yellow }} },
              { "color": "red", "value": {{ $red }} }
            ]
          }
        },
        "overrides": []
      },
      "options": {
        "legend": { "displayMode": "list", "placement": "bottom" },
        "tooltip": { "mode": "multi", "sort": "desc" }
      },
      "targets": [
        {
          "refId": "A",
          "expr": "histogram_quantile(0.5, sum by (le) (rate(http_request_duration_seconds_bucket{service=\"{{ $service.name }}\"}[5m])))",
          "legendFormat": "median"
        },
        {
          "refId": "B",
          "expr": "histogram_quantile(0.95, sum by (le) (rate(http_request_duration_seconds_bucket{service=\"{{ $service.name }}\"}[5m])))",
          "legendFormat": "95th"
        },
        {
          "refId": "C",
          "expr": "histogram_quantile(0.99, sum by (le) (rate(http_request_duration_seconds_bucket{service=\"{{ $service.name }}\"}[5m])))",
          "legendFormat": "99th"
        }
      ]
    },
    {
      "id": 8,
      "type": "timeseries",
      "title": "Slowest routes",
      "datasource": { "type": "prometheus", "uid": "prometheus" },
      "gridPos": { "h": 8, "w": 12, "x": 12, "y": 12 },
      "fieldConfig": {
        "defaults": {
          "unit": "s",
          "min": 0,
          "custom": { "fillOpacity": 5, "lineWidth": 1, "showPoints": "never" }
        },
        "overrides": []
      },
      "options": {
        "legend": { "displayMode": "list", "placement": "bottom" },
        "tooltip": { "mode": "multi", "sort": "desc" }
      },
      "targets": [
        {
          "refId": "A",
          "expr": "topk(5, histogram_quantile(0.95, sum by (route, le) (rate(http_request_duration_seconds_bucket{service=\"{{ $service.name }}\"}[5m]))))",
          "legendFormat": "{{ "{{route}}" }}"
        }
      ]
    },
    {
      "id": 9,
      "type": "timeseries",
      "title": "CPU",
      "datasource": { "type": "prometheus", "uid": "prometheus" },
      "gridPos": { "h": 8, "w": 12, "x": 0, "y": 20 },
      "fieldConfig": {
        "defaults": {
          "unit": "short",
          "min": 0,
          "custom": { "fillOpacity": 5, "lineWidth": 1, "showPoints": "never" }
        },
        "overrides": []
      },
      "options": {
        "legend": { "displayMode": "list", "placement": "bottom" },
        "tooltip": { "mode": "multi", "sort": "desc" }
      },
      "targets": [
        {
          "refId": "A",
          "expr": "sum by (pod) (pod:cpu_usage:cores{pod=~\"{{ $service.name }}-.+\"})",
          "legendFormat": "{{ "{{pod}}" }}"
        }
      ]
    },
    {
      "id": 10,
      "type": "timeseries",
      "title": "Memory",
      "datasource": { "type": "prometheus", "uid": "prometheus" },
      "gridPos": { "h": 8, "w": 12, "x": 12, "y": 20 },
      "fieldConfig": {
        "defaults": {
          "unit": "bytes",
          "min": 0,
          "custom": { "fillOpacity": 5, "lineWidth": 1, "showPoints": "never" }
        },
        "overrides": []
      },
      "options": {
        "legend": { "displayMode": "list", "placement": "bottom" },
        "tooltip": { "mode": "multi", "sort": "desc" }
      },
      "targets": [
        {
          "refId": "A",
          "expr": "sum by (pod) (pod:memory_working_set:bytes{pod=~\"{{ $service.name }}-.+\"})",
          "legendFormat": "{{ "{{pod}}" }}"
        }
      ]
    }
  ]
}
