{{- define "service-library.deployment" -}}
apiVersion: apps/v1
kind: Deployment
metadata:
  {{- include "service-library.metadata" . | nindent 2 }}
spec:
  {{- if not .Values.autoscaling.enabled }}
  replicas: {{ .Values.replicas }}
  {{- end }}
  revisionHistoryLimit: 3
  {{- if .Values.persistence.enabled }}
  # One writer: the old pod lets go of the volume before the new one starts.
  strategy:
    type: Recreate
  {{- end }}
  selector:
    matchLabels:
      {{- include "service-library.selectorLabels" . | nindent 6 }}
  template:
    metadata:
      labels:
        {{- include "service-library.selectorLabels" . | nindent 8 }}
        {{- with .Values.component }}
        app.kubernetes.io/component: {{ . }}
        {{- end }}
      annotations:
        prometheus.io/scrape: "true"
        prometheus.io/port: {{ .Values.port | quote }}
        {{- if .Values.files }}
        # A new pod for new contents.
        checksum/files: {{ toJson .Values.files | sha256sum | trunc 16 }}
        {{- end }}
    spec:
      serviceAccountName: {{ include "service-library.name" . }}
      automountServiceAccountToken: false
      terminationGracePeriodSeconds: {{ .Values.terminationGracePeriodSeconds }}
      securityContext:
        {{- include "service-library.podSecurityContext" . | nindent 8 }}
      containers:
        - name: {{ include "service-library.name" . }}
          image: {{ include "service-library.image" . }}
          imagePullPolicy: {{ .Values.image.pullPolicy }}
          ports:
            - name: http
              containerPort: {{ .Values.port }}
          env:
            {{- include "service-library.env" . | nindent 12 }}
          {{- with .Values.envFrom }}
          envFrom:
            {{- toYaml . | nindent 12 }}
          {{- end }}
          {{- with .Values.probes.liveness }}
          livenessProbe:
            {{- include "service-library.probe" . | nindent 12 }}
          {{- end }}
          {{- with .Values.probes.readiness }}
          readinessProbe:
            {{- include "service-library.probe" . | nindent 12 }}
          {{- end }}
          resources:
            {{- toYaml .Values.resources | nindent 12 }}
          securityContext:
            {{- include "service-library.containerSecurityContext" . | nindent 12 }}
          {{- if or .Values.files .Values.persistence.enabled }}
          volumeMounts:
            {{- if .Values.files }}
            - name: files
              mountPath: {{ .Values.filesPath }}
              readOnly: true
            {{- end }}
            {{- if .Values.persistence.enabled }}
            - name: data
              mountPath: {{ .Values.persistence.path }}
            {{- end }}
          {{- end }}
      {{- if or .Values.files .Values.persistence.enabled }}
      volumes:
        {{- if .Values.files }}
        - name: files
          configMap:
            name: {{ include "service-library.name" . }}
        {{- end }}
        {{- if .Values.persistence.enabled }}
        - name: data
          persistentVolumeClaim:
            claimName: {{ include "service-library.name" . }}
        {{- end }}
      {{- end }}
{{- end -}}
