//! What functions do with their arguments, as far as reading values goes.
//!
//! A function that does not stand here reads all of its arguments and gives a text of which nothing is known.

use crate::follow::{At, Follower};
use crate::seen::{Name, Seen};

impl Follower {
    pub(crate) fn call_function(&mut self, name: &str, arguments: &[Seen], at: At<'_>) -> Seen {
        let site = (at.template, at.position);
        // Sprig's `must` functions do what their namesakes do and fail differently.
        let plain = name.strip_prefix("must").map_or_else(|| name.to_owned(), decapitalized);
        match (plain.as_str(), arguments) {
            ("include", [names, data]) => {
                let mut printed = Seen::default();
                for name in names.as_keys() {
                    printed.add(&self.include(&name, data));
                }
                self.graph.read_whole(names);
                printed
            }
            ("tpl", [text, data]) => self.tpl(text, data),

            // What looks at a value and not into it.
            ("not" | "empty" | "kindOf" | "kindIs" | "typeOf" | "typeIs" | "typeIsLike" | "len", _) => Seen::unknown(),
            ("eq" | "ne" | "lt" | "le" | "gt" | "ge", _) => Seen::unknown(),
            ("hasKey", [map, key]) => {
                self.at_key(map, key);
                Seen::unknown()
            }

            // What gives one of its arguments, or a part of one.
            ("and" | "or" | "default" | "coalesce" | "deepCopy", _) => union(arguments),
            ("ternary", [yes, no, _]) => union(&[yes.clone(), no.clone()]),
            ("required", [_, value]) => value.clone(),
            ("concat" | "rest" | "initial" | "slice" | "reverse" | "uniq" | "compact" | "without", _) => {
                union(arguments)
            }
            ("first" | "last", [list]) => self.graph.any_key(list),
            ("omit" | "unset", [map, ..]) => map.clone(),
            ("get", [map, key]) => self.at_key(map, key),
            ("index", [value, keys @ ..]) => keys.iter().fold(value.clone(), |value, key| self.at_key(&value, key)),
            ("dig", [keys @ .., default, map]) => {
                let mut found = keys.iter().fold(map.clone(), |value, key| self.at_key(&value, key));
                found.add(default);
                found
            }
            ("keys", maps) => {
                let mut keys = Seen::default();
                for map in maps {
                    self.graph.any_key(map);
                    keys.add(&self.keys(map));
                }
                keys
            }

            // What makes maps and lists, or changes them.
            ("dict", pairs) => {
                let map = self.graph.made(site);
                for pair in pairs.chunks(2) {
                    let value = pair.get(1).cloned().unwrap_or_default();
                    self.store(&Seen::place(map), &pair[0], &value);
                }
                Seen::place(map)
            }
            ("list" | "tuple", items) => {
                let list = self.graph.made(site);
                items.iter().for_each(|item| self.graph.store(list, None, item));
                Seen::place(list)
            }
            ("append" | "push" | "prepend", [list, item]) => {
                let longer = self.graph.made(site);
                let items = self.graph.any_key(list);
                self.graph.store(longer, None, &items);
                self.graph.store(longer, None, item);
                Seen::place(longer)
            }
            ("values", [map]) => {
                let list = self.graph.made(site);
                let items = self.graph.any_key(map);
                self.graph.store(list, None, &items);
                Seen::place(list)
            }
            ("pluck", [key, maps @ ..]) => {
                let list = self.graph.made(site);
                for map in maps {
                    let value = self.at_key(map, key);
                    self.graph.store(list, None, &value);
                }
                Seen::place(list)
            }
            ("pick", [map, keys @ ..]) => {
                let picked = self.graph.made(site);
                for key in keys {
                    let value = self.at_key(map, key);
                    self.store(&Seen::place(picked), key, &value);
                }
                Seen::place(picked)
            }
            ("set", [map, key, value]) => {
                self.store(map, key, value);
                map.clone()
            }
            ("merge" | "mergeOverwrite", [into, maps @ ..]) => {
                let maps = union(maps);
                into.places.iter().for_each(|into| self.graph.merge(*into, &maps));
                // Of a map that is not known, only what is merged into it is.
                let mut merged = into.clone();
                merged.add(&maps);
                merged
            }

            // What gives texts of which something is known.
            ("print", parts) => {
                self.read(parts);
                let names: Vec<_> = parts.iter().map(Seen::as_keys).collect();
                Seen { names: Seen::joined(&names), ..self.text_of(parts) }
            }
            ("printf", [format, parts @ ..]) => {
                self.read(arguments);
                Seen { names: formatted(format, parts), ..self.text_of(arguments) }
            }
            ("contains" | "hasPrefix" | "hasSuffix" | "regexMatch" | "semverCompare" | "has" | "deepEqual", _) => {
                self.read(arguments);
                Seen::unknown()
            }
            _ => {
                self.read(arguments);
                self.text_of(arguments)
            }
        }
    }

    /// What stands at `key` of a map or a list, and what may if the key is not known.
    fn at_key(&mut self, map: &Seen, key: &Seen) -> Seen {
        let mut found = Seen::default();
        for name in key.as_keys() {
            let value = match &name.end {
                None => self.graph.key(map, &name.start),
                Some(_) => self.graph.any_key(map),
            };
            found.add(&value);
        }
        self.graph.read_whole(key);
        found
    }

    fn store(&mut self, maps: &Seen, key: &Seen, value: &Seen) {
        for name in key.as_keys() {
            let key = name.end.is_none().then_some(&*name.start);
            maps.places.iter().for_each(|map| self.graph.store(*map, key, value));
        }
        self.graph.read_whole(key);
    }

    fn read(&mut self, arguments: &[Seen]) {
        arguments.iter().for_each(|argument| self.graph.read_whole(argument));
    }

    /// A text that is made of `parts` in a way that is not followed.
    fn text_of(&self, parts: &[Seen]) -> Seen {
        let mut text = Seen::unknown();
        parts.iter().for_each(|part| {
            text.add_pieces(&part.texts());
        });
        text
    }

    fn tpl(&mut self, text: &Seen, data: &Seen) -> Seen {
        self.graph.read_whole(text);
        let is_made = !text.places.is_empty() || text.names.iter().any(|name| name.end.is_some());
        if is_made {
            self.run_unknown(data);
        }
        for piece in text.texts() {
            // Where a text is made of pieces that are no templates, what it comes to is anybody's guess.
            if !self.run_text(&piece, data) && is_made {
                self.graph.read_whole(data);
            }
        }
        Seen::unknown()
    }
}

fn union(arguments: &[Seen]) -> Seen {
    let mut all = Seen::default();
    arguments.iter().for_each(|argument| {
        all.add(argument);
    });
    all
}

/// The names that `printf` gives, where it has no verbs but `%s`.
fn formatted(format: &Seen, parts: &[Seen]) -> Vec<Name> {
    let mut found = Vec::new();
    for format in format.as_keys() {
        let pieces: Vec<&str> = format.start.split("%s").collect();
        if format.end.is_some() || pieces.len() != parts.len() + 1 || pieces.iter().any(|piece| piece.contains('%')) {
            return vec![Name::any()];
        }
        let mut names = vec![vec![Name::exact(pieces[0])]];
        for (part, piece) in parts.iter().zip(&pieces[1..]) {
            names.push(part.as_keys());
            names.push(vec![Name::exact(piece)]);
        }
        found.extend(Seen::joined(&names));
    }
    found.sort();
    found.dedup();
    found
}

fn decapitalized(name: &str) -> String {
    let mut characters = name.chars();
    characters.next().map(|first| first.to_ascii_lowercase()).into_iter().chain(characters).collect()
}
