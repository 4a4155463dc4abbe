//! Chart.lock and requirements.lock: the versions that were chosen, and a digest that tells whether they still answer
//! what Chart.yaml asks for.

use crate::failure::{self, damaged, refused};
use crate::index_read;
use crate::ordered::{self, Ordered};
use crate::registry::digest_of;
use crate::write;
use camino::Utf8Path;
use onepane_chart::Dependency;
use onepane_chart::decode::{self, Target};
use onepane_diagnostics::Result;
use onepane_value::{from_yaml_as_go, to_yaml};

/// More than this is no lock file.
const LARGEST_LOCK: u64 = 16 << 20;

/// A lock file's contents.
#[derive(Clone, Debug, Default)]
pub(crate) struct LockFile {
    /// When it was written, as it stands in the text.
    pub(crate) generated: String,
    /// [`digest`] of what was asked for and of what was chosen.
    pub(crate) digest: String,
    /// What was chosen; `None` where there is no such key.
    pub(crate) dependencies: Option<Vec<Dependency>>,
}

impl LockFile {
    /// Reads a lock file's text; the error is Go's.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, String> {
        let document = from_yaml_as_go(&String::from_utf8_lossy(bytes))?;
        let mut lock = Self::default();
        let whole = Target { structure: "", field: "", go_type: "v2.Lock" };
        let Some(map) = decode::entries(&document, whole)? else { return Ok(lock) };
        decode::fields(map, &["generated", "digest", "dependencies"], |field, value| {
            let target = |go_type| Target { structure: "Lock", field, go_type };
            match field {
                "generated" => lock.generated = decode::string(value, target("time.Time"))?.unwrap_or_default(),
                "digest" => lock.digest = decode::string(value, target("string"))?.unwrap_or_default(),
                _ if value.is_nil() => {}
                _ => lock.dependencies = Some(index_read::dependencies(value)?),
            }
            Ok(())
        })?;
        Ok(lock)
    }

    /// Reads the lock of the chart in `folder`: the one that its API version has, else the other.
    pub(crate) fn read(folder: &Utf8Path, api_version: &str) -> Result<Option<Self>> {
        let names = [name_for(api_version), if api_version == "v1" { "Chart.lock" } else { "requirements.lock" }];
        for name in names {
            if let Some(bytes) = write::read(&folder.join(name), LARGEST_LOCK)? {
                let lock = Self::parse(&bytes).map_err(|words| damaged(format!("cannot load {name}: {words}")))?;
                return Ok(Some(lock));
            }
        }
        Ok(None)
    }

    /// The text that Helm would write.
    pub(crate) fn text(&self) -> Result<String, String> {
        let items = self.dependencies.as_deref().map(|items| items.iter().map(ordered::dependency).collect());
        let generated = if self.generated.is_empty() { "0001-01-01T00:00:00Z" } else { &self.generated };
        let lock = Ordered::Object(vec![
            ("generated".to_owned(), Ordered::text(&crate::clock::trimmed(generated))),
            ("digest".to_owned(), Ordered::text(&self.digest)),
            ("dependencies".to_owned(), items.map_or(Ordered::Value(onepane_value::Value::NIL), Ordered::List)),
        ]);
        Ok(to_yaml(&lock.value())?.to_str().into_owned())
    }

    /// Writes the lock of the chart in `folder`. A link in its place is left alone, as in Helm.
    pub(crate) fn write(&self, folder: &Utf8Path, api_version: &str) -> Result<()> {
        let name = name_for(api_version);
        let path = folder.join(name);
        if path.symlink_metadata().is_ok_and(|metadata| metadata.is_symlink()) {
            let target =
                path.read_link_utf8().map_err(|error| failure::io("error reading symlink for", &path, &error))?;
            return Err(refused(format!("the {name} file is a symlink to {:?}", target.as_str()))
                .hint("put a file in its place: a link would let a chart overwrite files elsewhere"));
        }
        write::write(&path, self.text().map_err(damaged)?.as_bytes(), 0o644)
    }
}

fn name_for(api_version: &str) -> &'static str {
    if api_version == "v1" { "requirements.lock" } else { "Chart.lock" }
}

/// The digest of what is asked for together with what was chosen: SHA-256 of both lists as encoding/json writes them.
pub(crate) fn digest(asked: Option<&[Dependency]>, chosen: Option<&[Dependency]>) -> Result<String, String> {
    let list = |items: Option<&[Dependency]>| match items {
        Some(items) => Ordered::List(items.iter().map(ordered::dependency).collect()),
        None => Ordered::Value(onepane_value::Value::NIL),
    };
    Ok(digest_of(Ordered::List(vec![list(asked), list(chosen)]).json(false)?.as_bytes()))
}

/// The digest that Helm 2 wrote: of what is asked for alone.
pub(crate) fn digest_of_helm_2(asked: Option<&[Dependency]>) -> Result<String, String> {
    let items = asked.unwrap_or_default().iter().map(ordered::dependency).collect();
    let object = Ordered::Object(vec![("dependencies".to_owned(), Ordered::List(items))]);
    Ok(digest_of(object.json(false)?.as_bytes()))
}
