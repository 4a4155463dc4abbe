//! How a line reaches a value: [`Search`].

use super::Target;
use onepane_diagnostics::{Origin, Span, Step};
use std::collections::HashSet;

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

/// Searches histories for one target. What was searched in vain is not searched again.
pub(super) struct Search<'a> {
    target: &'a Target,
    /// How the target reaches what stands at a place of a rendered file.
    behind: &'a dyn Fn(Span) -> Reach,
    /// Records that the target does not feed, and those that it does not reach either.
    in_vain: [HashSet<usize>; 2],
    /// They are told apart by their addresses, which must not be taken by others meanwhile.
    alive: Vec<Origin>,
}

impl<'a> Search<'a> {
    pub(super) fn new(target: &'a Target, behind: &'a dyn Fn(Span) -> Reach) -> Self {
        Self { target, behind, in_vain: Default::default(), alive: Vec::new() }
    }

    /// How the target reaches a value with this history, by which patches find the item that it is in.
    pub(super) fn reach_key(&mut self, origin: &Origin) -> Reach {
        // What is replaced was looked at.
        let before = origin.chain().map(|record| self.reach(&record.previous).min(Reach::Decides)).max();
        self.reach(origin).max(before.unwrap_or_default())
    }

    /// How the target reaches a value with this history.
    pub(super) fn reach(&mut self, origin: &Origin) -> Reach {
        let found = [Reach::Feeds, Reach::Decides].into_iter().find(|wanted| self.finds(origin, *wanted));
        found.unwrap_or_default()
    }

    fn finds(&mut self, origin: &Origin, wanted: Reach) -> bool {
        let in_vain = &self.in_vain[usize::from(wanted == Reach::Decides)];
        let mut seen = HashSet::new();
        let mut rest = vec![origin];
        while let Some(origin) = rest.pop() {
            let Some(address) = origin.address() else { continue };
            if in_vain.contains(&address) || !seen.insert(address) {
                continue;
            }
            if let Some((own, by)) = origin.decision() {
                rest.push(own);
                if wanted == Reach::Decides {
                    rest.push(by);
                }
                continue;
            }
            let Some(record) = origin.record() else { continue };
            let is_here = |span| self.target.covers(span) || (self.behind)(span) >= wanted;
            if record.span.is_some_and(is_here) {
                return true;
            }
            rest.extend(&record.inputs);
            if goes_on_in(record.step) {
                rest.push(&record.previous);
            }
        }
        self.in_vain[usize::from(wanted == Reach::Decides)].extend(seen);
        self.alive.push(origin.clone());
        false
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
