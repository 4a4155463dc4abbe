//! Which releases must be there before which: [`Plan`].

use std::collections::{BTreeMap, HashMap, HashSet};

/// What of the needs of chosen releases is planned with them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Needed {
    /// They have to be chosen, too.
    Chosen,
    /// Only what is chosen is planned.
    Skipped,
    /// All that they need is planned, whether chosen or not.
    Included,
}

/// Why releases can't be planned.
#[derive(Debug)]
pub struct Unplanned {
    /// In Helmfile's words.
    pub message: String,
    /// The releases that it is about, by their place.
    pub releases: Vec<usize>,
}

/// Puts releases, each an id and the ids that it needs, into groups, one after the other, so that each comes behind
/// what it needs; within a group in their order. Of all releases, the `chosen` ones are planned; none chosen are all.
///
/// # Errors
/// For needs that do not exist, that lead in a circle, or that are not chosen.
pub fn plan(releases: &[(&str, &[String])], chosen: &[&str], needed: Needed) -> Result<Vec<Vec<usize>>, Unplanned> {
    let places: HashMap<&str, usize> = releases.iter().enumerate().map(|(at, (id, _))| (*id, at)).collect();
    let mut undefined: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (id, needs) in releases {
        for need in needs.iter().filter(|need| !places.contains_key(need.as_str())) {
            undefined.entry(need).or_default().push(id);
        }
    }
    if let Some((need, by)) = undefined.first_key_value() {
        let name = need.rsplit('/').next().unwrap_or_default();
        let message = format!(
            "release(s) {} depend(s) on an undefined release {need:?}. Perhaps you made a typo in \"needs\" or forgot \
             defining a release named {name:?} with appropriate \"namespace\" and \"kubeContext\"?",
            by.iter().map(|id| format!("{id:?}")).collect::<Vec<_>>().join(", ")
        );
        return Err(Unplanned { message, releases: by.iter().map(|id| places[id]).collect() });
    }
    let groups = groups(releases, &places)?;
    if chosen.is_empty() {
        return Ok(groups);
    }
    let mut only: HashSet<&str> = chosen.iter().copied().collect();
    let mut dependents: HashMap<&str, Vec<&str>> = HashMap::new();
    for (id, needs) in releases {
        needs.iter().for_each(|need| dependents.entry(need).or_default().push(id));
    }
    let mut planned = Vec::new();
    for group in groups.into_iter().rev() {
        let mut kept = Vec::new();
        for at in group {
            let (id, _) = releases[at];
            if !only.contains(id) {
                if needed == Needed::Skipped {
                    continue;
                }
                let by = dependents.get(id).into_iter().flatten().filter(|dependent| only.contains(*dependent));
                let mut by: Vec<&str> = by.copied().collect();
                if by.is_empty() {
                    continue;
                }
                if needed == Needed::Chosen {
                    by.sort_unstable();
                    by.dedup();
                    let releases = by.iter().map(|id| places[id]).collect();
                    return Err(Unplanned { message: not_chosen(id, &by), releases });
                }
                only.insert(id);
            }
            kept.push(at);
        }
        if !kept.is_empty() {
            planned.push(kept);
        }
    }
    planned.reverse();
    Ok(planned)
}

/// All releases by depth.
fn groups(releases: &[(&str, &[String])], places: &HashMap<&str, usize>) -> Result<Vec<Vec<usize>>, Unplanned> {
    let mut missing: Vec<HashSet<usize>> = Vec::with_capacity(releases.len());
    let mut dependents: Vec<Vec<usize>> = vec![Vec::new(); releases.len()];
    for (at, (_, needs)) in releases.iter().enumerate() {
        let needs: HashSet<usize> = needs.iter().filter_map(|need| places.get(need.as_str()).copied()).collect();
        needs.iter().for_each(|need| dependents[*need].push(at));
        missing.push(needs);
    }
    let mut groups = Vec::new();
    let mut current: Vec<usize> = (0..releases.len()).filter(|at| missing[*at].is_empty()).collect();
    while !current.is_empty() {
        let mut next = Vec::new();
        for at in &current {
            for dependent in &dependents[*at] {
                missing[*dependent].remove(at);
                if missing[*dependent].is_empty() {
                    next.push(*dependent);
                }
            }
        }
        next.sort_unstable();
        groups.push(std::mem::replace(&mut current, next));
    }
    match (0..releases.len()).filter(|at| !missing[*at].is_empty()).min_by_key(|at| releases[*at].0) {
        None => Ok(groups),
        Some(first) => {
            let circle = circle(first, &missing);
            let names: Vec<&str> = circle.iter().map(|at| releases[*at].0).collect();
            Err(Unplanned { message: format!("cycle detected: {}", names.join(" -> ")), releases: circle })
        }
    }
}

/// The way around from a release that is in a circle or behind one.
fn circle(first: usize, missing: &[HashSet<usize>]) -> Vec<usize> {
    let (mut path, mut at) = (Vec::new(), first);
    while !path.contains(&at) {
        path.push(at);
        at = missing[at].iter().copied().min().unwrap_or(first);
    }
    let start = path.iter().position(|on| *on == at).unwrap_or_default();
    path.push(at);
    path.split_off(start)
}

fn not_chosen(id: &str, by: &[&str]) -> String {
    let mut quoted: Vec<String> = by.iter().map(|id| format!("{id:?}")).collect();
    let verb = if by.len() == 1 { "depends" } else { "depend" };
    let by = match quoted.pop() {
        Some(last) if quoted.len() > 1 => format!("{}, and {last}", quoted.join(", ")),
        Some(last) if quoted.len() == 1 => format!("{} and {last}", quoted[0]),
        Some(last) => last,
        None => String::new(),
    };
    let name = id.rsplit('/').next().unwrap_or_default();
    format!(
        "release {by} {verb} on {id:?} which does not match the selectors. Please add a selector like \"--selector \
         name={name}\", or indicate whether to skip (--skip-needs) or include (--include-needs) these dependencies"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn planned(needs: &[(&str, &[&str])], chosen: &[&str], needed: Needed) -> Result<String, Unplanned> {
        let needs: Vec<(&str, Vec<String>)> =
            needs.iter().map(|(id, needs)| (*id, needs.iter().map(|need| (*need).to_owned()).collect())).collect();
        let releases: Vec<(&str, &[String])> = needs.iter().map(|(id, needs)| (*id, needs.as_slice())).collect();
        let groups = plan(&releases, chosen, needed)?;
        let names = |group: &Vec<usize>| group.iter().map(|at| releases[*at].0).collect::<Vec<_>>().join(" ");
        Ok(groups.iter().map(names).collect::<Vec<_>>().join(", "))
    }

    const SHOP: &[(&str, &[&str])] = &[("web", &["api"]), ("api", &["db", "mq"]), ("mq", &[]), ("db", &[])];

    #[test]
    fn releases_come_behind_what_they_need() {
        for (chosen, needed, wanted) in [
            (&[][..], Needed::Chosen, "mq db, api, web"),
            (&["web"], Needed::Skipped, "web"),
            (&["web"], Needed::Included, "mq db, api, web"),
            (&["mq"], Needed::Included, "mq"),
            (&["api", "db", "mq"], Needed::Chosen, "mq db, api"),
        ] {
            assert_eq!(planned(SHOP, chosen, needed).expect("it can be planned"), wanted, "{chosen:?} {needed:?}");
        }
    }

    #[test]
    fn what_can_t_be_planned_is_refused() {
        for (needs, chosen, about, says) in [
            (SHOP, &["web"][..], &[0][..], "release \"web\" depends on \"api\" which does not match the selectors."),
            (&[("a", &["x/b"][..])], &[], &[0], "release(s) \"a\" depend(s) on an undefined release \"x/b\"."),
            (&[("a", &["b"]), ("b", &["c"]), ("c", &["b"])], &[], &[1, 2, 1], "cycle detected: b -> c -> b"),
        ] {
            let error = planned(needs, chosen, Needed::Chosen).expect_err("it can't be planned");
            assert!(error.message.starts_with(says), "{error:?}");
            assert_eq!(error.releases, about, "{error:?}");
        }
    }
}
