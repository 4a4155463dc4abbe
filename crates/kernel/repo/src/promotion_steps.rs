//! The way of versions from one environment to the next: [`Repository::promotion_steps`], [`PromotionStep::along`].

use crate::Repository;
use onepane_diagnostics::{Diagnostic, Result};
use std::collections::{BTreeMap, BTreeSet};

/// One step of the way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PromotionStep {
    /// The environment whose versions are carried.
    pub from: String,
    /// The environment that gets them.
    pub to: String,
}

/// What `onepane.yaml` says of the way.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PromotionSteps {
    /// The steps, the last of the way first.
    pub steps: Vec<PromotionStep>,
    /// Why environments that have a rule are in none of them.
    pub left_out: Vec<String>,
}

impl Repository<'_> {
    /// The steps that `promotions` in `onepane.yaml` say: an environment gets what the only one runs that it may get versions
    /// from. One that may get them from several others is left out, since nobody can say which.
    ///
    /// # Errors
    /// `promotion-steps` where the way leads back to where it began.
    pub fn promotion_steps(&self) -> Result<PromotionSteps> {
        let rules = &self.layout.promotions;
        let named = rules.iter().flat_map(|rules| std::iter::once(&rules.environments).chain(&rules.from)).cloned();
        let mut environments: BTreeSet<String> = self.clusters()?.into_iter().collect();
        // Folders are environments, too, where they are named.
        let is_other = |name: &String| !environments.contains(name) && self.unit(name).is_ok();
        let others: Vec<String> = named.filter(is_other).collect();
        environments.extend(others);
        let mut found = PromotionSteps::default();
        for to in &environments {
            let rules: Vec<_> = rules.iter().filter(|rules| rules.are_about(to) && !rules.from.is_empty()).collect();
            if rules.is_empty() {
                continue;
            }
            let is_source =
                |from: &&String| *from != to && rules.iter().all(|rules| rules.refuse_source(from).is_none());
            let sources: Vec<&str> = environments.iter().filter(is_source).map(String::as_str).collect();
            match sources.as_slice() {
                [from] => found.steps.push(PromotionStep { from: (*from).to_owned(), to: to.clone() }),
                [] => {
                    let from = rules.iter().flat_map(|rules| &rules.from).map(String::as_str).collect::<Vec<_>>();
                    found.left_out.push(format!("{to} gets versions from {}, which is not here", from.join(", ")));
                }
                several => {
                    let several = several.join(" or ");
                    found.left_out.push(format!("{to} may get versions from {several}, and nothing says from which"));
                }
            }
        }
        found.steps = last_first(found.steps)?;
        Ok(found)
    }
}

impl PromotionStep {
    /// The steps of ways that are written as `dev,staging,prod`, the last first.
    ///
    /// # Errors
    /// `promotion-steps` for a way that is none, that leads back, or to one environment from two.
    pub fn along(ways: &[String]) -> Result<Vec<Self>> {
        let mut steps = Vec::new();
        for way in ways {
            let names: Vec<&str> = way.split(',').map(str::trim).collect();
            if names.len() < 2 || names.iter().any(|name| name.is_empty()) {
                return Err(Diagnostic::error(
                    "promotion-steps",
                    format!("`{way}` is no way from one environment to another"),
                )
                .hint("it is written as `dev,staging,prod`"));
            }
            steps.extend(names.windows(2).map(|two| Self { from: two[0].to_owned(), to: two[1].to_owned() }));
        }
        last_first(steps)
    }
}

/// The steps farthest from where versions begin come first, so that none is carried on by two steps at once.
fn last_first(mut steps: Vec<PromotionStep>) -> Result<Vec<PromotionStep>> {
    let fail = |message: String| Diagnostic::error("promotion-steps", message);
    let mut sources: BTreeMap<&str, &str> = BTreeMap::new();
    for PromotionStep { from, to } in &steps {
        if let Some(other) = sources.insert(to, from).filter(|other| other != from) {
            return Err(fail(format!("{to} can't get the versions of both {other} and {from}")));
        }
    }
    let mut depths: BTreeMap<String, usize> = BTreeMap::new();
    for to in sources.keys() {
        let (mut depth, mut at) = (0, *to);
        while let Some(from) = sources.get(at) {
            (depth, at) = (depth + 1, from);
            if depth > sources.len() {
                return Err(fail(format!("versions would go round in a circle from {to} to {to}")));
            }
        }
        depths.insert((*to).to_owned(), depth);
    }
    steps.sort_by(|one, other| depths[&other.to].cmp(&depths[&one.to]).then_with(|| one.to.cmp(&other.to)));
    steps.dedup();
    Ok(steps)
}

#[cfg(test)]
mod tests {
    use super::*;
    use onepane_world::MemoryWorld;

    fn steps(promotions: &str) -> Result<PromotionSteps> {
        let mut world = MemoryWorld::new().with("onepane.yaml", &*format!("promotions: {promotions}\n"));
        for folder in ["clusters/dev", "clusters/staging", "clusters/prod-eu", "clusters/prod-us", "groups/qa"] {
            world = world.with(&*format!("{folder}/kustomization.yaml"), "resources: []\n");
        }
        Repository::open(&world)?.promotion_steps()
    }

    fn shown(steps: &[PromotionStep]) -> Vec<String> {
        steps.iter().map(|PromotionStep { from, to }| format!("{from} {to}")).collect()
    }

    #[test]
    fn the_last_step_comes_first() {
        let found = steps("{staging: {from: dev}, 'prod-*': {from: staging, ciRun: true}, dev: {ciRun: true}}");
        let found = found.expect("it is a way");
        assert_eq!(shown(&found.steps), ["staging prod-eu", "staging prod-us", "dev staging"]);
        assert_eq!(found.left_out, [""; 0]);
        let found = steps("{groups/qa: {from: dev}, staging: {from: groups/qa}}").expect("it is a way");
        assert_eq!(shown(&found.steps), ["groups/qa staging", "dev groups/qa"]);
    }

    #[test]
    fn what_nobody_can_say_is_left_out() {
        let found = steps("{staging: {from: [dev, prod-eu]}, prod-us: {from: canary}, prod-eu: {from: 'st*'}}");
        let found = found.expect("it can be read");
        assert_eq!(shown(&found.steps), ["staging prod-eu"]);
        assert!(found.left_out[0].contains("prod-us gets versions from canary, which is not here"), "{found:?}");
        assert!(found.left_out[1].contains("staging may get versions from dev or prod-eu"), "{found:?}");
        // All rules of an environment hold.
        let found = steps("{staging: {from: [dev, prod-eu]}, 'stag*': {from: dev}}").expect("it can be read");
        assert_eq!(shown(&found.steps), ["dev staging"]);
    }

    #[test]
    fn no_way_leads_back() {
        let error = steps("{staging: {from: dev}, dev: {from: staging}}").expect_err("it is a circle");
        assert!(error.message.contains("in a circle"), "{error}");
        let along = |ways: &[&str]| PromotionStep::along(&ways.iter().map(|&way| way.to_owned()).collect::<Vec<_>>());
        assert_eq!(
            shown(&along(&["dev,staging,prod-eu", "staging, prod-us"]).expect("they are ways")),
            ["staging prod-eu", "staging prod-us", "dev staging"]
        );
        for wrong in [&["dev"][..], &["dev,,prod"], &["dev,dev"], &["a,b,a"], &["a,c", "b,c"], &[""]] {
            along(wrong).expect_err(&wrong.join(" "));
        }
    }
}
