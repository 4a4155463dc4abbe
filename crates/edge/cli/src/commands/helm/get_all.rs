//! `helm get all`.

use super::command::{Arguments, Command};
use super::flags::{Flag, Kind, Parsed, flag};
use super::get::release;
use super::listing::Format;
use super::release_flags::REVISION;
use super::release_output::{Detail, text};
use super::{Failure, print};
use onepane_release::Release;
use onepane_template::{GO, Offline, Options, Templates};
use onepane_value::{Map, Value, from_json};

pub(super) const COMMAND: Command = Command {
    path: &["get", "all"],
    aliases: &[],
    usage: "RELEASE_NAME",
    about: "print everything that is kept of a release",
    flags: &[REVISION, FLAGS],
    arguments: Arguments::Exactly(1),
    run,
};

const FLAGS: &[Flag] = &[flag("template", Kind::Text, "a Go template over .Release: {{.Release.Name}}")];

fn run(flags: &Parsed) -> Result<(), Failure> {
    let release = release(flags)?;
    if let Some(template) = flags.text("template").filter(|template| !template.is_empty()) {
        let mut templates = Templates::new(&GO, Options { set_name: "", ..Options::default() });
        templates.parse("", None, template).map_err(|error| error.to_string())?;
        let data = Map::from_iter([("Release", Value::from(go_fields(&release)))]);
        let text = templates.execute("", &data.into(), &super::world()?, &Offline);
        print(&text.map_err(|error| error.to_string())?);
        return Ok(());
    }
    let detail = Detail { shows_chart: true, shows_all: true, hides_notes: false };
    print(text(&release, Format::Table, detail)?.as_bytes());
    Ok(())
}

/// A release under the names of Helm's Go fields.
fn go_fields(release: &Release) -> Map {
    let text = |text: &str| Value::string(text);
    let json = |json: &serde_json::Value| from_json(json.to_string().as_bytes()).unwrap_or_default();
    let info = &release.info;
    let time = |time: &Option<onepane_release::Time>| text(&time.as_ref().map(|it| it.go_string()).unwrap_or_default());
    let metadata = |name: &str| text(release.chart_field(name).unwrap_or_default());
    let hooks: Vec<Value> = release
        .hooks
        .iter()
        .map(|hook| {
            let fields =
                [("Name", &hook.name), ("Kind", &hook.kind), ("Path", &hook.path), ("Manifest", &hook.manifest)];
            fields.into_iter().map(|(name, value)| (name, text(value))).collect::<Map>().into()
        })
        .collect();
    Map::from_iter([
        ("Name", text(&release.name)),
        ("Namespace", text(&release.namespace)),
        ("Version", Value::int(release.version)),
        ("Manifest", text(&release.manifest)),
        ("ApplyMethod", text(&release.apply_method)),
        ("Config", json(&release.config)),
        ("Labels", release.labels.iter().map(|(key, value)| (key.as_str(), text(value))).collect::<Map>().into()),
        ("Hooks", onepane_value::List::new(hooks).into()),
        (
            "Chart",
            Map::from_iter([
                (
                    "Metadata",
                    Map::from_iter([
                        ("Name", metadata("name")),
                        ("Version", metadata("version")),
                        ("AppVersion", metadata("appVersion")),
                        ("Description", metadata("description")),
                    ])
                    .into(),
                ),
                ("Values", json(release.chart.get("values").unwrap_or(&serde_json::Value::Null))),
            ])
            .into(),
        ),
        (
            "Info",
            Map::from_iter([
                ("FirstDeployed", time(&info.first_deployed)),
                ("LastDeployed", time(&info.last_deployed)),
                ("Deleted", time(&info.deleted)),
                ("Description", text(&info.description)),
                ("Status", text(info.status.name())),
                ("RollbackRevision", Value::int(info.rollback_revision)),
                ("Notes", text(&info.notes)),
            ])
            .into(),
        ),
    ])
}
