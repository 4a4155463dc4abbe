//! `.Capabilities`: what the cluster and Helm can do. Without a cluster, what Helm 4.3.1 was built with.

use onepane_value::{ElementType, Kind, List, Map, Object, Text, Value};
use std::any::Any;
use std::borrow::Cow;
use std::rc::Rc;

/// The versions of the cluster that templates are told about.
#[derive(Clone, Debug)]
pub struct Capabilities {
    kube_version: KubeVersion,
    extra_versions: Vec<String>,
}

impl Default for Capabilities {
    /// Kubernetes 1.37 with the groups that Helm 4.3.1 knows.
    fn default() -> Self {
        Self {
            kube_version: KubeVersion {
                version: "v1.37.0".into(),
                normalized: "v1.37.0".into(),
                major: "1".into(),
                minor: "37".into(),
            },
            extra_versions: Vec::new(),
        }
    }
}

impl Capabilities {
    /// With another version of Kubernetes: two or more numbers, whatever comes after them. The error is Kubernetes' own.
    pub fn with_kube_version(self, text: &str) -> Result<Self, String> {
        Ok(Self { kube_version: KubeVersion::parse(text)?, ..self })
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

    /// The version as it was given.
    pub fn full_kube_version(&self) -> &str {
        &self.kube_version.version
    }

    fn has(&self, version: &[u8]) -> bool {
        API_VERSIONS.iter().any(|known| known.as_bytes() == version)
            || self.extra_versions.iter().any(|known| known.as_bytes() == version)
    }

    fn versions(&self) -> List {
        let known = API_VERSIONS.iter().copied().chain(self.extra_versions.iter().map(String::as_str));
        List::of(ElementType::String, known.map(Value::string).collect::<Rc<[Value]>>())
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
        "*common.Capabilities".into()
    }

    fn kind(&self) -> Kind {
        Kind::Pointer
    }

    fn field(&self, name: &str) -> Option<Value> {
        match name {
            "KubeVersion" => Some(Value::object(KubeVersionObject(self.0.clone()))),
            "APIVersions" => Some(Value::object(VersionSet(self.0.clone()))),
            "HelmVersion" => Some(Value::object(HelmVersion)),
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
        "common.KubeVersion".into()
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
        "common.VersionSet".into()
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
struct HelmVersion;

impl Object for HelmVersion {
    fn type_name(&self) -> Cow<'static, str> {
        "version.BuildInfo".into()
    }

    fn field(&self, name: &str) -> Option<Value> {
        let text = match name {
            "Version" => "v4.3",
            "GitCommit" | "GitTreeState" => "",
            "GoVersion" => "go1.26.8",
            "KubeClientVersion" => "v1.37",
            _ => return None,
        };
        Some(text.into())
    }

    fn plain(&self) -> Value {
        as_map(self)
    }

    fn declared_fields(&self) -> Option<Vec<(&'static str, Value)>> {
        let [version, go, client] = ["Version", "GoVersion", "KubeClientVersion"].map(|name| self.field(name));
        let named = [("version", version), ("go_version", go), ("kube_client_version", client)];
        Some(named.map(|(name, value)| (name, value.unwrap_or_default())).into())
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

/// What `helm template` of Helm 4.3.1 prints for `.Capabilities.APIVersions`, in its order.
const API_VERSIONS: &[&str] = &[
    "v1",
    "admissionregistration.k8s.io/v1",
    "admissionregistration.k8s.io/v1alpha1",
    "admissionregistration.k8s.io/v1beta1",
    "internal.apiserver.k8s.io/v1alpha1",
    "apps/v1",
    "apps/v1beta1",
    "apps/v1beta2",
    "authentication.k8s.io/v1",
    "authentication.k8s.io/v1alpha1",
    "authentication.k8s.io/v1beta1",
    "authorization.k8s.io/v1",
    "authorization.k8s.io/v1beta1",
    "autoscaling/v1",
    "autoscaling/v2",
    "batch/v1",
    "batch/v1beta1",
    "certificates.k8s.io/v1",
    "certificates.k8s.io/v1beta1",
    "certificates.k8s.io/v1alpha1",
    "coordination.k8s.io/v1alpha2",
    "coordination.k8s.io/v1beta1",
    "coordination.k8s.io/v1",
    "discovery.k8s.io/v1",
    "discovery.k8s.io/v1beta1",
    "events.k8s.io/v1",
    "events.k8s.io/v1beta1",
    "extensions/v1beta1",
    "flowcontrol.apiserver.k8s.io/v1",
    "flowcontrol.apiserver.k8s.io/v1beta1",
    "flowcontrol.apiserver.k8s.io/v1beta2",
    "flowcontrol.apiserver.k8s.io/v1beta3",
    "lifecycle.k8s.io/v1alpha1",
    "networking.k8s.io/v1",
    "networking.k8s.io/v1beta1",
    "node.k8s.io/v1",
    "node.k8s.io/v1alpha1",
    "node.k8s.io/v1beta1",
    "policy/v1",
    "policy/v1beta1",
    "rbac.authorization.k8s.io/v1",
    "rbac.authorization.k8s.io/v1beta1",
    "rbac.authorization.k8s.io/v1alpha1",
    "resource.k8s.io/v1",
    "resource.k8s.io/v1beta2",
    "resource.k8s.io/v1beta1",
    "resource.k8s.io/v1alpha3",
    "scheduling.k8s.io/v1alpha3",
    "scheduling.k8s.io/v1beta1",
    "scheduling.k8s.io/v1",
    "storage.k8s.io/v1beta1",
    "storage.k8s.io/v1",
    "storage.k8s.io/v1alpha1",
    "storagemigration.k8s.io/v1",
    "storagemigration.k8s.io/v1beta1",
    "apiextensions.k8s.io/v1beta1",
    "apiextensions.k8s.io/v1",
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
