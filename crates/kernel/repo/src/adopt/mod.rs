//! An existing repository's layout, found out: [`adopt`].
//!
//! The files are looked through once (`survey`); which folders are clusters and whose objects are to be followed is told
//! from what refers to what (`propose`). The result is the few lines of `onepane.yaml` that say so, and nothing where the
//! pattern's own names hold.

mod propose;
mod survey;

use crate::{BuildOptions, Layout, Repository};
use camino::Utf8Path;
use onepane_diagnostics::{Diagnostic, Result};
use onepane_world::World;
use onepane_yaml::Node;

/// What a repository is made of, and what `onepane.yaml` has to say of it.
#[derive(Clone, Debug)]
pub struct Adoption {
    /// What was found, a line each.
    pub found: Vec<String>,
    /// The text of `onepane.yaml`; empty where none is needed.
    pub text: String,
    /// The layout that this text says.
    pub layout: Layout,
}

/// Looks for the layout of the repository that `world` is rooted at. `addresses` are those that it has elsewhere.
///
/// # Errors
/// `adopt-nothing` where there is nothing that onepane builds.
pub fn adopt(world: &dyn World, addresses: &[String]) -> Result<Adoption> {
    let survey = survey::Survey::of(world);
    let mut proposal = propose::Proposal::of(&survey, addresses);
    if proposal.repository.is_none() && proposal.follow.contains(&"argocd") {
        proposal.repository = address_in_charts(world, Layout::parse(&proposal.text())?, addresses);
    }
    let text = proposal.text();
    let layout = Layout::parse(&text)?;
    let found = survey.report();
    if found.is_empty() {
        let message = "there are no kustomizations, charts, state files or objects of Flux or Argo CD here";
        return Err(Diagnostic::error("adopt-nothing", message)
            .hint("`onepane init DIR` makes a new repository; `onepane -C DIR init` looks at another folder"));
    }
    Ok(Adoption { found, text, layout })
}

/// The address that Applications call the repository by which a chart renders, as those of an app of apps: they are known
/// once they are built.
fn address_in_charts(world: &dyn World, layout: Layout, addresses: &[String]) -> Option<String> {
    let repository = Repository::with_layout(world, layout);
    let mut sources = Vec::new();
    for name in repository.clusters().ok()? {
        let Ok(built) = repository.build(&repository.cluster_folder(&name), &BuildOptions::default()) else { continue };
        for resource in built.resources.iter().filter(|resource| resource.kind() == "Application") {
            let source = |key| resource.node().at(&["spec", "source", key]).and_then(Node::as_str).unwrap_or_default();
            let path = Utf8Path::new(source("path"));
            if !path.as_str().is_empty() && world.kind(path).is_some() {
                sources.push(source("repoURL").to_owned());
            }
        }
    }
    propose::own_address(sources.iter().map(String::as_str), addresses)
}
