//! `kustomize create`: a new kustomization for what is in the folder.

use super::flags::{Argument, Flags, pair, unknown};
use super::paths::matching;
use super::{Failure, print};
use crate::atomic;
use camino::{Utf8Path, Utf8PathBuf};
use onepane_kustomize::{KUSTOMIZATION_FILES, reads_as_resources};
use onepane_value::{Data, Map, Value, to_yaml};
use std::fs;

/// Runs with the arguments behind `create`.
pub(super) fn run(arguments: &[String]) -> Result<(), Failure> {
    let mut flags = Flags::new(arguments);
    let (mut detect, mut recursive) = (false, false);
    let [mut resources, mut namespace, mut prefix, mut suffix, mut labels, mut annotations] =
        [const { String::new() }; 6];
    while let Some(argument) = flags.next()? {
        match argument {
            // Kustomize takes them, and does nothing with them.
            Argument::Positional(_) => {}
            Argument::Flag("resources") => resources = flags.value()?,
            Argument::Flag("namespace") => namespace = flags.value()?,
            Argument::Flag("nameprefix") => prefix = flags.value()?,
            Argument::Flag("namesuffix") => suffix = flags.value()?,
            Argument::Flag("labels") => labels = flags.value()?,
            Argument::Flag("annotations") => annotations = flags.value()?,
            Argument::Flag("autodetect") => detect = flags.switch()?,
            Argument::Flag("recursive") => recursive = flags.switch()?,
            Argument::Flag("stack-trace") => drop(flags.switch()?),
            Argument::Flag("help" | "h") => return print(HELP),
            Argument::Flag(name) => return Err(unknown(name)),
        }
    }
    let mut found = Vec::new();
    for pattern in resources.split(',').filter(|pattern| !resources.is_empty() || !pattern.is_empty()) {
        found.extend(matching(pattern)?);
    }
    if KUSTOMIZATION_FILES.iter().any(|name| Utf8Path::new(name).exists()) {
        return Err(Failure::text("kustomization file already exists"));
    }
    if detect {
        let mut detected = Vec::new();
        detect_in(Utf8Path::new(""), recursive, &mut detected).map_err(|error| Failure::text(error.to_string()))?;
        detected.retain(|path| !found.contains(path));
        found.append(&mut detected);
    }
    let text = |text: String| Data::String(text.into());
    let list = Data::List(found.into_iter().map(|path| Value::from(text(path))).collect());
    let (labels, annotations) = (pairs(&labels, "label")?, pairs(&annotations, "annotation")?);
    let mut written = "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n".to_owned();
    for (field, value) in [
        ("resources", list),
        ("namePrefix", text(prefix)),
        ("nameSuffix", text(suffix)),
        ("namespace", text(namespace)),
        ("commonLabels", labels),
        ("commonAnnotations", annotations),
    ] {
        let value = Value::from(value);
        if value.truth() {
            let field = Map::from_iter([(field, value)]);
            written.push_str(&to_yaml(&Value::from(field)).map_err(Failure::text)?.to_str());
        }
    }
    atomic::write(Utf8Path::new("kustomization.yaml"), written.as_bytes())?;
    Ok(())
}

/// The manifests of a folder, sorted; of folders that have a kustomization, the folder. What can't be read as manifests,
/// or not at all, is passed over.
fn detect_in(folder: &Utf8Path, recursive: bool, found: &mut Vec<String>) -> std::io::Result<()> {
    let read = if folder.as_str().is_empty() { Utf8Path::new(".") } else { folder };
    let mut entries = read.read_dir_utf8()?.collect::<std::io::Result<Vec<_>>>()?;
    entries.sort_by(|a, b| a.file_name().cmp(b.file_name()));
    for entry in entries {
        let path: Utf8PathBuf = folder.join(entry.file_name());
        // A link to a folder is not followed: it may lead back.
        if entry.file_type()?.is_dir() {
            if !recursive {
                continue;
            }
            if KUSTOMIZATION_FILES.iter().any(|name| path.join(name).exists()) {
                found.push(path.into_string());
            } else {
                detect_in(&path, recursive, found)?;
            }
        } else if path.is_file() && fs::read(&path).is_ok_and(|bytes| reads_as_resources(&bytes)) {
            found.push(path.into_string());
        }
    }
    Ok(())
}

/// `key:value,key:"value"`.
fn pairs(text: &str, what: &str) -> Result<Data, Failure> {
    let map = Map::new();
    for argument in text.split(',').filter(|_| !text.is_empty()) {
        let (key, value) = pair(argument, what)?;
        map.insert(key, Value::from(Data::String(value.into())));
    }
    Ok(Data::Map(map))
}

const HELP: &str = "Create a new kustomization in the current directory

Usage:
  kustomize create [flags]

Aliases:
  create, init

Flags:
      --annotations string   Add one or more common annotations.
      --autodetect           Search for kubernetes resources in the current directory to be added to the kustomization file.
  -h, --help                 help for create
      --labels string        Add one or more common labels.
      --nameprefix string    Sets the value of the namePrefix field in the kustomization file.
      --namespace string     Set the value of the namespace field in the kustomization file.
      --namesuffix string    Sets the value of the nameSuffix field in the kustomization file.
      --recursive            Enable recursive directory searching for resource auto-detection.
      --resources string     Files, folders, patterns and repositories to name, parted by commas.
";
