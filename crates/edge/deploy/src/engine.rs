//! Sets of manifests on a cluster: [`Engine`].

use crate::dependencies::{dependencies, put_in_order};
use crate::event::{Event, Happened};
use crate::failure::Failure;
use crate::identity::Identity;
use crate::removal::Removal;
use crate::server::{Kind, Propagation, Server, path_of};
use crate::set::{PART_OF, Set};
use crate::settled::is_settled;
use crate::wait;
use crate::waves::{Step, Wave};
use base64::Engine as _;
use futures::stream::{FuturesUnordered, StreamExt};
use onepane_health::{Health, Status, health};
use onepane_resource::defined_kinds;
use serde_json::Value;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::Duration;

/// Who applies, to others.
pub(crate) const MANAGER: &str = "onepane";

/// How a set is applied.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Whether fields that others have set are taken over.
    pub takes_over: bool,
    /// Whether objects that left the set are deleted.
    pub prunes: bool,
    /// Whether more than half of the set may be deleted, or all of it.
    pub may_prune_most: bool,
    /// How long it is waited until all have become what they should be; not at all where there is nothing.
    pub patience: Option<Duration>,
}

/// What came of a set.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Objects that were not there.
    pub created: usize,
    /// Objects that were changed.
    pub configured: usize,
    /// Objects that were as they should be.
    pub unchanged: usize,
    /// Objects that were deleted.
    pub deleted: usize,
    /// What failed, or did not become what it should be.
    pub failed: usize,
}

/// A set of manifests, and the cluster that it belongs to.
pub struct Engine<'s> {
    pub(crate) server: &'s Server,
    /// Nothing is known of its members.
    set: Set,
    pub(crate) tell: Box<dyn Fn(&Event) + 's>,
}

/// An object that is wanted.
pub(crate) struct Wanted {
    pub(crate) identity: Identity,
    pub(crate) object: Value,
    step: Step,
    /// What has to be ready before it is applied.
    needs: Vec<Identity>,
}

impl Wanted {
    pub(crate) fn api_version(&self) -> &str {
        api_version_of(&self.object)
    }
}

/// What there is of a set.
pub(crate) struct Live {
    set: Set,
    /// Whether the parent is there.
    is_known: bool,
    pub(crate) objects: HashMap<Identity, (Kind, Value)>,
}

/// Annotations by which an object says that it stays when it leaves its set, and the values that say so.
const KEEPS: [(&str, &str); 4] = [
    ("helm.sh/resource-policy", "keep"),
    ("kustomize.toolkit.fluxcd.io/prune", "disabled"),
    ("argocd.argoproj.io/sync-options", "Prune=false"),
    ("client.lifecycle.config.k8s.io/deletion", "detach"),
];

/// How long what others depend on is waited for where nobody waits for the rest.
const USUAL_PATIENCE: Duration = Duration::from_secs(5 * 60);

/// Of fewer, all may be deleted without a further word.
const FEW: usize = 5;

impl<'s> Engine<'s> {
    /// For the set whose parent is the Secret `name` in `namespace`. What happens is told to `tell`.
    pub fn new(server: &'s Server, namespace: &str, name: &str, tell: impl Fn(&Event) + 's) -> Self {
        Self { server, set: Set::new(namespace, name), tell: Box::new(tell) }
    }

    /// Brings `objects` to the cluster, deletes those that left the set, and waits.
    ///
    /// What fails for one object is told, and does not keep others of its wave from being applied; later waves and what
    /// would be pruned are then left alone.
    ///
    /// # Errors
    /// For what keeps all of it from being done; nothing was then changed.
    pub async fn apply(&self, objects: Vec<Value>, options: &Options) -> Result<Outcome, Failure> {
        let mut wanted = self.wanted(objects).await?;
        wanted.sort_by_key(|wanted| wanted.step);
        let live = self.live(wanted.iter().map(|wanted| &wanted.identity)).await?;
        let names: HashSet<&Identity> = wanted.iter().map(|wanted| &wanted.identity).collect();
        let surplus: Vec<&Identity> = live.objects.keys().filter(|identity| !names.contains(identity)).collect();
        if options.prunes && !options.may_prune_most {
            guard(wanted.len(), surplus.len())?;
        }
        let removal = match options.prunes {
            true => Some(Removal::plan(surplus, &live, |identity| names.contains(identity))?),
            false => None,
        };
        // Whoever comes after a run that is killed has to find what it has left.
        let widened = live.set.with(wanted.iter().map(|wanted| &wanted.identity));
        let mut outcome = Outcome::default();
        let awaited = self.apply_steps(&wanted, &live, &widened, options, &mut outcome).await?;
        if outcome.failed > 0 {
            return Ok(outcome);
        }
        if let Some(removal) = removal {
            let patience = options.patience.unwrap_or(USUAL_PATIENCE);
            (outcome.deleted, outcome.failed) = self.delete(&removal, &live, Happened::Pruned, patience).await;
            let narrowed = self.set.with(names.iter().copied());
            if outcome.failed == 0 && narrowed != widened {
                self.write_parent(&narrowed).await?;
            }
        }
        if let Some(patience) = options.patience {
            let rest = wanted.iter().filter(|one| !awaited.contains(&one.identity));
            outcome.failed += self.until_current(rest, patience).await?;
        }
        Ok(outcome)
    }

    /// Deletes all objects of the set, those that depend on others first, and then its parent.
    ///
    /// # Errors
    /// For what keeps all of it from being done.
    pub async fn destroy(&self, patience: Duration) -> Result<Outcome, Failure> {
        let live = self.live([]).await?;
        let mut outcome = Outcome::default();
        let removal = Removal::plan(live.objects.keys(), &live, |_| false)?;
        (outcome.deleted, outcome.failed) = self.delete(&removal, &live, Happened::Deleted, patience).await;
        if outcome.failed > 0 {
            return Ok(outcome);
        }
        let end = tokio::time::Instant::now() + patience;
        loop {
            let mut left = self.live([]).await?.objects;
            left.retain(|identity, (_, object)| !stays(object) && !removal.staying.contains_key(identity));
            if left.is_empty() {
                break;
            }
            if tokio::time::Instant::now() >= end {
                for (identity, (_, object)) in left {
                    let message =
                        format!("it is still there after {} s: {}", patience.as_secs(), health(&object).message);
                    let health = Health { status: Status::Failed, message };
                    (self.tell)(&Event { object: identity, happened: Happened::Became(health) });
                    outcome.failed += 1;
                }
                break;
            }
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
        if outcome.failed == 0 && live.is_known {
            self.server.delete(&live.set.path(), None, Propagation::Background).await?;
        }
        Ok(outcome)
    }

    /// How the objects of the set are, by their identities.
    ///
    /// # Errors
    /// For a server that does not answer.
    pub async fn status(&self) -> Result<BTreeMap<Identity, Health>, Failure> {
        let live = self.live([]).await?;
        Ok(live.objects.into_iter().map(|(identity, (_, object))| (identity, health(&object))).collect())
    }

    /// The objects as they are applied, each with the label of the set and a namespace if its kind lives in one. Those of
    /// kinds that the server does not have must have their definition beside them.
    pub(crate) async fn wanted(&self, objects: Vec<Value>) -> Result<Vec<Wanted>, Failure> {
        let id = self.set.id();
        let mut defined: HashMap<(String, String), bool> = HashMap::new();
        for object in &objects {
            if Identity::of(object).kind == "CustomResourceDefinition" {
                let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
                let kind = (text("/spec/group").to_owned(), text("/spec/names/kind").to_owned());
                defined.insert(kind, text("/spec/scope") == "Namespaced");
            }
        }
        let mut wanted: Vec<Wanted> = Vec::new();
        let mut seen = HashSet::new();
        for mut object in objects {
            let mut identity = Identity::of(&object);
            let is_name =
                |name: &str| !name.is_empty() && !matches!(name, "." | "..") && !name.contains(['/', '%', '?', '#']);
            if !is_name(&identity.name) || identity.namespace.contains(['/', '%', '?', '#', '.']) {
                return Err(Failure::Guarded(format!("{identity} has no name that an object can have")));
            }
            let api_version = api_version_of(&object);
            let known = self.server.kind(api_version, &identity.kind).await.map(|kind| kind.is_namespaced);
            let defined = defined.get(&(identity.group.clone(), identity.kind.clone())).copied();
            let Some(is_namespaced) = known.or(defined) else {
                let message =
                    format!("the cluster has no kind {} in {api_version}, which {identity} is of", identity.kind);
                return Err(Failure::Guarded(message));
            };
            let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) else { continue };
            match is_namespaced {
                false => {
                    metadata.remove("namespace");
                    identity.namespace.clear();
                }
                true if identity.namespace.is_empty() => {
                    metadata.insert("namespace".to_owned(), Value::from("default"));
                    identity.namespace = "default".to_owned();
                }
                true => {}
            }
            if identity.group.is_empty() && identity.kind == "Secret" {
                read_string_data(&mut object);
            }
            let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) else { continue };
            let labels = metadata.entry("labels").or_insert_with(|| serde_json::json!({}));
            if !labels.is_object() {
                *labels = serde_json::json!({});
            }
            labels[PART_OF] = Value::from(id.clone());
            if !seen.insert(identity.clone()) {
                return Err(Failure::Guarded(format!("{identity} is there twice")));
            }
            let (step, needs) = (Step::of(&object), dependencies(&identity, &object)?);
            wanted.push(Wanted { identity, object, step, needs });
        }
        let parts = wanted.iter_mut().map(|Wanted { identity, step, needs, .. }| (&*identity, step, &needs[..]));
        put_in_order(&mut parts.collect::<Vec<_>>())?;
        Ok(wanted)
    }

    /// What there is of the set; kinds of `besides` are looked at, too.
    pub(crate) async fn live<'i>(&self, besides: impl IntoIterator<Item = &'i Identity>) -> Result<Live, Failure> {
        let mut set = self.set.clone();
        let is_known = match self.server.get(&set.path()).await {
            Ok(parent) => set.read(&parent).map(|()| true)?,
            Err(failure) if failure.is_absent() => false,
            Err(failure) => return Err(failure),
        };
        let selector = format!("{PART_OF}={}", set.id());
        // A run that was killed before it could write the parent has left these at most.
        let mut kinds = set.with(besides).kinds;
        kinds.extend(["Namespace".to_owned(), "PriorityClass.scheduling.k8s.io".to_owned()]);
        let mut lists: FuturesUnordered<_> = kinds
            .iter()
            .map(|group_kind| async {
                // A kind that is gone, or goes at this moment, takes its objects along.
                let Some(kind) = self.server.kind_of_set(group_kind).await else { return Ok(None) };
                match self.server.list(&kind, &selector).await {
                    Ok(found) => Ok(Some((kind, found))),
                    Err(failure) if failure.is_absent() => Ok(None),
                    Err(failure) => Err(failure),
                }
            })
            .collect();
        let mut objects = HashMap::new();
        while let Some(list) = lists.next().await {
            let Some((kind, found)) = list? else { continue };
            objects.extend(found.into_iter().map(|object| (Identity::of(&object), (kind.clone(), object))));
        }
        Ok(Live { set, is_known, objects })
    }

    async fn write_parent(&self, set: &Set) -> Result<(), Failure> {
        self.server.apply(&set.path(), &set.parent(), MANAGER, true, false).await.map(drop)
    }

    /// Applies step by step; gives what it was waited for on the way.
    async fn apply_steps<'w>(
        &self,
        wanted: &'w [Wanted],
        live: &Live,
        widened: &Set,
        options: &Options,
        outcome: &mut Outcome,
    ) -> Result<HashSet<&'w Identity>, Failure> {
        let mut is_noted = live.is_known && *widened == live.set;
        let (mut done, mut awaited) = (0, HashSet::new());
        for step in wanted.chunk_by(|a, b| a.step == b.step) {
            // The namespace of the parent may be one of the set.
            if !is_noted && step[0].step.wave != Wave::Places {
                self.write_parent(widened).await?;
                is_noted = true;
            }
            let before = &wanted[..done];
            let needs: HashSet<&Identity> = step.iter().flat_map(|one| &one.needs).collect();
            let is_needed = |one: &&Wanted| {
                let is_earlier = one.step.sync_wave < step[0].step.sync_wave && one.step.sync_wave != i64::MIN;
                is_earlier || needs.contains(&one.identity)
            };
            let needed: Vec<&Wanted> =
                before.iter().filter(is_needed).filter(|one| !awaited.contains(&one.identity)).collect();
            if !needed.is_empty() {
                awaited.extend(needed.iter().map(|one| &one.identity));
                outcome.failed += self.until_current(needed, options.patience.unwrap_or(USUAL_PATIENCE)).await?;
                if outcome.failed > 0 {
                    break;
                }
            }
            let mut applied: FuturesUnordered<_> = step.iter().map(|one| self.apply_one(one, live, options)).collect();
            while let Some((identity, happened)) = applied.next().await {
                match &happened {
                    Happened::Created => outcome.created += 1,
                    Happened::Configured => outcome.configured += 1,
                    Happened::Unchanged => outcome.unchanged += 1,
                    _ => outcome.failed += 1,
                }
                (self.tell)(&Event { object: identity.clone(), happened });
            }
            done += step.len();
            if outcome.failed > 0 {
                break;
            }
            let defines = |one: &&Wanted| one.identity.kind == "CustomResourceDefinition";
            let definitions: Vec<&Wanted> = step.iter().filter(defines).collect();
            if !definitions.is_empty() {
                self.until_defined(&definitions, live, outcome).await?;
            }
        }
        if !is_noted {
            self.write_parent(widened).await?;
        }
        Ok(awaited)
    }

    /// Waits until these are what they should be; gives how many are not.
    async fn until_current<'w>(
        &self,
        wanted: impl IntoIterator<Item = &'w Wanted>,
        patience: Duration,
    ) -> Result<usize, Failure> {
        let kinds = self.kinds_of(wanted).await;
        wait::until_current(self.server, kinds, &self.set.id(), patience, &self.tell).await
    }

    async fn apply_one<'w>(&self, wanted: &'w Wanted, live: &Live, options: &Options) -> (&'w Identity, Happened) {
        let (identity, object, api_version) = (&wanted.identity, &wanted.object, wanted.api_version());
        let before = live.objects.get(identity).map(|(_, object)| object);
        if before.is_some_and(|before| is_settled(object, before, MANAGER)) {
            return (identity, Happened::Unchanged);
        }
        let Some(kind) = self.server.kind(api_version, &identity.kind).await else {
            let message = format!("the cluster has no kind {} in {api_version}", identity.kind);
            return (identity, Happened::Failed(Failure::Guarded(message)));
        };
        let path = path_of(&kind, identity);
        let happened = match self.server.apply(&path, object, MANAGER, options.takes_over, false).await {
            Ok((_, true)) => Happened::Created,
            Ok((after, false)) => {
                let version = |object: &Value| object.pointer("/metadata/resourceVersion").cloned();
                if before.is_some_and(|before| version(before) == version(&after)) {
                    Happened::Unchanged
                } else {
                    Happened::Configured
                }
            }
            Err(failure) => Happened::Failed(failure),
        };
        (identity, happened)
    }

    /// Waits until the kinds that were defined are served, unless they were before and nothing has changed.
    async fn until_defined(&self, definitions: &[&Wanted], live: &Live, outcome: &mut Outcome) -> Result<(), Failure> {
        const PATIENCE: Duration = Duration::from_secs(60);
        const PAUSE: Duration = Duration::from_millis(50);
        let start = tokio::time::Instant::now();
        let is_as_before = |one: &Wanted, (_, before): &(Kind, Value)| {
            is_settled(&one.object, before, MANAGER) && health(before).status == Status::Current
        };
        for one in definitions {
            if live.objects.get(&one.identity).is_some_and(|before| is_as_before(one, before)) {
                continue;
            }
            let Some(kind) = self.server.kind(one.api_version(), &one.identity.kind).await else { continue };
            loop {
                let said = health(&self.server.get(&path_of(&kind, &one.identity)).await?);
                match said.status {
                    Status::Current => break,
                    Status::InProgress if start.elapsed() < PATIENCE => tokio::time::sleep(PAUSE).await,
                    _ => {
                        outcome.failed += 1;
                        (self.tell)(&Event { object: one.identity.clone(), happened: Happened::Became(said) });
                        break;
                    }
                }
            }
        }
        // A definition says that it is served before the server's own list of what it serves does.
        let mut pause = Duration::ZERO;
        while outcome.failed == 0 && start.elapsed() < PATIENCE && !self.serves(definitions).await {
            tokio::time::sleep(pause).await;
            self.server.rediscover().await?;
            pause = PAUSE;
        }
        Ok(())
    }

    /// Whether the server lists all that these define.
    async fn serves(&self, definitions: &[&Wanted]) -> bool {
        for kind in definitions.iter().flat_map(|one| defined_kinds(&one.object)) {
            if self.server.kind(&kind.api_version(), &kind.kind).await.is_none() {
                return false;
            }
        }
        true
    }

    /// The kinds of what is wanted, with the identities of each.
    async fn kinds_of<'w>(&self, wanted: impl IntoIterator<Item = &'w Wanted>) -> Vec<(Kind, HashSet<Identity>)> {
        let mut kinds: BTreeMap<(&str, &str), HashSet<Identity>> = BTreeMap::new();
        for one in wanted {
            kinds.entry((one.api_version(), &one.identity.kind)).or_default().insert(one.identity.clone());
        }
        let mut found = Vec::new();
        for ((api_version, kind), identities) in kinds {
            if let Some(kind) = self.server.kind(api_version, kind).await {
                found.push((kind, identities));
            }
        }
        found
    }
}

/// Writes `stringData` of a Secret where the server would: who reads it back finds no other place.
fn read_string_data(secret: &mut Value) {
    let Some(fields) = secret.as_object_mut() else { return };
    let is_text = |data: &Value| data.as_object().is_some_and(|texts| texts.values().all(Value::is_string));
    let is_data = fields.get("data").is_none_or(|data| data.is_object() || data.is_null());
    // What is neither is left for the server to refuse.
    if !is_data || !fields.get("stringData").is_some_and(is_text) {
        return;
    }
    let Some(Value::Object(texts)) = fields.remove("stringData") else { return };
    let mut data = fields.remove("data").and_then(|data| data.as_object().cloned()).unwrap_or_default();
    data.extend(texts.into_iter().map(|(key, text)| {
        let text = text.as_str().unwrap_or_default();
        (key, Value::from(base64::engine::general_purpose::STANDARD.encode(text)))
    }));
    fields.insert("data".to_owned(), Value::Object(data));
}

fn api_version_of(object: &Value) -> &str {
    object.get("apiVersion").and_then(Value::as_str).unwrap_or_default()
}

/// Refuses what looks like a mistake: nothing is wanted any more, or more than half of what there is would go.
fn guard(wanted: usize, surplus: usize) -> Result<(), Failure> {
    if wanted == 0 && surplus > 0 {
        return Err(Failure::Guarded(format!("there is nothing to apply, and all {surplus} objects would be deleted")));
    }
    if surplus > FEW && surplus > wanted {
        return Err(Failure::Guarded(format!(
            "{surplus} objects would be deleted, more than the {wanted} that stay or come"
        )));
    }
    Ok(())
}

/// Whether an object says that it stays.
pub(crate) fn stays(object: &Value) -> bool {
    let annotations = object.pointer("/metadata/annotations");
    let says = |name: &str, value: &str| {
        let said = annotations.and_then(|annotations| annotations.get(name)).and_then(Value::as_str);
        said.is_some_and(|said| said.split(',').any(|one| one.trim() == value))
    };
    KEEPS.iter().any(|(name, value)| says(name, value))
}
