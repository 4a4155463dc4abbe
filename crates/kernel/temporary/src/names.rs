//! Names that are readable, and no two the same: [`namespace_name`].

/// The longest name that a namespace may have.
pub const LONGEST_NAME: usize = 63;
/// No name of anything may be longer.
const LONGEST_OF_ALL: usize = 253;

/// `ci-SUBJECT-CHANCE`, with as much of the subject as there is room for.
pub fn namespace_name(subject: &str, chance: &str) -> String {
    let room = LONGEST_NAME - "ci--".len() - chance.len().min(LONGEST_NAME / 2);
    let letters = subject.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' });
    let mut words = String::new();
    for letter in letters.take(room) {
        if letter != '-' || !words.ends_with('-') {
            words.push(letter);
        }
    }
    match words.trim_matches('-') {
        "" => format!("ci-{chance}"),
        words => format!("ci-{words}-{chance}"),
    }
}

/// A name with the name of the namespace behind it.
pub(crate) fn suffixed(name: &str, namespace: &str) -> String {
    let room = LONGEST_OF_ALL.saturating_sub(namespace.len() + 1);
    let cut = name.char_indices().nth(room).map_or(name, |(at, _)| &name[..at]);
    format!("{cut}-{namespace}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_that_namespaces_can_have() {
        assert_eq!(namespace_name("api", "k3v9x2"), "ci-api-k3v9x2");
        assert_eq!(namespace_name("My_Shop.Api--1", "k3v9x2"), "ci-my-shop-api-1-k3v9x2");
        assert_eq!(namespace_name("…", "k3v9x2"), "ci-k3v9x2");
        assert_eq!(namespace_name("", "k3v9x2"), "ci-k3v9x2");
        let long = namespace_name(&"a".repeat(500), "k3v9x2");
        assert_eq!(long.len(), LONGEST_NAME);
        assert!(suffixed(&"é".repeat(500), "ci-api-k3v9x2").ends_with("é-ci-api-k3v9x2"));
    }
}
