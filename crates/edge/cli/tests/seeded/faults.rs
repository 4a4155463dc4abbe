//! The faults: those of manifests, for the repository of `seeded/base`, and those of charts, groups and files, for the
//! example company.

use super::Fault;

const WEB: &str = "clusters/dev/web.yaml";
const DB: &str = "clusters/dev/db.yaml";
const RBAC: &str = "clusters/dev/rbac.yaml";
const QUEUE: &str = "clusters/dev/queue.yaml";
const POLICY: &str = "clusters/dev/policy.yaml";
const VALUES_API: &str = "helm-charts/values/api.yaml";
const DEPLOYMENT: &str = "helm-charts/api/charts/service-library/templates/_deployment.tpl";
const LIBRARY_SERVICE: &str = "helm-charts/api/charts/service-library/templates/_service.tpl";
const LIBRARY_POD: &str = "helm-charts/api/charts/service-library/templates/_pod.tpl";
const DEV: &str = "clusters/dev/kustomization.yaml";

/// The fault is told in the line that `line` is in.
const fn fault(
    code: &'static str,
    file: &'static str,
    from: &'static str,
    to: &'static str,
    line: &'static str,
) -> Fault {
    Fault { code, file, from, to, place: None, line, is_above: false, also: &[] }
}

impl Fault {
    const fn also(self, also: &'static [&'static str]) -> Self {
        Self { also, ..self }
    }

    const fn above(self) -> Self {
        Self { is_above: true, ..self }
    }

    const fn at(self, place: &'static str) -> Self {
        Self { place: Some(place), ..self }
    }
}

/// What the schemas of Kubernetes and of the repository's definition refuse.
pub(crate) const SCHEMA: &[Fault] = &[
    fault("schema-unknown-field", WEB, "  replicas: 3", "  replica: 3", "replica: 3").also(&["policy-not-evaluated"]),
    fault(
        "schema-unknown-field",
        WEB,
        "        imagePullPolicy: IfNotPresent",
        "        imagePullpolicy: IfNotPresent",
        "imagePullpolicy",
    ),
    fault("schema-unknown-field", WEB, "          periodSeconds: 5", "          periodSecond: 5", "periodSecond: 5"),
    fault(
        "schema-unknown-field",
        WEB,
        "      serviceAccountName: web",
        "      serviceAcountName: web",
        "serviceAcountName",
    ),
    fault(
        "schema-unknown-field",
        WEB,
        "        securityContext:\n          runAsNonRoot: true",
        "        securityContext:\n          runAsNonroot: true",
        "runAsNonroot",
    ),
    fault("schema-unknown-field", WEB, "    port: 80\n", "    port: 80\n    targetport: http\n", "targetport"),
    fault(
        "schema-unknown-field",
        WEB,
        "        pathType: Prefix\n",
        "        pathType: Prefix\n        rewrite: /\n",
        "rewrite",
    ),
    fault(
        "schema-unknown-field",
        WEB,
        "        averageUtilization: 70",
        "        averageUtilization: 70\n        average: 1",
        "average: 1",
    ),
    fault(
        "schema-unknown-field",
        WEB,
        "  labels:\n    app: web\n  annotations",
        "  lables:\n    app: web\n  annotations",
        "lables",
    ),
    fault(
        "schema-unknown-field",
        DB,
        "      terminationGracePeriodSeconds: 30",
        "      terminationGracePeriod: 30",
        "terminationGracePeriod:",
    ),
    fault("schema-unknown-field", DB, "      backoffLimit: 2", "      backOffLimits: 2", "backOffLimits"),
    fault("schema-unknown-field", DB, "  clusterIP: None", "  clusterIp: None", "clusterIp: None"),
    fault("schema-unknown-field", RBAC, "  sideEffects: None", "  sideEffects: None\n  failPolicy: Fail", "failPolicy"),
    fault("schema-unknown-field", QUEUE, "  attempts: 3", "  attemps: 3", "attemps"),
    fault(
        "schema-unknown-field",
        "components/extra/history.yaml",
        "  revisionHistoryLimit: 3",
        "  revisionHistorylimit: 3",
        "revisionHistorylimit",
    ),
    fault("schema-type", WEB, "  replicas: 3", "  replicas: \"3\"", "replicas:").also(&["policy-not-evaluated"]),
    fault("schema-type", WEB, "          value: info", "          value: 5", "value: 5"),
    fault("schema-type", WEB, "          value: info", "          value: true", "value: true"),
    fault("schema-type", WEB, "          containerPort: 8080", "          containerPort: \"8080\"", "containerPort:"),
    fault("schema-type", WEB, "        command: [web]", "        command: web", "command: web"),
    fault("schema-type", WEB, "          runAsNonRoot: true", "          runAsNonRoot: \"yes\"", "runAsNonRoot"),
    fault("schema-type", WEB, "  greeting: hello", "  greeting: 5", "greeting: 5"),
    fault("schema-type", WEB, "  maxReplicas: 5", "  maxReplicas: five", "maxReplicas"),
    fault("schema-type", DB, "            args: [--all]", "            args: [1]", "args: [1]"),
    fault("schema-type", QUEUE, "  attempts: 3", "  attempts: many", "attempts: many"),
    fault("schema-type", QUEUE, "  tags: [a, b]", "  tags: a", "tags: a"),
    fault("schema-type", RBAC, "  verbs: [get, list]", "  verbs: get", "verbs: get"),
    fault("schema-missing-field", WEB, "      - name: proxy\n        image", "      - image", "- image")
        .also(&["image-missing", "service-port"]),
    fault(
        "schema-missing-field",
        WEB,
        "  selector:\n    matchLabels:\n      app: web\n  strategy",
        "  strategy",
        "spec:",
    )
    .above(),
    fault("schema-missing-field", WEB, "    port: 80\n", "", "- name: http\n").above(),
    fault("schema-missing-field", WEB, "        pathType: Prefix\n", "", "- path: /").above(),
    fault("schema-missing-field", WEB, "  maxReplicas: 5\n", "", "spec:").above(),
    fault("schema-missing-field", DB, "  schedule: 0 3 * * *\n", "", "spec:").above(),
    fault("schema-missing-field", RBAC, "  admissionReviewVersions: [v1]\n", "", "- name: web.example.com").above(),
    fault("schema-missing-field", QUEUE, "  service: web\n", "", "spec:").above(),
    fault(
        "schema-value",
        WEB,
        "        imagePullPolicy: IfNotPresent",
        "        imagePullPolicy: Sometimes",
        "Sometimes",
    ),
    fault("schema-value", WEB, "          protocol: TCP", "          protocol: tcp", "protocol: tcp"),
    fault("schema-value", WEB, "    type: RollingUpdate", "    type: Rolling", "type: Rolling"),
    fault("schema-value", WEB, "  type: ClusterIP", "  type: Cluster", "type: Cluster"),
    fault("schema-value", WEB, "            memory: 64Mi", "            memory: 64MB", "memory: 64MB"),
    fault("schema-value", WEB, "            cpu: 100m", "            cpu: 100 m", "cpu: 100 m"),
    fault("schema-value", WEB, "      storage: 1Gi", "      storage: 1GB", "storage: 1GB"),
    fault("schema-value", WEB, "  accessModes: [ReadWriteOnce]", "  accessModes: [ReadWriteOne]", "accessModes"),
    fault("schema-value", WEB, "  policyTypes: [Ingress]", "  policyTypes: [ingress]", "policyTypes"),
    fault("schema-value", WEB, "  password: aHVudGVyMg==", "  password: hunter2", "password: "),
    fault("schema-value", DB, "  concurrencyPolicy: Forbid", "  concurrencyPolicy: Never", "concurrencyPolicy"),
    fault("schema-value", DB, "          restartPolicy: Never", "          restartPolicy: No", "restartPolicy")
        .also(&["schema-type"]),
    fault("schema-value", QUEUE, "  mode: fifo", "  mode: random", "mode: random"),
    fault("schema-value", QUEUE, "  attempts: 3", "  attempts: 0", "attempts: 0"),
    fault("schema-value", QUEUE, "  service: web\n  mode", "  service: Web1\n  mode", "service: Web1"),
    fault("schema-value", QUEUE, "  tags: [a, b]", "  tags: [a, b, c]", "tags: [a, b, c]"),
    fault("schema-value", QUEUE, "  retry: {after: 5s", "  retry: {after: 5s, never: true", "never: true"),
    fault("schema-rule", QUEUE, "  attempts: 3", "  attempts: 9", "attempts: 9"),
    fault("schema-rule", QUEUE, "  namespace: shop-2", "  namespace: other", "spec:").above(),
    fault("schema-rule", QUEUE, "share: 1}", "share: 1.5}", "share: 1.5"),
    fault("policy-not-evaluated", QUEUE, "rule: self <= 1.0", "rule: url(string(self)).getHost() != ''", "share: 1"),
    fault("schema-value", WEB, "  replicas: 3", "  replicas: 3000000000", "replicas: 3").also(&["policy-denied"]),
    fault("schema-duplicate", DB, "        - name: LEVEL\n", "        - name: MODE\n", "- name: MODE"),
    fault("schema-duplicate", DB, "          mountPath: /logs", "          mountPath: /data", "mountPath: /data"),
    fault(
        "schema-duplicate",
        DB,
        "          containerPort: 5432\n",
        "          containerPort: 5432\n        - name: again\n          containerPort: 5432 # again\n",
        "# again",
    ),
    fault("schema-unknown-kind", WEB, "apiVersion: policy/v1\n", "apiVersion: policy/v3\n", "policy/v3"),
    fault(
        "schema-unknown-kind",
        WEB,
        "apiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler",
        "apiVersion: autoscaling/v2\nkind: HorizontalPodAutoscalr",
        "HorizontalPodAutoscalr",
    ),
    fault(
        "schema-unknown-kind",
        QUEUE,
        "apiVersion: example.com/v1\n",
        "apiVersion: example.com/v2\n",
        "example.com/v2",
    ),
    fault("schema-no-definition", QUEUE, "apiVersion: example.com/v1\n", "apiVersion: example.org/v1\n", "kind: Queue"),
];

/// What refers to nothing, and other rules of resources.
pub(crate) const RESOURCES: &[Fault] = &[
    fault("api-removed", WEB, "apiVersion: policy/v1\n", "apiVersion: policy/v1beta1\n", "policy/v1beta1"),
    fault("api-removed", DB, "apiVersion: batch/v1\n", "apiVersion: batch/v1beta1\n", "batch/v1beta1"),
    fault("name-invalid", WEB, "kind: ServiceAccount\nmetadata:\n  name: web", "kind: ServiceAccount\nmetadata:\n  name: Web_1", "name: Web_1").also(&["missing-service-account", "binding-subject"]),
    fault("name-invalid", WEB, "  labels:\n    app: web\n  annotations", "  labels:\n    app: web app\n  annotations", "app: web app"),
    fault("name-invalid", WEB, "    example.com/owner: web-team", "    example.com/own er: web-team", "own er"),
    fault("name-invalid", WEB, "      - name: proxy", "      - name: Proxy", "name: Proxy"),
    fault("duplicate-resource", WEB, "", "---\napiVersion: autoscaling/v1\nkind: HorizontalPodAutoscaler\nmetadata:\n  name: web\n  namespace: shop\nspec:\n  maxReplicas: 5\n  scaleTargetRef:\n    apiVersion: apps/v1\n    kind: Deployment\n    name: web\n", "# the autoscaler").at(WEB),
    fault("missing-config-map", WEB, "            name: shared-settings", "            name: shared-setting", "shared-setting"),
    fault("missing-config-map", WEB, "        configMap:\n          name: web-settings", "        configMap:\n          name: web-setup", "web-setup"),
    fault("missing-config-map", "groups/shared/kustomization.yaml", "- name: shared-settings", "- name: shared", "name: shared-settings").at(WEB),
    fault("missing-secret", WEB, "              name: web-secrets", "              name: web-secret", "web-secret"),
    fault("missing-claim", WEB, "          claimName: web-cache", "          claimName: web-data", "web-data"),
    fault("missing-service-account", WEB, "      serviceAccountName: web", "      serviceAccountName: webb", "webb"),
    fault("missing-key", WEB, "              key: greeting", "              key: greting", "greting"),
    fault("missing-key", WEB, "              key: password", "              key: pass", "key: pass"),
    fault("missing-key", WEB, "          - key: greeting", "          - key: hello", "key: hello"),
    fault("service-no-pods", WEB, "  selector:\n    app: web\n", "  selector:\n    app: wbe\n", "selector:"),
    fault("service-no-pods", DB, "      labels:\n        app: db", "      labels:\n        app: dbs", "# of the Service").also(&["selector-mismatch"]),
    fault("service-port", WEB, "    targetPort: http", "    targetPort: htpp", "htpp"),
    fault("ingress-backend", WEB, "          service:\n            name: web", "          service:\n            name: wbe", "name: wbe"),
    fault("ingress-backend", WEB, "            port:\n              name: http", "            port:\n              name: https", "name: https"),
    fault("ingress-backend", WEB, "            port:\n              name: http", "            port:\n              number: 8080", "number: 8080"),
    fault("ingress-duplicate", WEB, "", "---\napiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata:\n  name: other\n  namespace: shop\nspec:\n  ingressClassName: nginx\n  rules:\n  - host: web.example.com\n    http:\n      paths:\n      - path: /\n        pathType: Prefix\n        backend:\n          service:\n            name: web\n            port:\n              name: http\n", "host: web.example.com").at(WEB),
    fault("scale-target", WEB, "    kind: Deployment\n    name: web", "    kind: Deployment\n    name: wbe", "name: wbe"),
    fault("scale-target", WEB, "    apiVersion: apps/v1\n    kind: Deployment\n", "    apiVersion: apps/v1\n    kind: StatefulSet\n", "name: web"),
    fault("scale-range", WEB, "  minReplicas: 2", "  minReplicas: 9", "minReplicas: 9"),
    fault("budget-no-pods", WEB, "  maxUnavailable: 1\n  selector:\n    matchLabels:\n      app: web", "  maxUnavailable: 1\n  selector:\n    matchLabels:\n      app: other", "selector:"),
    fault("budget-blocks", WEB, "  maxUnavailable: 1", "  maxUnavailable: 0", "maxUnavailable: 0"),
    fault("budget-blocks", WEB, "  maxUnavailable: 1", "  minAvailable: 100%", "minAvailable"),
    fault("network-policy-no-pods", WEB, "  podSelector:\n    matchLabels:\n      app: web", "  podSelector:\n    matchLabels:\n      app: other", "podSelector"),
    fault("binding-role", RBAC, "  kind: Role\n  name: web", "  kind: Role\n  name: wbe", "name: wbe"),
    fault("binding-role", RBAC, "  kind: ClusterRole\n  name: shop:reader", "  kind: ClusterRole\n  name: shop:raeder", "shop:raeder"),
    fault("binding-subject", RBAC, "  name: web\n  namespace: shop\n---\napiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\n", "  name: worker\n  namespace: shop\n---\napiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\n", "name: worker"),
    fault("webhook-service", RBAC, "    service:\n      name: web", "    service:\n      name: hook", "name: hook"),
    fault("stateful-set-service", DB, "  serviceName: db", "  serviceName: database", "serviceName"),
    fault("selector-mismatch", WEB, "  selector:\n    matchLabels:\n      app: web\n  strategy", "  selector:\n    matchLabels:\n      app: webb\n  strategy", "selector:"),
    fault("volume-missing", WEB, "        - name: cache\n          mountPath", "        - name: cash\n          mountPath", "name: cash"),
    fault("volume-missing", DB, "        - name: data\n          mountPath: /data", "        - name: date\n          mountPath: /data", "name: date"),
    fault("port-missing", WEB, "            path: /ready\n            port: http", "            path: /ready\n            port: web", "port: web"),
    fault("port-missing", WEB, "          tcpSocket:\n            port: http", "          tcpSocket:\n            port: admin", "port: admin"),
    fault("port-invalid", WEB, "          containerPort: 8080", "          containerPort: 80800", "containerPort"),
    fault("port-invalid", DB, "    port: 5432", "    port: 0", "port: 0"),
    fault("requests-over-limits", WEB, "            memory: 64Mi", "            memory: 1Gi", "memory: 1Gi"),
    fault("cron-schedule", DB, "  schedule: 0 3 * * *", "  schedule: 0 25 * * *", "schedule"),
    fault("cron-schedule", DB, "  schedule: 0 3 * * *", "  schedule: 0 3 * *", "schedule"),
    fault("image-missing", WEB, "      - name: proxy\n        image: registry.example.com/proxy@sha256:0000000000000000000000000000000000000000000000000000000000000000\n", "      - name: proxy\n", "name: proxy").also(&["policy-warned", "policy-not-evaluated"]),
    fault("image-no-tag", DB, "            image: registry.example.com/backup:2.0.0", "            image: registry.example.com/backup", "image:"),
    fault("image-no-tag", DB, "            image: registry.example.com/backup:2.0.0", "            image: registry.example.com:5000/backup", "image:").also(&["policy-warned"]),
    fault("image-latest", DB, "            image: registry.example.com/backup:2.0.0", "            image: registry.example.com/backup:latest", "image:"),
    fault("image-latest", DEV, "  newTag: 1.2.3", "  newTag: latest", "newTag: latest"),
    fault("service-no-pods", DB, "    app: db\n  ports", "    app: dbs\n  ports", "# of the Service").above(),
    fault("missing-service-account", DB, "          restartPolicy: Never", "          restartPolicy: Never\n          serviceAccountName: backup", "serviceAccountName"),
    fault("volume-missing", DB, "            args: [--all]", "            args: [--all]\n            volumeMounts:\n            - {name: dump, mountPath: /dump}", "name: dump"),
    fault("policy-denied", WEB, "  replicas: 3", "  replicas: 6", "replicas: 6"),
    fault("policy-warned", WEB, "        image: registry.example.com/proxy@sha256", "        image: docker.io/proxy@sha256", "docker.io/proxy"),
    fault("policy-warned", DB, "            image: registry.example.com/backup:2.0.0", "            image: docker.io/backup:2.0.0", "docker.io/backup"),
    fault("policy-invalid", POLICY, "  policyName: replicas.example.com", "  policyName: replica.example.com", "replica.example.com"),
    fault("policy-invalid", POLICY, "variables.replicas <= 5", "variables.replicas <= ", "variables.replicas <="),
    fault("policy-not-evaluated", POLICY, "variables.replicas <= 5", "variables.replicas <= 5 && ip('10.0.0.1').family() == 4", "family()"),
];

/// What is wrong with the repository itself.
pub(crate) const REPOSITORY: &[Fault] = &[
    fault("kustomize-missing-file", DEV, "- db.yaml", "- dbs.yaml", "dbs.yaml"),
    fault(
        "resource-duplicate",
        DB,
        "",
        "---\napiVersion: v1\nkind: Service\nmetadata:\n  name: db\n  namespace: shop\nspec: {}\n",
        "apiVersion: v1",
    ),
    fault("unused-file", DEV, "- queue.yaml\n", "", "apiVersion").at(QUEUE),
    fault("unused-group", "groups/old/kustomization.yaml", "", "resources: []\n", "resources"),
    fault("unused-component", "components/old/kustomization.yaml", "", "kind: Component\n", "kind"),
    fault("unused-file", "clusters/dev/old.yaml", "", "kind: A\n", "kind"),
    fault("suppression-invalid", WEB, "  replicas: 3", "  replicas: 3 # onepane:ignore image-latest", "onepane:ignore"),
    fault(
        "suppression-invalid",
        WEB,
        "  replicas: 3",
        "  replicas: 3 # onepane:ignore image-lates it is",
        "onepane:ignore",
    ),
    fault(
        "suppression-unused",
        WEB,
        "  replicas: 3",
        "  replicas: 3 # onepane:ignore image-latest it is",
        "onepane:ignore",
    ),
    fault(
        "kustomize-unmatched",
        DEV,
        "images:\n",
        "patches:\n- patch: '[{\"op\": \"remove\", \"path\": \"/spec/replicas\"}]'\n  target: {kind: Deployment, name: wbe}\nimages:\n",
        "- patch:",
    ),
];

/// Faults of charts, values, groups and clusters of the example company: they are told where they are made, not in what
/// is rendered.
pub(crate) const EXAMPLE: &[Fault] = &[
    fault("missing-config-map", VALUES_API, "      name: shop-settings", "      name: shop-setting", "shop-setting"),
    fault(
        "missing-secret",
        VALUES_API,
        "    secret: shop-queue-token",
        "    secret: shop-queue-tokn",
        "shop-queue-tokn",
    ),
    fault("missing-key", VALUES_API, "    key: token", "    key: tokn", "key: tokn"),
    fault("requests-over-limits", VALUES_API, "    memory: 64Mi", "    memory: 256Mi", "memory: 256Mi"),
    fault("schema-value", VALUES_API, "    cpu: 100m", "    cpu: 100milli", "100milli"),
    fault("schema-unknown-field", VALUES_API, "  requests:", "  request:", "  request:")
        .also(&["values-unread", "policy-warned"]),
    fault("values-unread", VALUES_API, "envFrom:", "envfrom:", "envfrom:").also(&["missing-config-map"]),
    fault("schema-value", DEPLOYMENT, "{{ .Values.image.pullPolicy }}", "Sometimes", "Sometimes"),
    fault(
        "schema-unknown-field",
        DEPLOYMENT,
        "  revisionHistoryLimit: 3",
        "  revisionHistoryLimits: 3",
        "revisionHistoryLimits",
    ),
    fault(
        "schema-unknown-field",
        DEPLOYMENT,
        "          imagePullPolicy: {{",
        "          imagePulPolicy: {{",
        "imagePulPolicy",
    ),
    fault("volume-missing", DEPLOYMENT, "            - name: data\n", "            - name: date\n", "- name: date"),
    fault("service-port", LIBRARY_SERVICE, "      targetPort: http", "      targetPort: web", "targetPort: web"),
    fault("port-missing", LIBRARY_POD, "  port: http", "  port: web", "port: web"),
    fault(
        "schema-unknown-field",
        "groups/prod/patches/api-resources.yaml",
        "            limits:",
        "            limit:",
        "limit:",
    )
    .also(&["requests-over-limits"]),
    fault("schema-unknown-field", "groups/prod/patches/drain.yaml", "    preStop:", "    prestop:", "prestop"),
    fault(
        "budget-blocks",
        "components/high-availability/disruption-budgets.yaml",
        "  maxUnavailable: 1",
        "  maxUnavailable: 0",
        "maxUnavailable: 0",
    ),
    fault(
        "budget-no-pods",
        "components/high-availability/disruption-budgets.yaml",
        "      app.kubernetes.io/name: storefront",
        "      app.kubernetes.io/name: storefrnt",
        "selector:",
    )
    .at("components/high-availability/disruption-budgets.yaml"),
    fault(
        "schema-value",
        "components/high-availability/spread.yaml",
        "          whenUnsatisfiable: ScheduleAnyway\n          labelSelector:\n            matchLabels:\n              app.kubernetes.io/part-of: shop\n          matchLabelKeys:\n            - app.kubernetes.io/name\n        - maxSkew",
        "          whenUnsatisfiable: ScheduleAnyways\n          labelSelector:\n            matchLabels:\n              app.kubernetes.io/part-of: shop\n          matchLabelKeys:\n            - app.kubernetes.io/name\n        - maxSkew",
        "ScheduleAnyways",
    ),
    fault(
        "network-policy-no-pods",
        "components/network-policies/api.yaml",
        "  podSelector:\n    matchLabels:\n      app.kubernetes.io/name: api",
        "  podSelector:\n    matchLabels:\n      app.kubernetes.io/name: apy",
        "podSelector:",
    ),
    fault(
        "binding-subject",
        "components/queues/rbac.yaml",
        "  - kind: ServiceAccount\n    name: queue-operator",
        "  - kind: ServiceAccount\n    name: queue-operater",
        "queue-operater",
    ),
    fault(
        "selector-mismatch",
        "components/queues/deployment.yaml",
        "    matchLabels:\n      app.kubernetes.io/name: queue-operator",
        "    matchLabels:\n      app.kubernetes.io/name: queue",
        "selector:",
    ),
    fault(
        "schema-value",
        "groups/default/orders-queue.yaml",
        "  visibilityTimeout: 30s",
        "  visibilityTimeout: 30 s",
        "30 s",
    ),
    fault(
        "schema-unknown-field",
        "groups/default/orders-queue.yaml",
        "  maxAttempts: 5",
        "  maxAttemps: 5",
        "maxAttemps",
    ),
    fault("schema-missing-field", "groups/default/orders-queue.yaml", "    name: api\n", "", "service:")
        .at("groups/default/orders-queue.yaml"),
    fault(
        "policy-denied",
        "components/queues/deployment.yaml",
        "          image: registry.shop.example.com/api:1.4.2",
        "          image: docker.io/api:1.4.2",
        "docker.io/api",
    ),
    fault(
        "kustomize-field",
        "clusters/prod-us/shop/kustomization.yaml",
        "configMapGenerator:",
        "configMapGenerators:",
        "configMapGenerators",
    ),
    fault("unused-group", "groups/old/kustomization.yaml", "", "resources: [../default]\n", "resources"),
    fault("unused-file", "groups/prod/patches/old.yaml", "", "kind: A\n", "kind"),
    fault(
        "unused-chart",
        "helm-charts/old/Chart.yaml",
        "",
        "apiVersion: v2\nname: old\nversion: 1.0.0\n",
        "apiVersion",
    ),
    fault("unused-file", "helm-charts/values/old.yaml", "", "a: 1\n", "a: 1"),
    fault(
        "unused-release",
        "groups/monitoring/kustomization.yaml",
        "  - ../../helm-charts/rendered/grafana\n",
        "",
        "Written by",
    )
    .at("helm-charts/rendered/grafana/kustomization.yaml")
    .also(&["kustomize-unmatched", "unused-file"]),
];

/// Edits of rendered files by hand.
pub(crate) const STALE: &[Fault] = &[
    fault(
        "rendered-stale",
        "helm-charts/rendered/api/deployment-api.yaml",
        "  revisionHistoryLimit: 3",
        "  revisionHistoryLimit: 4",
        "revisionHistoryLimit",
    ),
    fault("rendered-stale", "helm-charts/rendered/api/old.yaml", "", "kind: A\n", "kind").also(&["unused-file"]),
    fault("rendered-stale", "helm-charts/worker/values.yaml", "replicas: 1", "replicas: 2", "replicas")
        .at("helm-charts/rendered/worker/deployment-worker.yaml"),
];
