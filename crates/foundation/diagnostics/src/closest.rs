//! "Did you mean …?": [`closest`].

/// The candidate that `wanted` was probably meant to be: a name a few slips away, whatever the case of its letters, and
/// the first of those that are equally far.
///
/// A slip is a letter too many, too few, wrong, or swapped with the next; one in three letters may be one. Names of a
/// letter or two are all a slip away from one another.
pub fn closest<'c>(wanted: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<&'c str> {
    let plain = |name: &str| name.to_lowercase().replace(['-', '_'], "");
    // Longer ones are no names that someone typed, and the distance takes the product of both lengths.
    const LONGEST: usize = 100;
    if wanted.len() > LONGEST {
        return None;
    }
    let wanted_plain = plain(wanted);
    let most = wanted_plain.chars().count() / 3;
    let distance = |name: &str| strsim::damerau_levenshtein(&wanted_plain, &plain(name));
    let candidates = candidates.into_iter().filter(|name| *name != wanted && name.len() <= LONGEST);
    let near = candidates.map(|name| (distance(name), name)).filter(|(distance, _)| *distance <= most);
    near.min_by_key(|(distance, _)| *distance).map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_forgiven_and_other_names_are_not() {
        let keys = ["tag", "repository", "pullPolicy", "replicaCount"];
        let cases = [
            ("tagg", Some("tag")),
            ("repositroy", Some("repository")),
            ("pullpolicy", Some("pullPolicy")),
            ("replica-count", Some("replicaCount")),
            ("replicas", None),
            ("tag", None),
            ("x", None),
            ("ag", None),
        ];
        for (wanted, found) in cases {
            assert_eq!(closest(wanted, keys), found, "{wanted}");
        }
    }
}
