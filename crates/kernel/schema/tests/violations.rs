//! Resources with faults, and what is said of them.

use onepane_diagnostics::FileId;
use onepane_resource::json_document;
use onepane_schema::{Catalogue, Known, KubernetesVersion};

/// `line: message (meant)` of each violation of a manifest.
fn said(catalogue: &Catalogue, text: &str) -> Vec<String> {
    let node = onepane_yaml::read(text, FileId::new("a.yaml")).expect("it is YAML").swap_remove(0);
    let document = json_document(text, &"a").expect("it is JSON");
    let violations = catalogue.violations(&document, &node);
    let line = |violation: &onepane_schema::Violation<'_>| violation.at.span.map_or(0, |span| span.line);
    let meant = |violation: &onepane_schema::Violation<'_>| {
        violation.meant.as_ref().map_or_else(String::new, |meant| format!(" ({meant})"))
    };
    violations.iter().map(|one| format!("{}: {}{}", line(one), one.message, meant(one))).collect()
}

fn version(text: &str) -> KubernetesVersion {
    text.parse().expect("it is known")
}

const DEPLOYMENT: &str = "\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: a
spec:
  replicas: 2
  selector:
    matchLabels: {app: a}
  template:
    metadata:
      labels: {app: a}
    spec:
      containers:
      - name: a
        image: a:1
        imagePullPolicy: Always
        env:
        - name: A
          value: \"1\"
        ports:
        - containerPort: 80
        resources:
          limits: {memory: 64Mi, cpu: 1}
";

#[test]
fn what_is_right_has_no_violation() {
    for version in KubernetesVersion::all() {
        assert_eq!(said(&Catalogue::of(version), DEPLOYMENT), Vec::<String>::new(), "{version}");
    }
}

#[test]
fn each_fault_is_told_at_its_line() {
    let catalogue = Catalogue::of(KubernetesVersion::newest());
    let cases: &[(&str, &str, &str)] = &[
        ("  replicas: 2", "  replica: 2", "6: there is no field `replica` in spec (replicas)"),
        ("  replicas: 2", "  replicas: two", "6: spec.replicas has to be an integer, and is a string"),
        ("  replicas: 2", "  replicas: 2.5", "6: spec.replicas has to be an integer"),
        ("  replicas: 2", "  replicas: 3000000000", "6: spec.replicas has to be an integer of 32 bits"),
        ("  selector:\n    matchLabels: {app: a}\n", "", "5: `selector` is missing in spec"),
        (
            "      labels: {app: a}",
            "      labels: {app: 1}",
            "11: spec.template.metadata.labels.app has to be a string",
        ),
        (
            "      - name: a\n        image",
            "      - image",
            "13: `name` is missing in spec.template.spec.containers[0]",
        ),
        ("value: \"1\"", "value: 1", "18: spec.template.spec.containers[name=a].env[name=A].value has to be a string"),
        (
            "Always",
            "always",
            "15: spec.template.spec.containers[name=a].imagePullPolicy has to be one of Always, IfNotPresent, Never (Always)",
        ),
        ("64Mi", "64mb", "22: spec.template.spec.containers[name=a].resources.limits.memory has to be a quantity"),
        (
            "- containerPort: 80\n",
            "- containerPort: 80\n        - containerPort: 80\n",
            "21: spec.template.spec.containers[name=a].ports[1] is there already",
        ),
    ];
    for (from, to, wanted) in cases {
        let text = DEPLOYMENT.replacen(from, to, 1);
        assert_ne!(text, DEPLOYMENT, "{from}");
        let said = said(&catalogue, &text);
        assert!(matches!(said.as_slice(), [only] if only.contains(&wanted[2..])), "{to}: {said:?}");
    }
}

#[test]
fn a_definition_of_the_repository_is_a_schema() {
    let definition = json_document(
        "
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
spec:
  group: example.com
  scope: Namespaced
  names: {kind: Queue, plural: queues}
  versions:
  - name: v1
    served: true
    schema:
      openAPIV3Schema:
        type: object
        required: [spec]
        properties:
          spec:
            type: object
            required: [service, mode]
            properties:
              service: {type: string, minLength: 1, pattern: '^[a-z]+$'}
              mode: {type: string, enum: [fifo, lifo], default: fifo}
              port: {x-kubernetes-int-or-string: true}
              tries: {type: integer, minimum: 1, maximum: 5}
              more: {type: object, x-kubernetes-preserve-unknown-fields: true}
              labels: {type: object, additionalProperties: {type: string}}
",
        &"a definition",
    )
    .expect("it is JSON");
    let mut catalogue = Catalogue::of(KubernetesVersion::newest());
    catalogue.add_definition(&definition);
    let head = "apiVersion: example.com/v1\nkind: Queue\nmetadata: {name: a}\n";
    let cases: &[(&str, &[&str])] = &[
        ("spec: {service: api, port: http, tries: 3, more: {a: {b: 1}}, labels: {a: b}}", &[]),
        ("spec: {service: api, port: 80}", &[]),
        (
            "spec: {servise: api}",
            &["4: there is no field `servise` in spec (service)", "4: `service` is missing in spec"],
        ),
        ("spec: {service: API}", &["4: spec.service has to be a text that matches ^[a-z]+$"]),
        ("spec: {service: a, mode: lifoo}", &["4: spec.mode has to be one of fifo, lifo (lifo)"]),
        ("spec: {service: a, tries: 9}", &["4: spec.tries has to be at most 5"]),
        ("spec: {service: a, port: [1]}", &["4: spec.port has to be an integer or a string, and is a list"]),
        ("spec: {service: a, labels: {a: 1}}", &["4: spec.labels.a has to be a string, and is a number"]),
        ("other: 1", &["4: there is no field `other` in the resource", "2: `spec` is missing in the resource"]),
    ];
    for (text, wanted) in cases {
        assert_eq!(said(&catalogue, &format!("{head}{text}\n")), *wanted, "{text}");
    }
    let metadata = format!("{}spec: {{service: a}}\n", head.replace("{name: a}", "{name: a, lables: {}}"));
    assert_eq!(said(&catalogue, &metadata), ["3: there is no field `lables` in metadata (labels)"]);
}

#[test]
fn what_a_definition_says_beside_its_structure_has_to_be_true() {
    let definition = json_document(
        "
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
spec:
  group: example.com
  scope: Namespaced
  names: {kind: Queue, plural: queues}
  versions:
  - name: v1
    served: true
    schema:
      openAPIV3Schema:
        type: object
        not: {required: [old]}
        properties:
          old: {type: string}
          either: {type: object, properties: {a: {type: string}, b: {type: string}}, anyOf: [{required: [a]}, {required: [b]}]}
          one:
            type: object
            properties: {a: {type: string}, b: {type: string, default: x}, c: {type: string}}
            oneOf: [{required: [a]}, {required: [b, c]}]
          items: {type: array, items: {type: integer, allOf: [{minimum: 2, exclusiveMinimum: true}]}}
          port: {x-kubernetes-int-or-string: true, anyOf: [{type: integer}, {type: string}], allOf: [{maximum: 9}]}
          text: {type: string, anyOf: [{pattern: '^a'}, {maxLength: 2}]}
          cut: {type: object, oneOf: [{$ref: 'https://example.com/x'}]}
",
        &"a definition",
    )
    .expect("it is JSON");
    let mut catalogue = Catalogue::of(KubernetesVersion::newest());
    catalogue.add_definition(&definition);
    let head = "apiVersion: example.com/v1\nkind: Queue\nmetadata: {name: a}\n";
    let cases: &[(&str, &[&str])] = &[
        ("either: {a: x, b: z}\none: {a: x}\nitems: [3, 4]\nport: 9\ntext: ba\ncut: {}", &[]),
        // What has a default is there.
        ("one: {c: x}", &[]),
        ("one: {a: x, c: x}", &["4: one has to have exactly one of `a`, `b` and `c`"]),
        ("old: x", &["2: the resource may not have `old`"]),
        ("either: {}", &["4: either has to have `a` or `b`"]),
        ("items: [3, 2]", &["4: items[1] does not fit all schemas of `allOf`"]),
        ("port: 10", &["4: port does not fit all schemas of `allOf`"]),
        ("text: bad", &["4: text fits none of the schemas of `anyOf`"]),
        ("text: [bad]", &["4: text has to be a string, and is a list"]),
    ];
    for (text, wanted) in cases {
        assert_eq!(said(&catalogue, &format!("{head}{text}\n")), *wanted, "{text}");
    }
}

#[test]
fn kinds_are_known_by_version() {
    let known = |at: &str, api_version: &str, kind: &str| Catalogue::of(version(at)).known(api_version, kind);
    let meant = |api_version: &str, kind: &str| Known::No { meant: Some((api_version.to_owned(), kind.to_owned())) };
    assert_eq!(known("1.35", "apps/v1", "Deployment"), Known::Yes);
    assert_eq!(known("1.35", "apps/v1", "Deploymnt"), meant("apps/v1", "Deployment"));
    assert_eq!(known("1.35", "extensions/v1beta1", "Ingress"), meant("networking.k8s.io/v1", "Ingress"));
    assert_eq!(known("1.35", "v1", "Deployment"), meant("apps/v1", "Deployment"));
    assert_eq!(known("1.31", "resource.k8s.io/v1", "DeviceClass"), meant("resource.k8s.io/v1alpha3", "DeviceClass"));
    assert_eq!(known("1.37", "resource.k8s.io/v1", "DeviceClass"), Known::Yes);
    assert_eq!(known("1.35", "monitoring.coreos.com/v1", "ServiceMonitor"), Known::Foreign);
    assert!("1.12".parse::<KubernetesVersion>().is_err() && "2.0".parse::<KubernetesVersion>().is_err());
    assert_eq!("v1.33.4-gke.1".parse(), Ok(version("1.33")));
}
