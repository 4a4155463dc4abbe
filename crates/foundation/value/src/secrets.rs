//! Values that are secret, or hold what is: they know it by their origins.

use crate::{Data, List, Map, Text, Value};
use onepane_diagnostics::Origin;

/// A map may hold itself; nothing honest nests deeper.
const DEEPEST: usize = 100;

impl Text {
    /// The origin of a stretch that was made of a secret, if there is one.
    pub fn secret(&self) -> Option<&Origin> {
        self.marks()?.iter().map(|(_, origin)| origin).find(|origin| origin.secret().is_some())
    }
}

impl Value {
    /// The origin that says that the value was made of a secret, whatever it holds.
    pub fn own_secret(&self) -> Option<&Origin> {
        let own = Some(&self.origin).filter(|origin| origin.secret().is_some());
        own.or_else(|| self.as_text().and_then(Text::secret))
    }

    /// The same of the value or, where it is a list or a map, anything in it.
    pub fn secret(&self) -> Option<Origin> {
        self.secret_within(DEEPEST)
    }

    fn secret_within(&self, depth: usize) -> Option<Origin> {
        let depth = depth.checked_sub(1)?;
        match &self.data {
            Data::List(list) => list.iter().find_map(|item| item.secret_within(depth)),
            Data::Map(map) => {
                let mut found = None;
                let _ = map.try_for_each(|_, value| {
                    found = value.secret_within(depth);
                    if found.is_some() { Err(()) } else { Ok(()) }
                });
                found
            }
            _ => self.own_secret().cloned(),
        }
    }

    /// The value with what `mark` says of each scalar in it as its origin; `None` leaves a scalar as it is. Lists and
    /// maps are new ones, and are from nowhere else than before: what is read of one is not what else is in it.
    pub fn with_origins(&self, mark: &dyn Fn(&Self) -> Option<Origin>) -> Self {
        let data = match &self.data {
            Data::List(list) => {
                let items: Vec<Self> = list.iter().map(|item| item.with_origins(mark)).collect();
                Data::List(List::of(list.element(), items))
            }
            Data::Map(map) => {
                let marked = Map::of(map.declared());
                map.for_each(|key, value| _ = marked.insert(key.clone(), value.with_origins(mark)));
                Data::Map(marked)
            }
            _ => match mark(self) {
                Some(origin) => return Self { data: self.data.clone().unmarked(), origin },
                None => return self.clone(),
            },
        };
        Self { data, origin: self.origin.clone() }
    }
}

impl Data {
    /// A text without marks of its own, so that the origin of its value counts.
    fn unmarked(self) -> Self {
        match self {
            Self::String(text) => Self::String(text.without_origin()),
            other => other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::from_yaml;
    use onepane_diagnostics::{FileId, Span, Step};

    #[test]
    fn what_holds_a_secret_knows_it_and_what_stands_beside_does_not() {
        let origin = Origin::at(Step::Secret, Span::new(FileId::new("s"), 1, 1));
        let value = from_yaml("a: {b: [x, hush]}\nc: 1\n", None).expect("it is YAML");
        let mark = |value: &Value| value.as_text().filter(|text| **text == "hush").map(|_| origin.clone());
        let marked = value.with_origins(&mark);
        assert!(value.secret().is_none() && marked.secret().is_some() && marked.own_secret().is_none());
        let map = marked.as_map().expect("it is a map");
        assert!(map.get("c").is_some_and(|value| value.secret().is_none()));
        let itself = Map::new();
        itself.insert("again", itself.clone().into());
        assert!(Value::from(itself).secret().is_none());
    }
}
