//! Helm's plugins: folders with a `plugin.yaml` below `$HELM_PLUGINS`. They are listed, and those that post-render are
//! run by [`post_renderer`](super::post_renderer); nothing else is.

use super::env::settings;
use super::flags::Parsed;
use super::log;
use camino::{Utf8Path, Utf8PathBuf};
use onepane_diagnostics::Severity;
use onepane_semver::Version;
use onepane_value::{Data, Map, Value, from_yaml, to_json};
use onepane_world::World;

const FILE: &str = "plugin.yaml";

/// A plugin as its file describes it.
#[derive(Clone, Debug)]
pub(super) struct Plugin {
    /// Its folder.
    pub(super) folder: Utf8PathBuf,
    pub(super) name: String,
    pub(super) version: String,
    /// `cli/v1`, `getter/v1`, `postrenderer/v1`
    pub(super) kind: String,
    /// `v1`, or `legacy` for one of Helm 3's.
    pub(super) api_version: &'static str,
    /// `subprocess`, `extism/v1`
    pub(super) runtime: String,
    pub(super) source: String,
    /// What it runs on which platform.
    pub(super) commands: Vec<PlatformCommand>,
}

/// A command for a platform.
#[derive(Clone, Debug, Default)]
pub(super) struct PlatformCommand {
    pub(super) os: String,
    pub(super) architecture: String,
    pub(super) command: String,
    pub(super) arguments: Vec<String>,
}

/// The plugins of every folder in `$HELM_PLUGINS`, by name within each. One that can't be read is warned of and left out.
///
/// Error: Helm's, where two have the same name.
pub(super) fn installed(flags: &Parsed, world: &dyn World) -> Result<Vec<Plugin>, String> {
    let settings = settings(flags, world);
    let folders = settings.get("HELM_PLUGINS").map_or("", String::as_str);
    let mut all = Vec::new();
    for folder in std::env::split_paths(folders).filter_map(|folder| Utf8PathBuf::from_path_buf(folder).ok()) {
        let mut found: Vec<Plugin> = Vec::new();
        let mut names: Vec<String> =
            world.list(&folder).into_iter().flatten().map(|entry| entry.name.to_string()).collect();
        names.sort_unstable();
        for place in
            names.into_iter().map(|name| folder.join(name)).filter(|place| world.kind(&place.join(FILE)).is_some())
        {
            match load(&place, world) {
                Ok(plugin) => {
                    if let Some(other) = found.iter().find(|other| other.name == plugin.name) {
                        let (a, b) = (other.folder.as_str(), plugin.folder.as_str());
                        return Err(format!("two plugins claim the name {:?} at {a:?} and {b:?}", plugin.name));
                    }
                    found.push(plugin);
                }
                Err(problem) => log(
                    Severity::Warning,
                    &format!("failed to load plugin (ignoring): failed to load plugin {:?}: {problem}", place.as_str()),
                ),
            }
        }
        all.extend(found);
    }
    Ok(all)
}

fn load(folder: &Utf8Path, world: &dyn World) -> Result<Plugin, String> {
    let bytes = world.read(&folder.join(FILE)).map_err(|error| error.to_string())?;
    let contents = std::str::from_utf8(&bytes).map_err(|_| "yaml: control characters are not allowed".to_owned())?;
    let file = from_yaml(contents, None).map_err(|error| error.message)?;
    let file = file.as_map().ok_or("it is no mapping")?;
    let text = |map: &Map, key: &str| text(map.get(key));
    let plugin = match text(file, "apiVersion").as_str() {
        "v1" => {
            const KNOWN: [&str; 8] =
                ["apiVersion", "name", "type", "runtime", "version", "sourceURL", "config", "runtimeConfig"];
            if let Some(other) = file.keys().iter().map(ToString::to_string).find(|key| !KNOWN.contains(&key.as_str()))
            {
                return Err(format!("yaml: unmarshal errors: field {other} not found in type plugin.MetadataV1"));
            }
            let runtime_config =
                file.get("runtimeConfig").and_then(|value| value.as_map().cloned()).unwrap_or_default();
            Plugin {
                folder: folder.to_owned(),
                name: text(file, "name"),
                version: text(file, "version"),
                kind: text(file, "type"),
                api_version: "v1",
                runtime: text(file, "runtime"),
                source: text(file, "sourceURL"),
                commands: commands(&runtime_config),
            }
        }
        "" => {
            let downloads = !items(file, "downloaders").is_empty();
            Plugin {
                folder: folder.to_owned(),
                name: text(file, "name"),
                version: text(file, "version"),
                kind: if downloads { "getter/v1" } else { "cli/v1" }.to_owned(),
                api_version: "legacy",
                runtime: "subprocess".to_owned(),
                source: String::new(),
                commands: commands(file),
            }
        }
        other => return Err(format!("invalid plugin apiVersion: {other:?}")),
    };
    check(&plugin)?;
    Ok(plugin)
}

/// What Helm finds wrong with a plugin.
fn check(plugin: &Plugin) -> Result<(), String> {
    let Plugin { name, version, kind, runtime, .. } = plugin;
    let is_legacy = plugin.api_version == "legacy";
    let is_word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    if name.is_empty() || !name.chars().all(is_word) {
        return Err(if is_legacy {
            format!("invalid plugin name {name:?}: must contain only a-z, A-Z, 0-9, _ and -")
        } else {
            "invalid plugin `name`".to_owned()
        });
    }
    if !version.is_empty() && Version::parse_strict(version).is_err() {
        let field = if is_legacy { "version" } else { "`version`" };
        return Err(format!("invalid plugin {field} {version:?}: must be valid semver"));
    }
    if is_legacy {
        return Ok(());
    }
    match (version.as_str(), kind.as_str(), runtime.as_str()) {
        ("", ..) => Err("plugin `version` is required".to_owned()),
        (_, "", _) => Err("`type` missing".to_owned()),
        (.., "") => Err("`runtime` missing".to_owned()),
        (_, kind, _) if !["cli/v1", "getter/v1", "postrenderer/v1", "test/v1"].contains(&kind) => {
            Err(format!("failed to convert MetadataV1 to Metadata: unknown plugin type {kind:?}"))
        }
        (.., runtime) if !["subprocess", "extism/v1"].contains(&runtime) => {
            Err(format!("failed to convert MetadataV1 to Metadata: unsupported plugin runtime type: {runtime:?}"))
        }
        _ => Ok(()),
    }
}

fn commands(config: &Map) -> Vec<PlatformCommand> {
    let platform = items(config, "platformCommand").into_iter().filter_map(|command| {
        let command = command.as_map()?;
        Some(PlatformCommand {
            os: text(command.get("os")),
            architecture: text(command.get("arch")),
            command: text(command.get("command")),
            arguments: items(command, "args").into_iter().map(|argument| text(Some(argument))).collect(),
        })
    });
    let found: Vec<PlatformCommand> = platform.collect();
    // Helm 3's one command for every platform.
    let command = text(config.get("command"));
    if found.is_empty() && !command.is_empty() {
        return vec![PlatformCommand { command, ..PlatformCommand::default() }];
    }
    found
}

/// What a list holds; nothing where there is none.
fn items(map: &Map, key: &str) -> Vec<Value> {
    map.get(key).and_then(|list| Some(list.as_list()?.to_vec())).unwrap_or_default()
}

/// A scalar's text.
fn text(value: Option<Value>) -> String {
    match value.map(|value| value.data) {
        Some(Data::String(text)) => text.to_str().into_owned(),
        Some(Data::Nil) | None => String::new(),
        Some(other) => to_json(&Value::from(other)).map(|text| text.to_string()).unwrap_or_default(),
    }
}
