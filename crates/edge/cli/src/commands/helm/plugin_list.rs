//! `helm plugin list`.

use super::command::{Arguments, Command};
use super::flags::{Kind, Parsed, flag};
use super::plugins::{Plugin, installed};
use super::table::table;
use super::{Failure, print};
use camino::Utf8Path;
use onepane_fetch::Homes;
use onepane_provenance::claims;
use onepane_world::World;

pub(super) const COMMAND: Command = Command {
    path: &["plugin", "list"],
    aliases: &["ls"],
    usage: "",
    about: "list the plugins that are installed",
    flags: &[&[flag("type", Kind::Text, "only plugins of this type: cli/v1, getter/v1, postrenderer/v1")]],
    arguments: Arguments::Any,
    run,
};

fn run(flags: &Parsed) -> Result<(), Failure> {
    let world = super::world()?;
    let wanted = flags.text("type").unwrap_or_default();
    // Helm looks here for the archives that plugins came in, whatever $HELM_PLUGINS says.
    let folder = Homes::from_variables(&|name| world.env(name)).data.join("plugins");
    let mut rows = vec![["NAME", "VERSION", "TYPE", "APIVERSION", "PROVENANCE", "SOURCE"].map(str::to_owned)];
    for plugin in installed(flags, &world)? {
        if !wanted.is_empty() && plugin.kind != wanted {
            continue;
        }
        let provenance = provenance(&plugin, &folder, &world);
        let source = if plugin.source.is_empty() { "unknown".to_owned() } else { plugin.source };
        let api_version = plugin.api_version.to_owned();
        rows.push([plugin.name, plugin.version, plugin.kind, api_version, provenance.to_owned(), source]);
    }
    print(table(&rows, 0).as_bytes());
    Ok(())
}

/// What Helm says of a plugin's signature, which it does not check.
fn provenance(plugin: &Plugin, folder: &Utf8Path, world: &dyn World) -> &'static str {
    match std::fs::symlink_metadata(folder.join(&plugin.name)) {
        Err(_) => return "unknown",
        Ok(metadata) if metadata.is_symlink() => return "local dev",
        Ok(_) => {}
    }
    let name = format!("{}-{}.tgz", plugin.name, plugin.version);
    let archive = folder.join(&name);
    let (Ok(bytes), Ok(signed)) = (world.read(&archive), world.read(Utf8Path::new(&format!("{archive}.prov")))) else {
        return "unsigned";
    };
    match claims(&bytes, &signed, &name) {
        Ok(true) => "signed",
        Ok(false) => "mismatched provenance",
        Err(_) => "invalid provenance",
    }
}
