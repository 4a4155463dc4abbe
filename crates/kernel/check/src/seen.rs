//! What an expression of a template can be: [`Seen`].

use std::rc::Rc;

/// A node of the graph.
pub(crate) type Id = u32;

/// What an expression can be, whatever the values: any of some places and made maps, or a string of some shapes.
///
/// It only ever grows while templates are followed, and always holds at least what a render would meet.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Seen {
    /// Nodes, sorted.
    pub(crate) places: Vec<Id>,
    /// Strings, sorted. A list of strings is seen as its strings.
    pub(crate) names: Vec<Name>,
    /// Constants with template syntax that may have become a part of the text, sorted.
    pub(crate) pieces: Vec<Rc<str>>,
}

/// A string of which the start and the end are known, or all of it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Name {
    pub(crate) start: Rc<str>,
    /// `None` where `start` is all there is.
    pub(crate) end: Option<Rc<str>>,
}

/// More strings than this are any string.
const MOST_NAMES: usize = 24;

/// More pieces than this are one that can't be followed.
const MOST_PIECES: usize = 64;

impl Name {
    pub(crate) fn exact(text: &str) -> Self {
        Self { start: text.into(), end: None }
    }

    pub(crate) fn any() -> Self {
        Self { start: "".into(), end: Some("".into()) }
    }

    /// Whether `text` may be meant.
    pub(crate) fn fits(&self, text: &str) -> bool {
        match &self.end {
            None => *self.start == *text,
            Some(end) => {
                text.len() >= self.start.len() + end.len() && text.starts_with(&*self.start) && text.ends_with(&**end)
            }
        }
    }

    /// This and then `next`.
    fn then(&self, next: &Self) -> Self {
        match (&self.end, &next.end) {
            (None, end) => Self { start: format!("{}{}", self.start, next.start).into(), end: end.clone() },
            (Some(end), None) => Self { start: self.start.clone(), end: Some(format!("{end}{}", next.start).into()) },
            (Some(_), Some(end)) => Self { start: self.start.clone(), end: Some(end.clone()) },
        }
    }
}

impl Seen {
    /// A text of which nothing is known, and that is no place either.
    pub(crate) fn unknown() -> Self {
        Self { names: vec![Name::any()], ..Self::default() }
    }

    pub(crate) fn text(text: &str) -> Self {
        Self { names: vec![Name::exact(text)], ..Self::default() }
    }

    pub(crate) fn place(id: Id) -> Self {
        Self { places: vec![id], ..Self::default() }
    }

    /// Makes it hold what `other` holds too; whether that is more.
    pub(crate) fn add(&mut self, other: &Self) -> bool {
        let mut grown = unite(&mut self.places, &other.places);
        if !self.names_anything() {
            grown |= unite(&mut self.names, &other.names);
            if self.names.len() > MOST_NAMES || (self.names.len() > 1 && self.names.contains(&Name::any())) {
                // The constants are forgotten as names and stay as pieces of template.
                let pieces = self.texts();
                self.names = vec![Name::any()];
                grown |= self.add_pieces(&pieces);
            }
        } else {
            grown |= self.add_pieces(&other.texts());
        }
        grown | self.add_pieces(&other.pieces)
    }

    /// How much it is to carry about.
    pub(crate) fn size(&self) -> usize {
        self.places.len() + self.names.len() + self.pieces.len()
    }

    pub(crate) fn add_pieces(&mut self, pieces: &[Rc<str>]) -> bool {
        if self.pieces.len() > MOST_PIECES {
            return false;
        }
        let grown = unite(&mut self.pieces, pieces);
        if self.pieces.len() > MOST_PIECES {
            unite(&mut self.pieces, &["{{".into()]);
        }
        grown
    }

    pub(crate) fn add_place(&mut self, id: Id) {
        unite(&mut self.places, &[id]);
    }

    pub(crate) fn names_anything(&self) -> bool {
        self.names.first().is_some_and(|name| *name == Name::any())
    }

    /// The constants with template syntax: what it is and what may have become a part of it.
    pub(crate) fn texts(&self) -> Vec<Rc<str>> {
        let is_template = |text: &Rc<str>| text.contains("{{") || text.contains("}}");
        let exact = self.names.iter().flat_map(|name| [Some(name.start.clone()), name.end.clone()]).flatten();
        let mut texts: Vec<_> = exact.filter(is_template).chain(self.pieces.iter().cloned()).collect();
        texts.sort();
        texts.dedup();
        texts
    }

    /// The strings it can be as the key of a map; a value of a values file can be any string.
    pub(crate) fn as_keys(&self) -> Vec<Name> {
        if self.places.is_empty() { self.names.clone() } else { vec![Name::any()] }
    }

    /// The texts of several, one after the other.
    pub(crate) fn joined(parts: &[Vec<Name>]) -> Vec<Name> {
        let mut joined = vec![Name::exact("")];
        for part in parts {
            let combined = joined.iter().flat_map(|start| part.iter().map(|next| start.then(next)));
            let mut combined: Vec<Name> = combined.take(MOST_NAMES + 1).collect();
            if combined.len() > MOST_NAMES {
                return vec![Name::any()];
            }
            combined.sort();
            combined.dedup();
            joined = combined;
        }
        joined
    }
}

/// Adds sorted `more` to sorted `all`; whether something was new.
fn unite<T: Ord + Clone>(all: &mut Vec<T>, more: &[T]) -> bool {
    let before = all.len();
    match more {
        [] => {}
        [one] => {
            if let Err(at) = all.binary_search(one) {
                all.insert(at, one.clone());
            }
        }
        _ if more.iter().all(|one| all.binary_search(one).is_ok()) => {}
        _ => {
            all.extend_from_slice(more);
            all.sort();
            all.dedup();
        }
    }
    all.len() > before
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_joined_as_far_as_they_are_known() {
        let any = vec![Name::any()];
        let joined = Seen::joined(&[vec![Name::exact("a.")], any.clone(), vec![Name::exact(".b")]]);
        assert!(joined[0].fits("a.x.b") && !joined[0].fits("a.x.c") && !joined[0].fits("a.b"), "{joined:?}");
        assert!(Seen::joined(&[any.clone(), any])[0].fits("anything"));
    }

    #[test]
    fn many_names_are_any_name_and_keep_their_templates() {
        let mut seen = Seen::text("{{ .a }}");
        for number in 0..MOST_NAMES {
            seen.add(&Seen::text(&number.to_string()));
        }
        assert!(seen.names_anything());
        assert_eq!(seen.texts(), ["{{ .a }}".into()]);
    }
}
