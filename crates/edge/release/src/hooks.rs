//! Hooks: made, waited for, their logs shown, deleted, as their annotations say: [`run`].

use crate::apply::{self, Method};
use crate::failure::Failure;
use crate::release::{Hook, LastRun, Release};
use crate::session::{Said, Session};
use crate::storage::Held;
use crate::time::Time;
use crate::wait::Wait;
use futures::lock::Mutex;
use onepane_cluster::{Request, Resource, Validation};
use serde_json::Value;

/// How hooks are run.
pub(crate) struct Running<'h> {
    pub(crate) wait: Wait,
    pub(crate) method: Method,
    /// The revision, if somebody is at work on it.
    pub(crate) held: &'h Mutex<Held>,
}

/// What is left to do once hooks have run, and their logs were looked at.
pub(crate) struct Ran {
    /// The hooks, by their places in the release.
    order: Vec<usize>,
    failed: Option<usize>,
}

const BEFORE: &str = "before-hook-creation";
const SUCCEEDED: &str = "hook-succeeded";
const FAILED: &str = "hook-failed";

/// Runs the hooks of an event, and deletes those that are to go. The error is Helm's.
pub(crate) async fn run(
    session: &Session<'_>,
    release: &mut Release,
    event: &str,
    running: &Running<'_>,
) -> Result<(), Failure> {
    let (ran, outcome) = run_and_keep(session, release, event, running).await;
    ran.clean_up(session, release, running).await?;
    outcome
}

/// Runs the hooks of an event, and leaves it to the caller to delete those that are to go.
pub(crate) async fn run_and_keep(
    session: &Session<'_>,
    release: &mut Release,
    event: &str,
    running: &Running<'_>,
) -> (Ran, Result<(), Failure>) {
    let mut order: Vec<usize> =
        (0..release.hooks.len()).filter(|at| release.hooks[*at].events.iter().any(|one| one == event)).collect();
    order.sort_by(|a, b| {
        let (a, b) = (&release.hooks[*a], &release.hooks[*b]);
        (a.weight, &a.name).cmp(&(b.weight, &b.name))
    });
    for (place, at) in order.iter().enumerate() {
        let nothing_left = Ran { order: Vec::new(), failed: None };
        match run_one(session, release, *at, event, running).await {
            Ok(None) => {}
            Ok(Some(failure)) => {
                let ran = Ran { order: order[..place].to_vec(), failed: Some(*at) };
                return (ran, Err(failure));
            }
            Err(failure) => return (nothing_left, Err(failure)),
        }
    }
    (Ran { order, failed: None }, Ok(()))
}

/// Runs one. Gives why it has failed, if it has; errors are those of what is around it.
async fn run_one(
    session: &Session<'_>,
    release: &mut Release,
    at: usize,
    event: &str,
    running: &Running<'_>,
) -> Result<Option<Failure>, Failure> {
    if release.hooks[at].delete_policies.is_empty() {
        release.hooks[at].delete_policies.push(BEFORE.to_owned());
    }
    delete(session, &release.hooks[at], BEFORE, &running.wait).await?;
    let path = release.hooks[at].path.clone();
    let resources = built(session, &release.hooks[at], Validation::Strict)
        .await
        .map_err(|error| format!("unable to build kubernetes object for {event} hook {path}: {error}"))?;
    release.hooks[at].last_run =
        LastRun { started_at: Some(Time::now()), completed_at: None, phase: "Running".to_owned() };
    session.record(running.held, release).await?;
    let hook = &mut release.hooks[at];
    hook.last_run.phase = "Unknown".to_owned();
    if let Err(error) = apply::create(session, &resources, running.method).await {
        hook.last_run.completed_at = Some(Time::now());
        hook.last_run.phase = "Failed".to_owned();
        return Err(Failure::Other(format!("warning: Hook {event} {path} failed: {error}")));
    }
    let outcome = running.wait.until_run(session, &resources).await;
    hook.last_run.completed_at = Some(Time::now());
    match outcome {
        Ok(()) => {
            hook.last_run.phase = "Succeeded".to_owned();
            Ok(None)
        }
        Err(error) => {
            hook.last_run.phase = "Failed".to_owned();
            show_logs(session, hook, &release.namespace, FAILED).await;
            Ok(Some(Failure::Other(error)))
        }
    }
}

impl Ran {
    /// Shows logs and deletes hooks, as they say.
    pub(crate) async fn clean_up(
        &self,
        session: &Session<'_>,
        release: &Release,
        running: &Running<'_>,
    ) -> Result<(), Failure> {
        if let Some(failed) = self.failed {
            if let Err(error) = delete(session, &release.hooks[failed], FAILED, &running.wait).await {
                session.tell(Said::Line(format!("error deleting the hook resource on hook failure: {error}")));
            }
            for at in &self.order {
                delete(session, &release.hooks[*at], SUCCEEDED, &running.wait).await?;
            }
            return Ok(());
        }
        for at in self.order.iter().rev() {
            show_logs(session, &release.hooks[*at], &release.namespace, SUCCEEDED).await;
            delete(session, &release.hooks[*at], SUCCEEDED, &running.wait).await?;
        }
        Ok(())
    }
}

/// Deletes hooks of a revision that was begun and left: the one that was running, and those that should have gone.
pub(crate) async fn delete_left(session: &Session<'_>, release: &Release, wait: &Wait) -> Result<(), Failure> {
    for hook in &release.hooks {
        let has_to_go = match hook.last_run.phase.as_str() {
            "Running" => true,
            "Succeeded" => hook.delete_policies.iter().any(|policy| policy == SUCCEEDED),
            "Failed" => hook.delete_policies.iter().any(|policy| policy == FAILED),
            _ => false,
        };
        if has_to_go && hook.kind != "CustomResourceDefinition" {
            delete_before(session, hook, wait).await?;
        }
    }
    Ok(())
}

async fn delete(session: &Session<'_>, hook: &Hook, policy: &str, wait: &Wait) -> Result<(), Failure> {
    // With a definition, all that it defines would go.
    if hook.kind == "CustomResourceDefinition" || !hook.delete_policies.iter().any(|one| one == policy) {
        return Ok(());
    }
    if policy == BEFORE {
        return delete_before(session, hook, wait).await;
    }
    delete_now(session, hook, wait).await.map(drop)
}

async fn delete_before(session: &Session<'_>, hook: &Hook, wait: &Wait) -> Result<(), Failure> {
    let resources = delete_now(session, hook, wait).await?;
    gone_soon(session, &resources).await;
    Ok(())
}

async fn delete_now(session: &Session<'_>, hook: &Hook, wait: &Wait) -> Result<Vec<Resource>, Failure> {
    let resources = built(session, hook, Validation::None)
        .await
        .map_err(|error| format!("unable to build kubernetes object for deleting hook {}: {error}", hook.path))?;
    apply::delete(session, &resources, "Background").await.map_err(|errors| Failure::Other(errors.join("; ")))?;
    wait.until_gone(session, &resources).await.map_err(Failure::Other)?;
    Ok(resources)
}

/// What is deleted stays for a moment, until its finalizers are through; one made anew under its name would be refused.
/// Helm's default strategy does not wait, and so does not fail where it takes longer.
async fn gone_soon(session: &Session<'_>, resources: &[Resource]) {
    const PATIENCE: std::time::Duration = std::time::Duration::from_secs(5);
    let wait = Wait { strategy: crate::wait::Strategy::Legacy, for_jobs: false, timeout: PATIENCE };
    let _ = wait.until_gone(session, resources).await;
}

async fn built(session: &Session<'_>, hook: &Hook, validation: Validation) -> Result<Vec<Resource>, String> {
    session.cluster.build(&[hook.manifest.as_bytes()], &session.namespace, validation).await
}

/// Shows what the containers of a hook have printed, if it says so. That it can't be had is told.
async fn show_logs(session: &Session<'_>, hook: &Hook, namespace: &str, policy: &str) {
    if !hook.output_log_policies.iter().any(|one| one == policy) {
        return;
    }
    let outcome = async {
        let document = onepane_value::from_yaml(&hook.manifest, None).map_err(|error| error.to_string())?;
        let metadata = document.as_map().and_then(|map| map.get("metadata"));
        let own = metadata.as_ref().and_then(|metadata| metadata.as_map()?.get("namespace"));
        let own = own.as_ref().and_then(|own| own.as_text()).map(|text| text.to_str().into_owned());
        let namespace = own.filter(|own| !own.is_empty()).unwrap_or_else(|| namespace.to_owned());
        let selector = match hook.kind.as_str() {
            "Job" => format!("labelSelector=job-name%3D{}", segment(&hook.name)),
            "Pod" => format!("fieldSelector=metadata.name%3D{}", segment(&hook.name)),
            _ => return Ok(()),
        };
        let path = format!("/api/v1/namespaces/{}/pods?{selector}", segment(&namespace));
        let list = session.cluster.ask(&Request::get(path, "pods")).await;
        let list =
            list.map_err(|refusal| format!("failed to get pod list with options: {selector} with error: {refusal}"))?;
        for pod in list.get("items").and_then(Value::as_array).into_iter().flatten() {
            let name = pod.pointer("/metadata/name").and_then(Value::as_str).unwrap_or_default();
            let containers = pod.pointer("/spec/containers").and_then(Value::as_array).into_iter().flatten();
            for container in containers.filter_map(|container| container["name"].as_str()) {
                let log = logs(session, &namespace, name, container)
                    .await
                    .map_err(|_| format!("failed to stream pod logs for pod: {name}, container: {container}"))?;
                session.tell(Said::Log(log));
            }
        }
        Ok::<_, String>(())
    };
    if let Err(error) = outcome.await {
        session.tell(Said::Line(format!("error outputting logs for hook failure: {error}")));
    }
}

/// What a container has printed.
pub(crate) async fn logs(
    session: &Session<'_>,
    namespace: &str,
    pod: &str,
    container: &str,
) -> Result<Vec<u8>, onepane_cluster::Refusal> {
    let [namespace, pod, container] = [namespace, pod, container].map(segment);
    let path = format!("/api/v1/namespaces/{namespace}/pods/{pod}/log?container={container}");
    let request = Request { accept: "application/json, */*", ..Request::get(path, format!("pods {pod}")) };
    session.cluster.ask_for_bytes(&request).await
}

/// A name as it may stand in a path or a query.
pub(crate) fn segment(name: &str) -> String {
    let keep = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
    name.bytes().map(|byte| if keep(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

impl Ran {
    /// The same where so many hooks have come before those that ran.
    pub(crate) fn shifted(mut self, by: usize) -> Self {
        self.order.iter_mut().chain(&mut self.failed).for_each(|at| *at += by);
        self
    }
}
