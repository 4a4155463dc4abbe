//! Policies, their bindings, and what they say of the resources of a scene: [`findings`].

use crate::blame::blamed;
use crate::expression::{Evaluator, Unknown, Variables};
use crate::matching::Request;
use cel::Value;
use onepane_resource::{GroupVersionKind, pods};
use onepane_rules::{Finding, Item, Scene};
use onepane_yaml::Node;
use serde_json::{Value as Json, json};
use std::collections::HashSet;

/// What all policies of a scene that are bound say of the resources to judge.
pub(crate) fn findings(scene: &Scene<'_>) -> Vec<Finding> {
    let group = "admissionregistration.k8s.io";
    let bindings = || scene.all().iter().filter(|item| item.is(group, "ValidatingAdmissionPolicyBinding"));
    let mut judge = Judge { scene, evaluator: Evaluator::new(), found: Vec::new(), told: HashSet::new() };
    let names: HashSet<&str> = bindings().filter_map(|binding| text(&binding.document, "/spec/policyName")).collect();
    let policies: Vec<&Item<'_>> =
        scene.all().iter().filter(|item| item.is(group, "ValidatingAdmissionPolicy")).collect();
    for binding in scene.judged().iter().filter(|item| item.is(group, "ValidatingAdmissionPolicyBinding")) {
        let Some(at) = binding.node().at(&["spec", "policyName"]) else { continue };
        if !policies.iter().any(|policy| Some(policy.resource.name()) == at.as_str()) {
            let message =
                format!("{binding} is for the policy `{}`, which is not there", at.as_str().unwrap_or_default());
            judge.found.push(Finding::new("policy-invalid", at, message));
        }
    }
    for policy in policies {
        if !names.contains(policy.resource.name()) {
            continue;
        }
        for binding in
            bindings().filter(|binding| text(&binding.document, "/spec/policyName") == Some(policy.resource.name()))
        {
            judge.policy(policy, binding);
        }
    }
    judge.found
}

struct Judge<'s, 'a> {
    scene: &'s Scene<'a>,
    evaluator: Evaluator,
    found: Vec<Finding>,
    /// Expressions of which it was told that they can't be evaluated.
    told: HashSet<String>,
}

/// A policy with what its binding adds.
struct Bound<'p, 'a> {
    policy: &'p Item<'a>,
    variables: Vec<(String, String)>,
    params: Json,
    code: &'static str,
    ignores_failures: bool,
}

impl<'s, 'a> Judge<'s, 'a> {
    fn policy(&mut self, policy: &'s Item<'a>, binding: &Item<'_>) {
        let actions = binding.document.pointer("/spec/validationActions").and_then(Json::as_array);
        let denies = actions.is_none_or(|actions| actions.iter().any(|action| action == "Deny"));
        let variables = list(&policy.document, "/spec/variables");
        let variables = variables
            .iter()
            .filter_map(|one| Some((text(one, "/name")?.to_owned(), text(one, "/expression")?.to_owned())));
        let mut bound = Bound {
            policy,
            variables: variables.collect(),
            params: Json::Null,
            code: if denies { "policy-denied" } else { "policy-warned" },
            ignores_failures: text(&policy.document, "/spec/failurePolicy") == Some("Ignore"),
        };
        let spec = |item: &Item<'_>, key: &str| item.document.pointer(&format!("/spec/{key}")).cloned();
        let (constraints, resources) = (spec(policy, "matchConstraints"), spec(binding, "matchResources"));
        for item in self.scene.judged() {
            let mut requests = vec![(
                item.document.clone(),
                item.resource.api_version().to_owned(),
                item.resource.kind().to_owned(),
                item.node(),
            )];
            if let Some((pod, node)) = pod_of(item) {
                requests.push((pod, "v1".to_owned(), "Pod".to_owned(), node));
            }
            for (document, api_version, kind, node) in requests {
                let plural = self.scene.catalogue().kind(&api_version, &kind).map(|kind| kind.plural.to_owned());
                let namespace = self
                    .scene
                    .all()
                    .iter()
                    .find(|other| other.is("", "Namespace") && other.resource.name() == item.namespace);
                let request = Request {
                    document: &document,
                    api_version: &api_version,
                    kind: &kind,
                    plural: plural.as_deref().unwrap_or_default(),
                    namespace: &item.namespace,
                    namespace_object: namespace.map(|namespace| &namespace.document),
                };
                if request.is_taken(constraints.as_ref()) && request.is_taken(resources.as_ref()) {
                    bound.params = self.params(policy, binding, &item.namespace);
                    self.validate(&bound, item, &request, node);
                }
            }
        }
    }

    /// What a binding hands to its policy.
    fn params(&self, policy: &Item<'_>, binding: &Item<'_>, namespace: &str) -> Json {
        let kind = |key: &str| text(&policy.document, &format!("/spec/paramKind/{key}"));
        let (Some(api_version), Some(kind), Some(name)) =
            (kind("apiVersion"), kind("kind"), text(&binding.document, "/spec/paramRef/name"))
        else {
            return Json::Null;
        };
        let namespace = text(&binding.document, "/spec/paramRef/namespace").unwrap_or(namespace);
        let is_it = |item: &&Item<'_>| {
            item.resource.kind() == kind
                && item.resource.api_version() == api_version
                && item.resource.name() == name
                && (item.namespace.is_empty() || item.namespace == namespace)
        };
        self.scene.all().iter().find(is_it).map_or(Json::Null, |item| item.document.clone())
    }

    fn validate(&mut self, bound: &Bound<'_, '_>, item: &Item<'_>, request: &Request<'_>, node: &Node) {
        for condition in list(&bound.policy.document, "/spec/matchConditions") {
            let Some(expression) = text(condition, "/expression") else { continue };
            match self.evaluate(bound, request, request.document, expression) {
                Ok(Value::Bool(true)) => {}
                Ok(_) => return,
                Err(unknown) => return self.unknown(bound, item, expression, &unknown, "matchConditions"),
            }
        }
        for (index, validation) in list(&bound.policy.document, "/spec/validations").iter().enumerate() {
            let Some(expression) = text(validation, "/expression") else { continue };
            match self.evaluate(bound, request, request.document, expression) {
                Ok(Value::Bool(true)) => {}
                Ok(Value::Bool(false)) => self.denied(bound, item, request, node, validation, index),
                Ok(_) => {
                    let unknown = Unknown::Invalid("it is neither true nor false".to_owned());
                    self.unknown(bound, item, expression, &unknown, "validations");
                }
                Err(unknown) => self.unknown(bound, item, expression, &unknown, "validations"),
            }
        }
    }

    fn evaluate(
        &mut self,
        bound: &Bound<'_, '_>,
        request: &Request<'_>,
        object: &Json,
        text: &str,
    ) -> Result<Value, Unknown> {
        let (group, version) = GroupVersionKind::split_api_version(request.api_version);
        let metadata = |key: &str| object.pointer(&format!("/metadata/{key}")).cloned().unwrap_or_default();
        let asked = json!({
            "operation": "CREATE",
            "kind": {"group": group, "version": version, "kind": request.kind},
            "resource": {"group": group, "version": version, "resource": request.plural},
            "name": metadata("name"),
            "namespace": request.namespace,
            "dryRun": false,
        });
        let variables: Variables<'_> = vec![
            ("object", object.clone()),
            ("oldObject", Json::Null),
            ("request", asked),
            ("params", bound.params.clone()),
            ("namespaceObject", request.namespace_object.cloned().unwrap_or_default()),
        ];
        self.evaluator.evaluate(text, &variables, &bound.variables)
    }

    fn denied(
        &mut self,
        bound: &Bound<'_, '_>,
        item: &Item<'_>,
        request: &Request<'_>,
        node: &Node,
        validation: &Json,
        index: usize,
    ) {
        let expression = text(validation, "/expression").unwrap_or_default();
        // What is made of values may be secret.
        let is_secret = item.is("", "Secret");
        let made = text(validation, "/messageExpression").filter(|_| !is_secret);
        let made = made.and_then(|made| self.evaluate(bound, request, request.document, made).ok());
        let said = match made {
            Some(Value::String(text)) if !text.trim().is_empty() => text.to_string(),
            _ => text(validation, "/message")
                .map_or_else(|| format!("`{}` is false", one_line(expression)), str::to_owned),
        };
        let whole = self.with_variables(bound, expression);
        let mut alone = |keys: &[&str], index: usize| {
            let mut object = request.document.clone();
            let pointer: String = keys.iter().map(|key| format!("/{key}")).collect();
            if let Some(Json::Array(items)) = object.pointer_mut(&pointer) {
                *items = items.get(index).cloned().into_iter().collect();
            }
            self.evaluate(bound, request, &object, expression) == Ok(Value::Bool(false))
        };
        let at = blamed(node, "object", &whole, &mut alone);
        let verb = if bound.code == "policy-denied" { "denies" } else { "warns of" };
        let message = format!("the policy {} {verb} {item}: {}", bound.policy.resource.name(), one_line(&said));
        let mut finding = Finding::new(bound.code, at.unwrap_or_else(|| kind_of(item)), message);
        let line = bound
            .policy
            .node()
            .at(&["spec", "validations"])
            .and_then(Node::items)
            .and_then(|items| items.get(index)?.get("expression")?.span);
        if let Some(span) = line {
            finding = finding.hint(format!("by the expression at {}:{}", span.file.path(), span.line));
        }
        self.found.push(finding);
    }

    /// An expression together with those of the variables that it uses.
    fn with_variables(&self, bound: &Bound<'_, '_>, expression: &str) -> String {
        let mut whole = expression.to_owned();
        for (name, other) in bound.variables.iter().rev() {
            if whole.contains(&format!("variables.{name}")) {
                whole.push('\n');
                whole.push_str(other);
            }
        }
        whole
    }

    /// An expression without a value, which is told once.
    fn unknown(&mut self, bound: &Bound<'_, '_>, item: &Item<'_>, expression: &str, unknown: &Unknown, list: &str) {
        let name = bound.policy.resource.name();
        let shown = one_line(expression);
        match unknown {
            // The failure is passed over in a cluster, too.
            Unknown::Fails(_) if bound.ignores_failures => {}
            // A cluster may have filled in what is not there.
            Unknown::Fails(why) => {
                let message = format!(
                    "the policy {name} is not evaluated for {item}: `{shown}`: {why}, unless a cluster fills it in"
                );
                self.tell_once("policy-not-evaluated", bound, list, expression, message);
            }
            Unknown::Missing(why) => {
                self.tell_once(
                    "policy-not-evaluated",
                    bound,
                    list,
                    expression,
                    format!("the policy {name} is not evaluated: `{shown}`: {why}"),
                );
            }
            Unknown::Invalid(why) => {
                self.tell_once(
                    "policy-invalid",
                    bound,
                    list,
                    expression,
                    format!("an expression of the policy {name} is no CEL: `{shown}`: {why}"),
                );
            }
        }
    }

    fn tell_once(&mut self, code: &'static str, bound: &Bound<'_, '_>, list: &str, expression: &str, message: String) {
        if !self.told.insert(format!("{}\n{expression}", bound.policy.resource.name())) {
            return;
        }
        let items = bound.policy.node().at(&["spec", list]).and_then(Node::items).unwrap_or_default();
        let at = items.iter().filter_map(|item| item.get("expression")).find(|node| node.as_str() == Some(expression));
        self.found.push(Finding::new(code, at.unwrap_or_else(|| kind_of(bound.policy)), message));
    }
}

/// The pod that a workload would make, and its template.
fn pod_of<'a>(item: &Item<'a>) -> Option<(Json, &'a Node)> {
    let (group, kind) = (item.group(), item.resource.kind());
    if kind == "Pod" {
        return None;
    }
    let template = pods::template(group, kind, &item.document)?;
    let mut metadata = template.get("metadata").cloned().unwrap_or_else(|| json!({}));
    metadata["namespace"] = Json::from(item.namespace.clone());
    metadata["generateName"] = Json::from(format!("{}-", item.resource.name()));
    let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": template.get("spec")?});
    Some((pod, pods::template(group, kind, item.node())?))
}

fn kind_of<'a>(item: &Item<'a>) -> &'a Node {
    item.node().get("kind").unwrap_or(item.node())
}

fn text<'j>(json: &'j Json, pointer: &str) -> Option<&'j str> {
    json.pointer(pointer).and_then(Json::as_str)
}

fn list<'j>(json: &'j Json, pointer: &str) -> &'j [Json] {
    json.pointer(pointer).and_then(Json::as_array).map_or(&[], Vec::as_slice)
}

pub(crate) fn one_line(text: &str) -> String {
    const LONGEST: usize = 160;
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().count() <= LONGEST {
        line
    } else {
        format!("{}…", line.chars().take(LONGEST).collect::<String>())
    }
}
