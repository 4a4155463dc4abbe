//! Which images the services run that are not the one that is tested: [`replace`].

use camino::Utf8Path;
use onepane_diagnostics::Diagnostic;
use onepane_git::LocalRepository;
use onepane_repo::{OtherImages, Repository};
use onepane_temporary::images;
use onepane_world::EntryKind;
use serde_json::Value;

/// Whose images are to be which.
pub(super) struct Policy<'a> {
    pub(super) others: OtherImages,
    /// The branch that is meant, in place of the one that is checked out.
    pub(super) branch: Option<&'a str>,
    /// The service that is tested.
    pub(super) tested: Option<&'a str>,
}

/// Puts images in place of those of the other services, which are the folders below `src/`; gives which, by what was there.
pub(super) fn replace(
    repository: &Repository<'_>,
    root: &Utf8Path,
    policy: &Policy<'_>,
    parts: [&mut Vec<Value>; 2],
) -> Result<Vec<(String, String)>, Box<Diagnostic>> {
    if policy.others == OtherImages::Pinned {
        return Ok(Vec::new());
    }
    let folder = &repository.layout.src;
    let services = repository.world.list(folder).unwrap_or_default();
    let services = services.into_iter().filter(|entry| entry.kind != EntryKind::File);
    let services: Vec<String> = services.map(|entry| entry.name).filter(|name| policy.tested != Some(name)).collect();
    let tagged: Vec<(String, String)> = match policy.others {
        OtherImages::Latest => services.into_iter().map(|service| (service, "latest".to_owned())).collect(),
        _ => {
            let git = LocalRepository::of(root)?;
            let branch = policy.branch.map(str::to_owned).or_else(|| git.branch()).ok_or_else(|| {
                Diagnostic::error("ci-no-branch", "no branch is checked out whose images the others could run")
                    .hint("name one with --branch, or say --others pinned")
            })?;
            let tag = tag(&branch);
            let has = |service: &String| git.has_branch(&folder.join(service), &branch) == Some(true);
            services.into_iter().filter(has).map(|service| (service, tag.clone())).collect()
        }
    };
    let [environment, tests] = parts;
    let mut replaced = Vec::new();
    for (service, tag) in tagged {
        let named = images::of_service(environment, &service);
        for objects in [&mut *environment, &mut *tests] {
            let new = |image: &onepane_resource::ImageName<'_>| {
                named.contains(image.name).then(|| format!("{}:{tag}", image.name))
            };
            replaced.extend(images::replace(objects, &new));
        }
    }
    Ok(replaced)
}

/// A branch as the tag of an image: what no tag may have is a dash, and none begins with one.
fn tag(branch: &str) -> String {
    const LONGEST: usize = 128;
    let letters = branch.chars().map(|c| if c.is_ascii_alphanumeric() || matches!(c, '_' | '.') { c } else { '-' });
    let tag: String = letters.skip_while(|c| matches!(c, '.' | '-')).take(LONGEST).collect();
    if tag.is_empty() { "branch".to_owned() } else { tag }
}

#[cfg(test)]
mod tests {
    use super::tag;

    #[test]
    fn a_branch_is_a_tag() {
        assert_eq!(tag("feature/Pay_now.2"), "feature-Pay_now.2");
        assert_eq!((tag("-x"), tag("é/ü"), tag(&"a".repeat(500)).len()), ("x".to_owned(), "branch".to_owned(), 128));
    }
}
