{{/* The name of every resource of the service: the release's, unless nameOverride says otherwise. */}}
{{- define "service-library.name" -}}
{{- .Values.nameOverride | default .Release.Name | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{/* The image with its tag; without one it is the version of the application that the chart was made for. */}}
{{- define "service-library.image" -}}
{{- $image := required "image.repository says where the service's image is" .Values.image.repository -}}
{{- printf "%s:%s" $image (.Values.image.tag | default .Chart.AppVersion) -}}
{{- end -}}
