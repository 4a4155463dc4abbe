//! What an apply would change: [`Engine::differences`].

use crate::engine::{Engine, Live, MANAGER, Wanted};
use crate::event::{Event, Happened};
use crate::failure::Failure;
use crate::identity::Identity;
use crate::removal::Removal;
use crate::server::path_of;
use crate::settled::is_settled;
use futures::stream::{FuturesUnordered, StreamExt};
use serde_json::Value;
use std::collections::HashSet;

/// An object as it is and as it would be; not there where there is nothing.
#[derive(Clone, Debug, PartialEq)]
pub struct Difference {
    /// The object.
    pub object: Identity,
    /// It as it is, without what the server notes of it.
    pub before: Option<Value>,
    /// It as it would be.
    pub after: Option<Value>,
}

/// What is the server's own of an object.
const NOTES: [&str; 6] = ["managedFields", "resourceVersion", "uid", "generation", "creationTimestamp", "selfLink"];

impl Engine<'_> {
    /// What applying `objects` would change, as the server says that is asked to apply each and keep nothing of it: with
    /// its defaults, and with what webhooks make of it. What would come into a namespace or be of a kind that is not there
    /// yet is as the manifests say it.
    ///
    /// Fields that others have set are told as conflicts, and shown as they would be if they were taken over. What the
    /// server refuses is told as failed. The count of both is given.
    ///
    /// # Errors
    /// For what keeps all of it from being asked.
    pub async fn differences(&self, objects: Vec<Value>) -> Result<(Vec<Difference>, usize), Failure> {
        let wanted = self.wanted(objects).await?;
        let live = self.live(wanted.iter().map(|wanted| &wanted.identity)).await?;
        let (mut differences, mut failed) = (Vec::new(), 0);
        let mut asked: FuturesUnordered<_> = wanted.iter().map(|one| self.difference(one, &live)).collect();
        while let Some((identity, difference, failure)) = asked.next().await {
            if let Some(failure) = failure {
                failed += 1;
                (self.tell)(&Event { object: identity.clone(), happened: Happened::Failed(failure) });
            }
            differences.extend(difference);
        }
        let names: HashSet<&Identity> = wanted.iter().map(|one| &one.identity).collect();
        let surplus: Vec<&Identity> = live.objects.keys().filter(|identity| !names.contains(identity)).collect();
        let removal = Removal::plan(surplus, &live, |identity| names.contains(identity))?;
        differences.extend(removal.going().map(|identity| Difference {
            object: identity.clone(),
            before: Some(plain(live.objects[identity].1.clone())),
            after: None,
        }));
        differences.sort_by(|a, b| a.object.cmp(&b.object));
        Ok((differences, failed))
    }

    async fn difference<'w>(
        &self,
        wanted: &'w Wanted,
        live: &Live,
    ) -> (&'w Identity, Option<Difference>, Option<Failure>) {
        let Wanted { identity, object, .. } = wanted;
        let known = live.objects.get(identity).map(|(_, object)| object);
        if known.is_some_and(|known| is_settled(object, known, MANAGER)) {
            return (identity, None, None);
        }
        let difference = |before: Option<Value>, after: Value| {
            let (before, after) = (before.map(plain), plain(after));
            let differs = before.as_ref() != Some(&after);
            differs.then(|| Difference { object: identity.clone(), before, after: Some(after) })
        };
        let Some(kind) = self.server.kind(wanted.api_version(), &identity.kind).await else {
            return (identity, difference(None, object.clone()), None);
        };
        let path = path_of(&kind, identity);
        let (applied, conflicts) = match self.server.apply(&path, object, MANAGER, false, true).await {
            Err(conflicts @ Failure::Conflicts(_)) => {
                (self.server.apply(&path, object, MANAGER, true, true).await, Some(conflicts))
            }
            applied => (applied, None),
        };
        match applied {
            Ok((after, true)) => (identity, difference(None, after), conflicts),
            Ok((after, false)) => {
                let before = match known {
                    Some(known) => Ok(known.clone()),
                    // It is there and no part of the set yet.
                    None => self.server.get(&path).await,
                };
                match before {
                    Ok(before) => (identity, difference(Some(before), after), conflicts),
                    Err(failure) => (identity, None, Some(failure)),
                }
            }
            // Its namespace is not there yet.
            Err(failure) if failure.is_absent() => (identity, difference(None, object.clone()), None),
            Err(failure) => (identity, None, Some(failure)),
        }
    }
}

/// An object without what the server notes of it.
fn plain(mut object: Value) -> Value {
    if let Some(fields) = object.as_object_mut() {
        fields.remove("status");
    }
    if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
        NOTES.iter().for_each(|note| _ = metadata.remove(*note));
    }
    object
}
