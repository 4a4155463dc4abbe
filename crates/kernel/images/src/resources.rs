//! Flux's objects that say which images are followed.

use crate::policy::{Order, Policy, TagFilter};
use onepane_diagnostics::{Diagnostic, Result, Span};
use onepane_yaml::Node;
use regex::Regex;
use std::collections::BTreeMap;

/// An `ImagePolicy` of Flux.
#[derive(Clone, Debug)]
pub struct ImagePolicy {
    /// `NAMESPACE:NAME`, as markers call it.
    pub name: String,
    /// The `ImageRepository`, called likewise.
    pub repository: String,
    /// The namespace that it says itself to be in.
    pub namespace: Option<String>,
    /// Which tags count.
    pub filter: TagFilter,
    /// Which one of those.
    pub policy: Policy,
    /// Whether references have the digest, too.
    pub with_digest: bool,
}

/// An `ImageRepository` of Flux.
#[derive(Clone, Debug)]
pub struct ImageRepository {
    /// `NAMESPACE:NAME`.
    pub name: String,
    /// The image, without a tag.
    pub image: String,
    /// The namespace that it says itself to be in.
    pub namespace: Option<String>,
    /// Whether its registry speaks HTTP without TLS.
    pub is_insecure: bool,
    /// The Secret in its namespace with what to log in with.
    pub secret: Option<String>,
    /// The ServiceAccount in its namespace whose Secrets have that.
    pub service_account: Option<String>,
    /// The Secret in its namespace with the authorities that its registry is known by.
    pub certificates: Option<String>,
    /// The cloud whose identity logs in: `aws`, `azure`, `gcp`.
    pub provider: Option<String>,
    /// The labels of namespaces whose policies may follow it as well, each a set that has to match as a whole.
    pub lets_in: Vec<BTreeMap<String, String>>,
    exclusions: Vec<Regex>,
}

impl ImagePolicy {
    /// The policy that a manifest is, if it is one.
    ///
    /// # Errors
    /// `image-policy` for one that can't be followed.
    pub fn read(manifest: &Node) -> Result<Option<Self>> {
        if !is_kind(manifest, "ImagePolicy") {
            return Ok(None);
        }
        let namespace = text(manifest, &["metadata", "namespace"]).unwrap_or("default");
        let name = format!("{namespace}:{}", text(manifest, &["metadata", "name"]).unwrap_or_default());
        let fail = |error: Box<Diagnostic>| match manifest.span {
            Some(span) if error.primary.is_none() => error.at(span),
            _ => error,
        };
        let spec = |path: &[&str]| text(manifest, &[&["spec"], path].concat());
        let of = spec(&["imageRepositoryRef", "namespace"]).unwrap_or(namespace);
        let repository = format!("{of}:{}", spec(&["imageRepositoryRef", "name"]).unwrap_or_default());
        let filter = match spec(&["filterTags", "pattern"]) {
            Some(pattern) if !pattern.is_empty() => {
                TagFilter::new(pattern, spec(&["filterTags", "extract"]).unwrap_or_default()).map_err(fail)?
            }
            _ => TagFilter::default(),
        };
        let order = |kind: &str| match spec(&["policy", kind, "order"]) {
            Some(order) if order.eq_ignore_ascii_case("desc") => Order::Descending,
            _ => Order::Ascending,
        };
        let has = |kind: &str| get(manifest, &["spec", "policy", kind]).is_some();
        let policy = match () {
            () if has("semver") => Policy::semver(spec(&["policy", "semver", "range"]).unwrap_or("*")).map_err(fail)?,
            () if has("alphabetical") => Policy::Alphabetical(order("alphabetical")),
            () if has("numerical") => Policy::Numerical(order("numerical")),
            () => {
                let message = format!("the ImagePolicy `{name}` has no policy that is known");
                return Err(fail(
                    Diagnostic::error("image-policy", message).hint("known: semver, alphabetical, numerical"),
                ));
            }
        };
        let with_digest = spec(&["digestReflectionPolicy"]).is_some_and(|policy| policy != "Never");
        let own = text(manifest, &["metadata", "namespace"]).filter(|own| !own.is_empty()).map(str::to_owned);
        Ok(Some(Self { name, repository, namespace: own, filter, policy, with_digest }))
    }
}

impl ImageRepository {
    /// The repository that a manifest is, if it is one.
    ///
    /// # Errors
    /// `image-policy` for tags to leave out that are no patterns.
    pub fn read(manifest: &Node) -> Result<Option<Self>> {
        if !is_kind(manifest, "ImageRepository") {
            return Ok(None);
        }
        let namespace = text(manifest, &["metadata", "namespace"]).unwrap_or("default");
        let name = format!("{namespace}:{}", text(manifest, &["metadata", "name"]).unwrap_or_default());
        let image = text(manifest, &["spec", "image"]).unwrap_or_default().to_owned();
        let is_insecure = text(manifest, &["spec", "insecure"]) == Some("true");
        let said = |path: &[&str]| text(manifest, path).filter(|text| !text.is_empty()).map(str::to_owned);
        // What Flux leaves out by itself: signatures, which are tags too.
        let own = get(manifest, &["spec", "exclusionList"]).and_then(Node::items);
        let patterns: Vec<&str> = match own {
            Some(items) => items.iter().filter_map(Node::as_str).collect(),
            None => vec![r"^.*\.sig$"],
        };
        let compiled = patterns.into_iter().map(Regex::new).collect::<std::result::Result<_, _>>();
        let exclusions = compiled.map_err(|error| {
            let place = manifest.span.unwrap_or_else(|| Span::file(""));
            Diagnostic::error(
                "image-policy",
                format!("the ImageRepository `{name}` leaves out what is no pattern: {error}"),
            )
            .at(place)
        })?;
        Ok(Some(Self {
            name,
            image,
            namespace: said(&["metadata", "namespace"]),
            is_insecure,
            secret: said(&["spec", "secretRef", "name"]),
            service_account: said(&["spec", "serviceAccountName"]),
            certificates: said(&["spec", "certSecretRef", "name"]),
            provider: said(&["spec", "provider"]).filter(|provider| provider != "generic"),
            lets_in: selectors(manifest),
            exclusions,
        }))
    }

    /// Whether a policy of another namespace may follow it, by the labels of that namespace.
    pub fn lets_in(&self, namespace: &str, labels: &BTreeMap<String, String>) -> bool {
        // The API server gives it to each.
        let own = ("kubernetes.io/metadata.name", namespace);
        let has =
            |(key, value): (&String, &String)| (key.as_str(), value.as_str()) == own || labels.get(key) == Some(value);
        self.lets_in.iter().any(|selector| selector.iter().all(has))
    }

    /// Whether a tag counts.
    pub fn takes(&self, tag: &str) -> bool {
        !self.exclusions.iter().any(|pattern| pattern.is_match(tag))
    }
}

/// The labels that `accessFrom` asks for.
fn selectors(manifest: &Node) -> Vec<BTreeMap<String, String>> {
    let selectors = get(manifest, &["spec", "accessFrom", "namespaceSelectors"]).and_then(Node::items);
    selectors.unwrap_or_default().iter().map(|selector| labels(selector, "matchLabels")).collect()
}

/// The entries of a mapping under a key.
pub(crate) fn labels(node: &Node, key: &str) -> BTreeMap<String, String> {
    let entries = node.get(key).and_then(Node::entries).unwrap_or_default();
    let text = |node: &Node| node.as_str().map(str::to_owned);
    entries.iter().filter_map(|(key, value)| Some((text(key)?, text(value)?))).collect()
}

fn is_kind(manifest: &Node, kind: &str) -> bool {
    text(manifest, &["kind"]) == Some(kind)
        && text(manifest, &["apiVersion"]).is_some_and(|version| version.starts_with("image.toolkit.fluxcd.io/"))
}

fn get<'n>(node: &'n Node, path: &[&str]) -> Option<&'n Node> {
    path.iter().try_fold(node, |node, key| node.get(key))
}

fn text<'n>(node: &'n Node, path: &[&str]) -> Option<&'n str> {
    get(node, path)?.as_str()
}

#[cfg(test)]
mod tests {
    use super::*;
    use onepane_diagnostics::FileId;

    fn node(text: &str) -> Node {
        onepane_yaml::read(text, FileId::new("policy.yaml")).expect("it can be read").remove(0)
    }

    #[test]
    fn fluxs_objects_are_read() {
        let policy = node(
            "apiVersion: image.toolkit.fluxcd.io/v1\nkind: ImagePolicy\nmetadata: {name: api, namespace: flux-system}\n\
             spec:\n  imageRepositoryRef: {name: api}\n  filterTags: {pattern: '^main-(?P<n>[0-9]+)$', extract: $n}\n  \
             policy: {numerical: {order: asc}}\n  digestReflectionPolicy: IfNotPresent\n",
        );
        let policy = ImagePolicy::read(&policy).expect("it is right").expect("it is one");
        assert_eq!((policy.name.as_str(), policy.repository.as_str()), ("flux-system:api", "flux-system:api"));
        assert!(policy.with_digest);
        assert_eq!(policy.policy.newest(&policy.filter, ["main-9", "main-10", "x"]), Some("main-10"));
        let repository = node(
            "apiVersion: image.toolkit.fluxcd.io/v1beta2\nkind: ImageRepository\nmetadata: {name: api}\nspec: {image: r/api}\n",
        );
        let repository = ImageRepository::read(&repository).expect("it is right").expect("it is one");
        assert_eq!((repository.name.as_str(), repository.image.as_str()), ("default:api", "r/api"));
        assert!(repository.takes("1.0.0") && !repository.takes("sha256-ab.sig"));
        let nobody = BTreeMap::new();
        assert!(!repository.lets_in("apps", &nobody));
        let with = |access: &str| {
            let text = format!(
                "apiVersion: image.toolkit.fluxcd.io/v1\nkind: ImageRepository\nmetadata: {{name: api}}\nspec:\n  image: r/api\n  accessFrom: {access}\n"
            );
            ImageRepository::read(&node(&text)).expect("it is right").expect("it is one")
        };
        let team = BTreeMap::from([("team".to_owned(), "a".to_owned())]);
        let a = with("{namespaceSelectors: [{matchLabels: {team: b}}, {matchLabels: {team: a}}]}");
        assert!(a.lets_in("apps", &team) && !a.lets_in("apps", &nobody));
        let named = with("{namespaceSelectors: [{matchLabels: {kubernetes.io/metadata.name: apps}}]}");
        assert!(named.lets_in("apps", &nobody) && !named.lets_in("other", &team));
        assert!(with("{namespaceSelectors: [{}]}").lets_in("other", &nobody), "an empty selector is for all");
        assert!(!with("{namespaceSelectors: []}").lets_in("other", &nobody));
        assert!(ImagePolicy::read(&node("kind: ImagePolicy\napiVersion: example.com/v1\n")).expect("fine").is_none());
        let unknown = node("kind: ImagePolicy\napiVersion: image.toolkit.fluxcd.io/v1\nspec: {policy: {newest: {}}}\n");
        let error = ImagePolicy::read(&unknown).expect_err("nobody knows it");
        assert_eq!(error.primary.expect("it names the place").span.line, 1);
    }
}
