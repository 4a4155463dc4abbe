{{/* How pods, nodes and the API server are found. */}}
{{- define "prometheus.scrapeConfigs" -}}
- job_name: prometheus
  static_configs:
    - targets:
        - localhost:9090
{{- if .Values.scrape.pods.enabled }}
- job_name: pods
  kubernetes_sd_configs:
    - role: pod
      {{- with .Values.scrape.pods.namespaces }}
      namespaces:
        names:
          {{- toYaml . | nindent 10 }}
      {{- end }}
  relabel_configs:
    - source_labels: [__meta_kubernetes_pod_annotation_prometheus_io_scrape]
      action: keep
      regex: "true"
    - source_labels: [__meta_kubernetes_pod_annotation_prometheus_io_path]
      action: replace
      regex: (.+)
      target_label: __metrics_path__
    - source_labels: [__address__, __meta_kubernetes_pod_annotation_prometheus_io_port]
      action: replace
      regex: ([^:]+)(?::\d+)?;(\d+)
      replacement: $1:$2
      target_label: __address__
    - source_labels: [__meta_kubernetes_namespace]
      target_label: namespace
    - source_labels: [__meta_kubernetes_pod_name]
      target_label: pod
    - source_labels: [__meta_kubernetes_pod_label_app_kubernetes_io_name]
      target_label: service
{{- end }}
{{- if .Values.scrape.nodes }}
{{ include "prometheus.kubeletJob" (dict "name" "nodes" "path" "/metrics") }}
{{- end }}
{{- if .Values.scrape.containers }}
{{ include "prometheus.kubeletJob" (dict "name" "containers" "path" "/metrics/cadvisor") }}
{{- end }}
{{- if .Values.scrape.apiServer }}
- job_name: apiserver
  scheme: https
  authorization:
    credentials_file: /var/run/secrets/kubernetes.io/serviceaccount/token
  tls_config:
    ca_file: /var/run/secrets/kubernetes.io/serviceaccount/ca.crt
  kubernetes_sd_configs:
    - role: endpoints
      namespaces:
        names:
          - default
  relabel_configs:
    - source_labels: [__meta_kubernetes_service_name, __meta_kubernetes_endpoint_port_name]
      action: keep
      regex: kubernetes;https
{{- end }}
{{- with .Values.scrape.extra }}
{{ tpl . $ | trim }}
{{- end }}
{{- end -}}

{{/* A job that asks every node's kubelet, through the API server. */}}
{{- define "prometheus.kubeletJob" -}}
- job_name: {{ .name }}
  scheme: https
  metrics_path: {{ .path }}
  authorization:
    credentials_file: /var/run/secrets/kubernetes.io/serviceaccount/token
  tls_config:
    ca_file: /var/run/secrets/kubernetes.io/serviceaccount/ca.crt
  kubernetes_sd_configs:
    - role: node
  relabel_configs:
    - action: labelmap
      regex: __meta_kubernetes_node_label_(topology_kubernetes_io_.+)
    - source_labels: [__meta_kubernetes_node_name]
      target_label: node
{{- end -}}
