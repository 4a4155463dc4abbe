//! How a line reaches a value: [`Search`].

use super::Target;
use onepane_diagnostics::{Origin, Span, Step};
use std::collections::HashMap;

/// How a line reaches a value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reach {
    /// Not at all.
    #[default]
    No,
    /// It is not in the value, and decides whether there is one, or which.
    Decides,
    /// The value is made of it.
    Feeds,
}

impl Reach {
    /// The word that reports use.
    pub fn name(self) -> &'static str {
        match self {
            Self::No => "unrelated",
            Self::Decides => "decides",
            Self::Feeds => "feeds",
        }
    }
}

/// Searches histories for one target. What several have in common is searched once.
pub(super) struct Search<'a> {
    target: &'a Target,
    /// How the target reaches what stands at a place of a rendered file.
    behind: &'a dyn Fn(Span) -> Reach,
    /// How it reaches the records that were looked at, by their addresses.
    known: HashMap<usize, Reach>,
    /// Those addresses must not be taken by others meanwhile.
    alive: Vec<Origin>,
}

impl<'a> Search<'a> {
    pub(super) fn new(target: &'a Target, behind: &'a dyn Fn(Span) -> Reach) -> Self {
        Self { target, behind, known: HashMap::new(), alive: Vec::new() }
    }

    /// How the target reaches a value with this history, by which patches find the item that it is in.
    pub(super) fn reach_key(&mut self, origin: &Origin) -> Reach {
        // What is replaced was looked at.
        let before = origin.chain().map(|record| self.reach(&record.previous).min(Reach::Decides)).max();
        self.reach(origin).max(before.unwrap_or_default())
    }

    /// How the target reaches a value with this history.
    pub(super) fn reach(&mut self, origin: &Origin) -> Reach {
        self.alive.push(origin.clone());
        // A history may be deeper than the stack: what a record is made of is looked at before the record itself.
        let mut rest = vec![(origin, false)];
        while let Some((origin, is_ready)) = rest.pop() {
            let Some(address) = origin.address().filter(|address| !self.known.contains_key(address)) else { continue };
            if is_ready {
                let reach = self.reach_of(origin);
                self.known.insert(address, reach);
                continue;
            }
            rest.push((origin, true));
            match (origin.decision(), origin.record()) {
                (Some((own, by)), _) => rest.extend([(own, false), (by, false)]),
                (None, Some(record)) => {
                    rest.extend(record.inputs.iter().map(|input| (input, false)));
                    if goes_on_in(record.step) {
                        rest.push((&record.previous, false));
                    }
                }
                (None, None) => {}
            }
        }
        self.found(origin)
    }

    fn found(&self, origin: &Origin) -> Reach {
        origin.address().and_then(|address| self.known.get(&address)).copied().unwrap_or_default()
    }

    /// That of a record, of which all that it is made of is known.
    fn reach_of(&self, origin: &Origin) -> Reach {
        if let Some((own, by)) = origin.decision() {
            return self.found(own).max(self.found(by).min(Reach::Decides));
        }
        let Some(record) = origin.record() else { return Reach::No };
        let here = record.span.map_or(Reach::No, |span| match self.target.covers(span) {
            true => Reach::Feeds,
            false => (self.behind)(span),
        });
        let before = if goes_on_in(record.step) { self.found(&record.previous) } else { Reach::No };
        record.inputs.iter().map(|input| self.found(input)).fold(here.max(before), Reach::max)
    }
}

/// Whether what a step makes is made of what was there before.
fn goes_on_in(step: Step) -> bool {
    matches!(
        step,
        Step::Image
            | Step::NameAffix
            | Step::NameReference
            | Step::Generator
            | Step::Replacement
            | Step::Function
            | Step::Transformer
    )
}
