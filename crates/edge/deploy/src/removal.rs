//! What is deleted before what: [`Removal`], the reverse of the order in which objects were applied.
//!
//! What depends on others goes before them, and so do later sync waves of Argo CD before earlier ones; each is gone, with the
//! pods that are its own, before the next begins. Whatever an object that stays depends on stays, too. As with kubectl's
//! `cli-utils`, a circle or a dependency that is nowhere keeps all of it from being done.

use crate::dependencies::{dependencies, put_in_order};
use crate::engine::{Engine, Live, stays};
use crate::event::{Event, Happened};
use crate::failure::Failure;
use crate::identity::Identity;
use crate::server::{Propagation, path_of};
use crate::waves::{Step, Wave};
use futures::stream::{FuturesUnordered, StreamExt};
use onepane_health::{Health, Status, health};
use onepane_resource::compare_uninstall;
use serde_json::Value;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::Duration;
use tokio::time::Instant;

/// How often it is looked whether something is gone.
const GLANCE: Duration = Duration::from_millis(200);

/// Objects that are to be deleted, in their order.
pub(crate) struct Removal<'l> {
    /// Those that go, the first ones first.
    going: Vec<Going<'l>>,
    /// Those that stay, since they say so or, where one is named, since that one stays and depends on them.
    pub(crate) staying: BTreeMap<&'l Identity, Option<&'l Identity>>,
}

/// An object that goes.
struct Going<'l> {
    identity: &'l Identity,
    step: Step,
    needs: Vec<Identity>,
    /// Whether something waits until it is gone.
    is_awaited: bool,
}

impl<'l> Removal<'l> {
    /// The order in which `doomed` go. They may depend on each other, and on what `is_known`.
    ///
    /// # Errors
    /// For objects that depend on one another in a circle, or on what is not there.
    pub(crate) fn plan(
        doomed: impl IntoIterator<Item = &'l Identity>,
        live: &'l Live,
        is_known: impl Fn(&Identity) -> bool,
    ) -> Result<Self, Failure> {
        let mut going = Vec::new();
        for identity in doomed {
            let object = &live.objects[identity].1;
            let needs = dependencies(identity, object)?;
            let is_lost = |need: &&Identity| !live.objects.contains_key(*need) && !is_known(need);
            if let Some(lost) = needs.iter().find(is_lost) {
                return Err(Failure::Guarded(format!(
                    "{identity} is to be deleted and depends on {lost}, which is not there: take the annotation from it"
                )));
            }
            // Between kinds nothing is waited for, and so they are all of one step but for what others live in.
            let step = match Step::of(object) {
                Step { wave: Wave::Places | Wave::Definitions, sync_wave, .. } => {
                    Step { wave: Wave::Places, sync_wave, layer: 0 }
                }
                step => Step { wave: Wave::Others, ..step },
            };
            going.push(Going { identity, step, needs, is_awaited: false });
        }
        let names: HashSet<&Identity> = going.iter().map(|one| one.identity).collect();
        for one in &mut going {
            one.needs.retain(|need| names.contains(need));
        }
        let parts = going.iter_mut().map(|Going { identity, step, needs, .. }| (*identity, step, &needs[..]));
        put_in_order(&mut parts.collect::<Vec<_>>())?;
        going.sort_by(|a, b| {
            let by_kind = || compare_uninstall(&a.identity.kind, &b.identity.kind);
            b.step.cmp(&a.step).then_with(by_kind).then_with(|| a.identity.cmp(b.identity))
        });
        // Whoever depends on something comes before it here.
        let mut staying: BTreeMap<&Identity, Option<&Identity>> = BTreeMap::new();
        for one in &going {
            if stays(&live.objects[one.identity].1) {
                staying.insert(one.identity, None);
            }
            if staying.contains_key(one.identity) {
                let needs = one.needs.iter().filter_map(|need| names.get(need));
                needs.for_each(|need| _ = staying.entry(need).or_insert(Some(one.identity)));
            }
        }
        going.retain(|one| !staying.contains_key(one.identity));
        let first_wave = going.iter().map(|one| one.step.sync_wave).filter(|wave| *wave != i64::MIN).min();
        for one in &mut going {
            let is_later = first_wave.is_some_and(|first| one.step.sync_wave > first);
            one.is_awaited = is_later || !one.needs.is_empty();
        }
        Ok(Self { going, staying })
    }

    /// Those that go, the first ones first.
    pub(crate) fn going(&self) -> impl Iterator<Item = &'l Identity> {
        self.going.iter().map(|one| one.identity)
    }

    /// Those that were deleted before `step` and have to be gone before it begins.
    fn needed<'r>(before: &'r [Going<'l>], step: &[Going<'l>]) -> impl Iterator<Item = &'r Going<'l>> {
        let own: HashSet<&Identity> = step.iter().map(|one| one.identity).collect();
        let wave = step[0].step.sync_wave;
        before.iter().filter(move |one| {
            let is_later = wave != i64::MIN && one.step.sync_wave > wave;
            is_later || one.needs.iter().any(|need| own.contains(need))
        })
    }
}

impl Engine<'_> {
    /// Deletes what `removal` has, step by step, each at most as long as `patience` after the one before.
    pub(crate) async fn delete(
        &self,
        removal: &Removal<'_>,
        live: &Live,
        happened: Happened,
        patience: Duration,
    ) -> (usize, usize) {
        for (identity, why) in &removal.staying {
            let happened = why.map_or(Happened::Kept, |dependent| Happened::KeptFor(dependent.clone()));
            (self.tell)(&Event { object: (*identity).clone(), happened });
        }
        let (mut deleted, mut failed, mut begun) = (0, 0, 0);
        let mut awaited: HashSet<&Identity> = HashSet::new();
        for step in removal.going.chunk_by(|a, b| a.step == b.step) {
            let needed = Removal::needed(&removal.going[..begun], step);
            let needed: Vec<&Identity> = needed.map(|one| one.identity).filter(|one| awaited.insert(one)).collect();
            failed += self.until_gone(needed, live, patience).await;
            if failed > 0 {
                break;
            }
            begun += step.len();
            let mut requests: FuturesUnordered<_> = step
                .iter()
                .map(|Going { identity, is_awaited, .. }| async move {
                    let (kind, object) = &live.objects[*identity];
                    // Whoever waits for it waits for its pods.
                    let propagation = if *is_awaited { Propagation::Foreground } else { Propagation::Background };
                    (*identity, self.server.delete(&path_of(kind, identity), uid(object), propagation).await)
                })
                .collect();
            while let Some((identity, done)) = requests.next().await {
                let happened = match done {
                    Ok(()) => {
                        deleted += 1;
                        happened.clone()
                    }
                    Err(failure) => {
                        failed += 1;
                        Happened::Failed(failure)
                    }
                };
                (self.tell)(&Event { object: identity.clone(), happened });
            }
        }
        (deleted, failed)
    }

    /// Waits until these are gone; gives how many are not.
    async fn until_gone(&self, mut left: Vec<&Identity>, live: &Live, patience: Duration) -> usize {
        let end = Instant::now() + patience;
        loop {
            let seen: HashMap<&Identity, String> = left
                .iter()
                .map(|identity| async {
                    let (kind, object) = &live.objects[*identity];
                    match self.server.get(&path_of(kind, identity)).await {
                        // One of the same name that came since is another.
                        Ok(now) => (uid(&now) == uid(object)).then(|| (*identity, health(&now).message)),
                        Err(failure) if failure.is_absent() => None,
                        Err(failure) => Some((*identity, failure.to_string())),
                    }
                })
                .collect::<FuturesUnordered<_>>()
                .filter_map(std::future::ready)
                .collect()
                .await;
            left.retain(|identity| seen.contains_key(identity));
            if left.is_empty() {
                return 0;
            }
            if Instant::now() >= end {
                for identity in &left {
                    let message = format!("it is still there after {} s: {}", patience.as_secs(), seen[identity]);
                    let health = Health { status: Status::Failed, message };
                    (self.tell)(&Event { object: (*identity).clone(), happened: Happened::Became(health) });
                }
                return left.len();
            }
            tokio::time::sleep(GLANCE).await;
        }
    }
}

fn uid(object: &Value) -> Option<&str> {
    object.pointer("/metadata/uid").and_then(Value::as_str)
}
