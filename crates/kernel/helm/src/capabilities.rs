//! `.Capabilities`: what the cluster and Helm can do. Without a cluster, what Helm was built with.
//!
//! Whoever has a cluster asks it and hands over what it said: [`Capabilities::of_cluster`].

use onepane_chart::Compat;
use onepane_value::{ElementType, Kind, List, Map, Object, Text, Value};
use std::any::Any;
use std::borrow::Cow;
use std::rc::Rc;

/// The versions of the cluster that templates are told about.
#[derive(Clone, Debug)]
pub struct Capabilities {
    compat: Compat,
    kube_version: KubeVersion,
    /// Those of Helm itself count too, unless a cluster was asked.
    built_in_versions: bool,
    extra_versions: Vec<String>,
}

/// What a cluster says of itself.
#[derive(Clone, Debug, Default)]
pub struct ClusterCapabilities {
    /// Its version as it writes it: `v1.34.4`, `v1.31.2-gke.100`.
    pub version: String,
    /// The first number of the version.
    pub major: String,
    /// The second, which some distributions end with `+`.
    pub minor: String,
    /// Its group versions, and the kinds of each below it: `apps/v1`, `apps/v1/Deployment`.
    pub api_versions: Vec<String>,
}

impl Default for Capabilities {
    /// Kubernetes 1.37 with the groups that Helm 4.3.1 knows.
    fn default() -> Self {
        Self::of(Compat::Helm4)
    }
}

impl Capabilities {
    /// The Kubernetes and the groups that a version of Helm knows.
    pub fn of(compat: Compat) -> Self {
        let minor = match compat {
            Compat::Helm4 => "37",
            Compat::Helm3 => "34",
        };
        let version = format!("v1.{minor}.0");
        let kube_version = KubeVersion { normalized: version.clone(), version, major: "1".into(), minor: minor.into() };
        Self { compat, kube_version, built_in_versions: true, extra_versions: Vec::new() }
    }

    /// What a cluster says of itself, and nothing else. Like Helm, it takes the version as it stands: for a constraint
    /// of a chart, one with a suffix is a pre-release.
    pub fn of_cluster(compat: Compat, cluster: ClusterCapabilities) -> Self {
        let ClusterCapabilities { version, major, minor, api_versions } = cluster;
        let kube_version =
            KubeVersion { normalized: version.clone(), version, major: major.into(), minor: minor.into() };
        Self { compat, kube_version, built_in_versions: false, extra_versions: api_versions }
    }

    /// With another version of Kubernetes: two or more numbers, whatever comes after them. The error is Kubernetes' own.
    pub fn with_kube_version(self, text: &str) -> Result<Self, String> {
        let mut kube_version = KubeVersion::parse(text)?;
        if self.compat == Compat::Helm3 {
            kube_version.version.clone_from(&kube_version.normalized);
        }
        Ok(Self { kube_version, ..self })
    }

    /// With more API versions: `monitoring.coreos.com/v1`, `apps/v1/Deployment`.
    pub fn with_api_versions(mut self, versions: impl IntoIterator<Item = String>) -> Self {
        self.extra_versions.extend(versions);
        self
    }

    /// The version that constraints of charts are held against.
    pub fn kube_version(&self) -> &str {
        &self.kube_version.normalized
    }

    /// The numbers of the version that count for deprecations.
    pub(crate) fn major_minor(&self) -> (u32, u32) {
        let number = |text: &Text| text.to_str().parse().unwrap_or_default();
        (number(&self.kube_version.major), number(&self.kube_version.minor))
    }

    /// The version as it was given.
    pub fn full_kube_version(&self) -> &str {
        &self.kube_version.version
    }

    fn has(&self, version: &[u8]) -> bool {
        self.known_versions().any(|known| known.as_bytes() == version)
            || self.extra_versions.iter().any(|known| known.as_bytes() == version)
    }

    fn known_versions(&self) -> impl Iterator<Item = &'static str> + use<> {
        let compat = self.compat;
        let built_in = if self.built_in_versions { API_VERSIONS } else { &[] };
        built_in.iter().filter(move |(_, only)| only.is_none_or(|only| only == compat)).map(|(version, _)| *version)
    }

    fn versions(&self) -> List {
        let extra = self.extra_versions.iter().map(|version| Value::string(version.as_str()));
        List::of(ElementType::String, self.known_versions().map(Value::string).chain(extra).collect::<Rc<[Value]>>())
    }

    /// What templates see.
    pub(crate) fn to_value(&self) -> Value {
        Value::object(CapabilitiesObject(Rc::new(self.clone())))
    }
}

/// A version of Kubernetes.
#[derive(Clone, Debug)]
struct KubeVersion {
    version: String,
    normalized: String,
    major: Text,
    minor: Text,
}

impl KubeVersion {
    fn parse(text: &str) -> Result<Self, String> {
        let quoted = || format!("{text:?}");
        let body = text.trim_start();
        let body = body.strip_prefix('v').unwrap_or(body);
        let length = body.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(body.len());
        let mut numbers = &body[..length];
        // Dots count only between digits.
        if let Some(end) = numbers.find("..") {
            numbers = &numbers[..end];
        }
        let numbers = numbers.strip_suffix('.').unwrap_or(numbers);
        if numbers.is_empty() || numbers.starts_with('.') {
            return Err(format!("could not parse {} as version", quoted()));
        }
        let components: Vec<&str> = numbers.split('.').collect();
        let [major, minor, ..] = components.as_slice() else {
            return Err(format!("illegal version string {}", quoted()));
        };
        if major.starts_with('0') && *major != "0" {
            return Err(format!("illegal zero-prefixed version component {major:?} in {}", quoted()));
        }
        let mut values = Vec::new();
        for component in &components {
            let value: u64 = component.parse().map_err(|_| {
                format!(
                    "illegal non-numeric version component {component:?} in {}: strconv.ParseUint: parsing {component:?}: \
                     value out of range",
                    quoted()
                )
            })?;
            values.push(value.to_string());
        }
        let version = if text.starts_with('v') { text.to_owned() } else { format!("v{text}") };
        let plain = |component: &str| Text::from(component.trim_start_matches('0').to_owned());
        let or_zero = |text: Text| if text.is_empty() { Text::from("0") } else { text };
        Ok(Self {
            version,
            normalized: format!("v{}", values.join(".")),
            major: or_zero(plain(major)),
            minor: or_zero(plain(minor)),
        })
    }
}

/// `*common.Capabilities`
#[derive(Debug)]
struct CapabilitiesObject(Rc<Capabilities>);

impl Object for CapabilitiesObject {
    fn type_name(&self) -> Cow<'static, str> {
        match self.0.compat {
            Compat::Helm4 => "*common.Capabilities".into(),
            Compat::Helm3 => "*chartutil.Capabilities".into(),
        }
    }

    fn kind(&self) -> Kind {
        Kind::Pointer
    }

    fn field(&self, name: &str) -> Option<Value> {
        match name {
            "KubeVersion" => Some(Value::object(KubeVersionObject(self.0.clone()))),
            "APIVersions" => Some(Value::object(VersionSet(self.0.clone()))),
            "HelmVersion" => Some(Value::object(HelmVersion(self.0.compat))),
            _ => None,
        }
    }

    fn plain(&self) -> Value {
        as_map(self)
    }

    fn declared_fields(&self) -> Option<Vec<(&'static str, Value)>> {
        Some(fields(self, ["KubeVersion", "APIVersions", "HelmVersion"]))
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// `common.KubeVersion`
#[derive(Debug)]
struct KubeVersionObject(Rc<Capabilities>);

impl Object for KubeVersionObject {
    fn type_name(&self) -> Cow<'static, str> {
        match self.0.compat {
            Compat::Helm4 => "common.KubeVersion".into(),
            Compat::Helm3 => "chartutil.KubeVersion".into(),
        }
    }

    fn field(&self, name: &str) -> Option<Value> {
        let version = &self.0.kube_version;
        match name {
            "Version" => Some(Value::string(version.version.as_str())),
            "Major" => Some(Value::string(version.major.clone())),
            "Minor" => Some(Value::string(version.minor.clone())),
            _ => None,
        }
    }

    fn has_method(&self, name: &str) -> bool {
        name == "GitVersion" || name == "String"
    }

    fn call(&self, name: &str, arguments: &[Value]) -> Result<Value, String> {
        no_arguments(name, arguments)?;
        let version = &self.0.kube_version;
        match name {
            "GitVersion" => Ok(Value::string(version.version.as_str())),
            _ => Ok(Value::string(version.normalized.as_str())),
        }
    }

    fn display(&self) -> Option<Text> {
        Some(self.0.kube_version.normalized.as_str().into())
    }

    fn plain(&self) -> Value {
        as_map(self)
    }

    fn declared_fields(&self) -> Option<Vec<(&'static str, Value)>> {
        Some(fields(self, ["Version", "Major", "Minor"]))
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// `common.VersionSet`
#[derive(Debug)]
struct VersionSet(Rc<Capabilities>);

impl Object for VersionSet {
    fn type_name(&self) -> Cow<'static, str> {
        match self.0.compat {
            Compat::Helm4 => "common.VersionSet".into(),
            Compat::Helm3 => "chartutil.VersionSet".into(),
        }
    }

    fn kind(&self) -> Kind {
        Kind::Slice
    }

    fn field(&self, _name: &str) -> Option<Value> {
        None
    }

    fn has_method(&self, name: &str) -> bool {
        name == "Has"
    }

    fn call(&self, name: &str, arguments: &[Value]) -> Result<Value, String> {
        match arguments {
            [version] => match version.as_text() {
                Some(text) => Ok(self.0.has(text).into()),
                None => Err(format!("wrong type for value; expected string; got {}", version.type_name())),
            },
            _ => Err(format!("wrong number of args for {name}: want 1 got {}", arguments.len())),
        }
    }

    fn plain(&self) -> Value {
        self.0.versions().into()
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// `version.BuildInfo`
#[derive(Debug)]
struct HelmVersion(Compat);

impl Object for HelmVersion {
    fn type_name(&self) -> Cow<'static, str> {
        "version.BuildInfo".into()
    }

    fn field(&self, name: &str) -> Option<Value> {
        let text = match (name, self.0) {
            ("Version", Compat::Helm4) => "v4.3",
            ("Version", Compat::Helm3) => "v3.19",
            ("GitCommit" | "GitTreeState", _) => "",
            ("GoVersion", Compat::Helm4) => "go1.26.8",
            ("GoVersion", Compat::Helm3) => "go1.24.7",
            ("KubeClientVersion", Compat::Helm4) => "v1.37",
            _ => return None,
        };
        Some(text.into())
    }

    fn plain(&self) -> Value {
        as_map(self)
    }

    fn declared_fields(&self) -> Option<Vec<(&'static str, Value)>> {
        let names = [("version", "Version"), ("go_version", "GoVersion"), ("kube_client_version", "KubeClientVersion")];
        Some(names.into_iter().filter_map(|(json_name, name)| Some((json_name, self.field(name)?))).collect())
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

fn fields<const N: usize>(object: &dyn Object, names: [&'static str; N]) -> Vec<(&'static str, Value)> {
    names.map(|name| (name, object.field(name).unwrap_or_default())).into()
}

fn as_map(object: &dyn Object) -> Value {
    object.declared_fields().unwrap_or_default().into_iter().collect::<Map>().into()
}

/// Go's complaint about arguments of a method that takes none.
pub(crate) fn no_arguments(name: &str, arguments: &[Value]) -> Result<(), String> {
    if arguments.is_empty() {
        return Ok(());
    }
    Err(format!("wrong number of args for {name}: want 0 got {}", arguments.len()))
}

/// What `helm template` prints for `.Capabilities.APIVersions`, in its order: Helm 4.3.1 all but those that only Helm
/// 3.19.0 knows, and the other way round.
const API_VERSIONS: &[(&str, Option<Compat>)] = &[
    ("v1", None),
    ("admissionregistration.k8s.io/v1", None),
    ("admissionregistration.k8s.io/v1alpha1", None),
    ("admissionregistration.k8s.io/v1beta1", None),
    ("internal.apiserver.k8s.io/v1alpha1", None),
    ("apps/v1", None),
    ("apps/v1beta1", None),
    ("apps/v1beta2", None),
    ("authentication.k8s.io/v1", None),
    ("authentication.k8s.io/v1alpha1", None),
    ("authentication.k8s.io/v1beta1", None),
    ("authorization.k8s.io/v1", None),
    ("authorization.k8s.io/v1beta1", None),
    ("autoscaling/v1", None),
    ("autoscaling/v2", None),
    ("autoscaling/v2beta1", Some(Compat::Helm3)),
    ("autoscaling/v2beta2", Some(Compat::Helm3)),
    ("batch/v1", None),
    ("batch/v1beta1", None),
    ("certificates.k8s.io/v1", None),
    ("certificates.k8s.io/v1beta1", None),
    ("certificates.k8s.io/v1alpha1", None),
    ("coordination.k8s.io/v1alpha2", None),
    ("coordination.k8s.io/v1beta1", None),
    ("coordination.k8s.io/v1", None),
    ("discovery.k8s.io/v1", None),
    ("discovery.k8s.io/v1beta1", None),
    ("events.k8s.io/v1", None),
    ("events.k8s.io/v1beta1", None),
    ("extensions/v1beta1", None),
    ("flowcontrol.apiserver.k8s.io/v1", None),
    ("flowcontrol.apiserver.k8s.io/v1beta1", None),
    ("flowcontrol.apiserver.k8s.io/v1beta2", None),
    ("flowcontrol.apiserver.k8s.io/v1beta3", None),
    ("lifecycle.k8s.io/v1alpha1", Some(Compat::Helm4)),
    ("networking.k8s.io/v1", None),
    ("networking.k8s.io/v1beta1", None),
    ("node.k8s.io/v1", None),
    ("node.k8s.io/v1alpha1", None),
    ("node.k8s.io/v1beta1", None),
    ("policy/v1", None),
    ("policy/v1beta1", None),
    ("rbac.authorization.k8s.io/v1", None),
    ("rbac.authorization.k8s.io/v1beta1", None),
    ("rbac.authorization.k8s.io/v1alpha1", None),
    ("resource.k8s.io/v1", None),
    ("resource.k8s.io/v1beta2", None),
    ("resource.k8s.io/v1beta1", None),
    ("resource.k8s.io/v1alpha3", None),
    ("scheduling.k8s.io/v1alpha3", Some(Compat::Helm4)),
    ("scheduling.k8s.io/v1alpha1", Some(Compat::Helm3)),
    ("scheduling.k8s.io/v1beta1", None),
    ("scheduling.k8s.io/v1", None),
    ("storage.k8s.io/v1beta1", None),
    ("storage.k8s.io/v1", None),
    ("storage.k8s.io/v1alpha1", None),
    ("storagemigration.k8s.io/v1", Some(Compat::Helm4)),
    ("storagemigration.k8s.io/v1beta1", Some(Compat::Helm4)),
    ("storagemigration.k8s.io/v1alpha1", Some(Compat::Helm3)),
    ("apiextensions.k8s.io/v1beta1", None),
    ("apiextensions.k8s.io/v1", None),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kube_versions_parse_as_kubernetes_parses_them() {
        let cases = [
            ("1.33.0", Ok(("v1.33.0", "v1.33.0", "33"))),
            ("v1.28", Ok(("v1.28", "v1.28", "28"))),
            ("1.28.9-gke.100", Ok(("v1.28.9-gke.100", "v1.28.9", "28"))),
            ("1.2+", Ok(("v1.2+", "v1.2", "2"))),
            ("abc", Err("could not parse \"abc\" as version")),
            ("1", Err("illegal version string \"1\"")),
            ("01.2", Err("illegal zero-prefixed version component \"01\" in \"01.2\"")),
        ];
        for (text, wanted) in cases {
            let parsed = KubeVersion::parse(text);
            let seen = parsed.as_ref().map(|v| (v.version.clone(), v.normalized.as_str(), v.minor.to_string()));
            let seen = seen.as_ref().map(|(v, n, m)| (v.as_str(), *n, m.as_str())).map_err(|error| error.as_str());
            assert_eq!(seen, wanted, "{text}");
        }
    }

    #[test]
    fn api_versions_can_be_added() {
        let capabilities = Capabilities::default().with_api_versions(["x/v1".to_owned()]);
        assert!(capabilities.has(b"apps/v1") && capabilities.has(b"x/v1") && !capabilities.has(b"y/v1"));
    }
}
