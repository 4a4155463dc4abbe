//! From a request to its answer: [`answer`].

use crate::accept::{self, Form};
use crate::cluster::{Cluster, UnknownFields, Writing, invalid_option};
use crate::deletion::{Deletion, Left, Propagation};
use crate::discovery;
use crate::failure::{Cause, Failure, Result};
use crate::kinds::Kind;
use crate::listing;
use crate::managed_fields::Manager;
use crate::object::{self, text};
use crate::patch::{self, PatchKind};
use crate::reply::Reply;
use crate::request::{Request, Target};
use crate::store::Key;
use crate::subresources;
use crate::table::{metadata_of, table};
use serde_json::{Value, json};
use std::sync::Arc;

/// What a path is.
pub(crate) enum Path {
    /// A path that names no resource, and its answer.
    Other(Reply),
    Resource(Box<Target>),
}

/// Finds out what a path is.
pub(crate) fn path(cluster: &Cluster, request: &Request, address: &str) -> Path {
    let steps: Vec<&str> = request.path.split('/').filter(|step| !step.is_empty()).collect();
    let target = match &steps[..] {
        ["api", version, rest @ ..] if !rest.is_empty() => Target::read(&cluster.kinds, "", version, rest),
        ["apis", group, version, rest @ ..] if !rest.is_empty() => Target::read(&cluster.kinds, group, version, rest),
        _ => return Path::Other(other(cluster, request, &steps, address).unwrap_or_else(Reply::from)),
    };
    match target {
        Ok(target) => Path::Resource(Box::new(target)),
        Err(failure) => Path::Other(failure.into()),
    }
}

/// What is no resource: discovery, health.
fn other(cluster: &Cluster, request: &Request, steps: &[&str], address: &str) -> Result<Reply> {
    let kinds = &cluster.kinds.listed();
    if request.method != "GET" {
        return Err(Failure::method_not_allowed());
    }
    if matches!(steps, ["healthz" | "readyz" | "livez", ..]) {
        return Ok(Reply::text(200, "ok"));
    }
    let is_protobuf_only = matches!(steps, ["openapi", "v2"]) && accept::form(&request.accept).is_err();
    if is_protobuf_only {
        return Err(Failure::not_acceptable());
    }
    let form = accept::form(&request.accept).unwrap_or(Form::Whole);
    let found = match steps {
        [] => Some(
            json!({"paths": ["/api", "/api/v1", "/apis", "/healthz", "/livez", "/openapi/v2", "/openapi/v3", "/readyz", "/version"]}),
        ),
        ["version"] => Some(discovery::version()),
        ["api"] | ["apis"] if form == Form::Discovery => {
            let mut reply = Reply::json(200, discovery::aggregated(kinds, steps == ["api"]));
            reply.headers.push((
                "Content-Type",
                "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList".to_owned(),
            ));
            return Ok(reply);
        }
        ["api"] => Some(discovery::core_versions(address)),
        ["apis"] => Some(discovery::groups(kinds)),
        ["apis", group] => discovery::group(kinds, group),
        ["api", version] => discovery::resources(kinds, "", version),
        ["apis", group, version] => discovery::resources(kinds, group, version),
        ["openapi", "v2"] => Some(discovery::swagger()),
        ["openapi", "v3"] => Some(discovery::openapi(kinds)),
        ["openapi", "v3", "api", version] => discovery::openapi_document(kinds, "", version),
        ["openapi", "v3", "apis", group, version] => discovery::openapi_document(kinds, group, version),
        _ => None,
    };
    Ok(match found {
        Some(found) => Reply::json(200, found),
        None => Reply::text(404, "404 page not found\n"),
    })
}

/// What a request wants to do, as faults, counts and discovery name it.
pub(crate) fn verb(request: &Request, target: &Target) -> &'static str {
    let is_single = !target.name.is_empty();
    match (&*request.method, is_single) {
        ("GET" | "HEAD", true) => "get",
        ("GET" | "HEAD", false) if request.flag("watch") => "watch",
        ("GET" | "HEAD", false) => "list",
        ("POST", _) => "create",
        ("PUT", true) => "update",
        ("PATCH", true) if request.media_type() == "application/apply-patch+yaml" => "apply",
        ("PATCH", true) => "patch",
        ("DELETE", true) => "delete",
        ("DELETE", false) => "deletecollection",
        _ => "",
    }
}

/// Does what a request wants of a resource.
pub(crate) fn answer(cluster: &mut Cluster, request: &Request, target: &Target) -> Reply {
    act(cluster, request, target).unwrap_or_else(Reply::from)
}

fn act(cluster: &mut Cluster, request: &Request, target: &Target) -> Result<Reply> {
    let kind = &target.kind;
    let form = accept::form(&request.accept)?;
    let verb = verb(request, target);
    if let Some(verbs) = &kind.verbs {
        return match verbs.iter().any(|served| served == verb) {
            true => subresources::review(cluster, request, target),
            false => Err(Failure::method_not_allowed()),
        };
    }
    if !target.subresource.is_empty()
        && let Some(reply) = subresources::answer(cluster, request, target, verb)?
    {
        return Ok(reply);
    }
    let key = Cluster::key(kind, &target.namespace, &target.name);
    match verb {
        "get" => {
            let object = cluster.store.get(&key).cloned().ok_or_else(|| Failure::not_found(kind, &target.name))?;
            Ok(single(200, request, kind, form, &object))
        }
        "list" => listing::list(cluster, request, target, form),
        "watch" => listing::watch(cluster, request, target, form),
        "create" if target.name.is_empty() => {
            if kind.is_namespaced && target.namespace.is_empty() {
                return Err(Failure::method_not_allowed());
            }
            let document = document(request, kind)?;
            let writing = writing(request, target, "CreateOptions")?;
            let written = cluster.create(kind, &target.namespace, document, &writing, false)?;
            Ok(single(201, request, kind, form, &written.object).warn(&written.warnings))
        }
        "update" => {
            let document = document(request, kind)?;
            let writing = writing(request, target, "UpdateOptions")?;
            if kind.custom.is_some()
                && text(&document, &["metadata", "resourceVersion"]).is_empty()
                && cluster.store.get(&key).is_some()
            {
                let cause = Cause {
                    reason: "FieldValueInvalid",
                    message: "Invalid value: 0: must be specified for an update".to_owned(),
                    field: "metadata.resourceVersion".to_owned(),
                };
                return Err(Failure::invalid(&kind.group, &kind.plural, &target.name, &[cause]));
            }
            let written = cluster.update(kind, &key, &writing, |_| Ok(document))?;
            Ok(single(200, request, kind, form, &written.object).warn(&written.warnings))
        }
        "patch" => {
            let patch_kind = patch_kind(request, kind)?;
            let change: Value = serde_json::from_slice(&request.body)
                .map_err(|error| Failure::bad_request(format!("error decoding patch: {error}")))?;
            let writing = writing(request, target, "PatchOptions")?;
            let written = cluster.update(kind, &key, &writing, |old| {
                let mut new = old.clone();
                patch::patch(patch_kind, &kind.shape, &mut new, &change)?;
                // A patch that says nothing of them changes no managed fields.
                if object::at(&new, &["metadata", "managedFields"]) == object::at(old, &["metadata", "managedFields"]) {
                    object::remove(&mut new, &["metadata", "managedFields"]);
                }
                Ok(new)
            })?;
            Ok(single(200, request, kind, form, &written.object).warn(&written.warnings))
        }
        "apply" => apply(cluster, request, target, form, &key),
        "delete" => {
            let deletion = deletion(request)?;
            let left = cluster.delete(kind, &key, &deletion)?;
            Ok(match left {
                Left::Waiting(object) => single(200, request, kind, form, &object),
                Left::Gone(object) if kind.kind == "Pod" && kind.group.is_empty() => {
                    single(200, request, kind, form, &object)
                }
                Left::Gone(object) => Reply::json(200, deleted(kind, &object)),
            })
        }
        "deletecollection" => {
            let deletion = deletion(request)?;
            let found = listing::selected(cluster, request, target)?;
            for object in &found {
                let key = Cluster::key(kind, object::namespace(object), object::name(object));
                cluster.delete(kind, &key, &deletion)?;
            }
            Ok(Reply::json(200, listing::list_of(cluster, kind, &found)))
        }
        _ => Err(Failure::method_not_allowed()),
    }
}

fn apply(cluster: &mut Cluster, request: &Request, target: &Target, form: Form, key: &Key) -> Result<Reply> {
    let kind = &target.kind;
    let configuration = request.yaml()?;
    if request.parameter("fieldManager").is_empty() {
        let cause = Cause::required("fieldManager", "is required for apply patch");
        return Err(invalid_option("PatchOptions", cause));
    }
    check_type(kind, &configuration)?;
    let writing = writing(request, target, "PatchOptions")?;
    if object::at(&configuration, &["metadata", "managedFields"]).is_some_and(|entries| !entries.is_null()) {
        return Err(Failure::bad_request("metadata.managedFields must be nil"));
    }
    let mut configuration = configuration;
    if object::name(&configuration).is_empty() {
        object::set(&mut configuration, &["metadata", "name"], target.name.clone());
    }
    let name = object::name(&configuration);
    if name != target.name {
        let message = format!("the name of the object ({name}) does not match the name on the URL ({})", target.name);
        return Err(Failure::bad_request(message));
    }
    let is_new = cluster.store.get(key).is_none();
    let written = cluster.apply(kind, key, &writing, configuration, request.flag("force"))?;
    Ok(single(if is_new { 201 } else { 200 }, request, kind, form, &written.object).warn(&written.warnings))
}

/// One object in the form that is wanted.
pub(crate) fn single(status: u16, request: &Request, kind: &Kind, form: Form, object: &Arc<Value>) -> Reply {
    let shown = match form {
        Form::Metadata => metadata_of(object),
        Form::Table => {
            let version = text(object, &["metadata", "resourceVersion"]);
            table(kind, std::slice::from_ref(object), version, request.parameter("includeObject"))
        }
        Form::Whole | Form::Discovery => {
            let mut shown = Value::clone(object);
            object::set(&mut shown, &["apiVersion"], kind.api_version());
            shown
        }
    };
    Reply::json(status, shown)
}

fn deleted(kind: &Kind, object: &Value) -> Value {
    let mut details = json!({"name": object::name(object), "kind": kind.plural, "uid": object::uid(object)});
    if !kind.group.is_empty() {
        details["group"] = kind.group.clone().into();
    }
    json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details})
}

/// The body, which has to be of the kind that the path names, if it says of which it is.
fn document(request: &Request, kind: &Kind) -> Result<Value> {
    let mut document = request.document(&kind.kind)?;
    if kind.custom.is_some() && text(&document, &["kind"]).is_empty() {
        let body = document.to_string();
        let why = format!("Object 'Kind' is missing in '{body}' ({body})");
        let message = format!("the object provided is unrecognized (must be of type {}): {why}", kind.kind);
        return Err(Failure::bad_request(message));
    }
    check_type(kind, &document)?;
    if !document["metadata"].is_object() {
        object::set(&mut document, &["metadata"], json!({}));
    }
    Ok(document)
}

fn check_type(kind: &Kind, document: &Value) -> Result<()> {
    let (version, of) = (text(document, &["apiVersion"]), text(document, &["kind"]));
    if !of.is_empty() && of != kind.kind {
        let message = format!("{of} in version {version:?} cannot be handled as a {}: unknown conversion", kind.kind);
        return Err(Failure::bad_request(message));
    }
    let expected = kind.api_version();
    if !version.is_empty() && version != expected {
        let message =
            format!("the API version in the data ({version}) does not match the expected API version ({expected})");
        return Err(Failure::bad_request(message));
    }
    Ok(())
}

fn patch_kind(request: &Request, kind: &Kind) -> Result<PatchKind> {
    match PatchKind::of_media_type(request.media_type()) {
        // Of what is defined at run time nobody knows how to merge lists.
        Some(PatchKind::Strategic) if kind.custom.is_some() => {
            let accepted = "application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml";
            Err(Failure::unsupported_media_type(accepted))
        }
        Some(kind) => Ok(kind),
        None => Err(Failure::unknown_patch()),
    }
}

/// Who writes, and how, as the parameters tell; `options` is what messages call them.
pub(crate) fn writing(request: &Request, target: &Target, options: &str) -> Result<Writing> {
    let dry_run = dry_run(request.parameter("dryRun"), options)?;
    let unknown_fields = match request.parameter("fieldValidation") {
        "" | "Warn" => UnknownFields::Warn,
        "Ignore" => UnknownFields::Ignore,
        "Strict" => UnknownFields::Refuse,
        other => {
            let message =
                format!("Unsupported value: {other:?}: supported values: \"\", \"Ignore\", \"Strict\", \"Warn\"");
            let cause = Cause { reason: "FieldValueNotSupported", message, field: "fieldValidation".to_owned() };
            return Err(invalid_option(options, cause));
        }
    };
    let own = request.user_agent.split('/').next().unwrap_or_default();
    let name = match request.parameter("fieldManager") {
        "" if own.is_empty() => "unknown",
        "" => own,
        given => given,
    };
    if name.chars().count() > 128 {
        let message = "Too long: may not be more than 128 bytes".to_owned();
        let cause = Cause { reason: "FieldValueTooLong", message, field: "fieldManager".to_owned() };
        return Err(invalid_option(options, cause));
    }
    let manager = Manager { name: name.to_owned(), subresource: target.subresource.clone() };
    Ok(Writing { manager, dry_run, unknown_fields })
}

fn dry_run(value: &str, options: &str) -> Result<bool> {
    match value {
        "" => Ok(false),
        "All" => Ok(true),
        other => {
            let message = format!("Unsupported value: [{other:?}]: supported values: \"All\"");
            let cause = Cause { reason: "FieldValueNotSupported", message, field: "dryRun".to_owned() };
            Err(invalid_option(options, cause))
        }
    }
}

/// How something is deleted: a body says so, or else the parameters.
pub(crate) fn deletion(request: &Request) -> Result<Deletion> {
    let mut options = json!({});
    if !request.body.is_empty() {
        options = request.document("DeleteOptions")?;
    }
    let given = |name: &str| -> String {
        match options.get(name) {
            Some(Value::String(text)) => text.clone(),
            Some(Value::Array(all)) => all.first().and_then(Value::as_str).unwrap_or_default().to_owned(),
            _ => request.parameter(name).to_owned(),
        }
    };
    let propagation = match &*given("propagationPolicy") {
        "" if options["orphanDependents"] == true => Some(Propagation::Orphan),
        "" => None,
        "Background" => Some(Propagation::Background),
        "Foreground" => Some(Propagation::Foreground),
        "Orphan" => Some(Propagation::Orphan),
        other => {
            let message = format!(
                "Unsupported value: {other:?}: supported values: \"Foreground\", \"Background\", \"Orphan\", \"nil\""
            );
            let cause = Cause { reason: "FieldValueNotSupported", message, field: "propagationPolicy".to_owned() };
            return Err(invalid_option("DeleteOptions", cause));
        }
    };
    let precondition = |field: &str| {
        let given = text(&options, &["preconditions", field]);
        (!given.is_empty()).then(|| given.to_owned())
    };
    let grace = object::number(&options, &["gracePeriodSeconds"]);
    Ok(Deletion {
        grace: grace.or_else(|| request.parameter("gracePeriodSeconds").parse().ok()),
        uid: precondition("uid"),
        resource_version: precondition("resourceVersion"),
        propagation,
        dry_run: dry_run(&given("dryRun"), "DeleteOptions")?,
    })
}
