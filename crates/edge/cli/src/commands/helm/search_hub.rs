//! `helm search hub`: charts that Artifact Hub, or a hub of one's own, knows.

use super::command::{Arguments, Command};
use super::flags::{Flag, Kind, Parsed, flag};
use super::listing::{self, Format};
use super::network::fetcher;
use super::table::table;
use super::{Failure, print};
use onepane_fetch::HubChart;
use onepane_value::{List, Map, Value, to_json, to_yaml};

pub(super) const COMMAND: Command = Command {
    path: &["search", "hub"],
    aliases: &[],
    usage: "[KEYWORD]",
    about: "search Artifact Hub, or a hub of your own",
    arguments: Arguments::Any,
    flags: &[FLAGS, listing::OUTPUT],
    run,
};

const ENDPOINT: &str = "https://hub.helm.sh";

const FLAGS: &[Flag] = &[
    flag("endpoint", Kind::Text, "the hub to ask; https://hub.helm.sh by default"),
    flag("fail-on-no-result", Kind::Bool, "fail if nothing is found"),
    flag("list-repo-url", Kind::Bool, "print the addresses of the charts' repositories"),
    flag("max-col-width", Kind::Integer, "how wide a column may be; 50 by default"),
];

fn run(flags: &Parsed) -> Result<(), Failure> {
    let format = Format::read(flags)?;
    let endpoint = flags.text("endpoint").unwrap_or(ENDPOINT);
    let found = fetcher(flags)?.search_hub(endpoint, &flags.arguments.join(" "))?;
    if found.is_empty() && flags.is_set("fail-on-no-result") {
        return Err("no results found".to_owned().into());
    }
    let text = match format {
        Format::Table if found.is_empty() => "No results found\n".to_owned(),
        Format::Table => {
            let widest = flags.text("max-col-width").and_then(|text| text.parse().ok()).unwrap_or(50);
            listed(&found, flags.is_set("list-repo-url"), widest)
        }
        Format::Json => json(&found)?,
        Format::Yaml => yaml(&found)?,
    };
    print(text.as_bytes());
    Ok(())
}

fn listed(found: &[HubChart], with_repository: bool, widest: usize) -> String {
    let header = ["URL", "CHART VERSION", "APP VERSION", "DESCRIPTION"].map(str::to_owned);
    let row = |chart: &HubChart| {
        let HubChart { url, version, app_version, description, .. } = chart.clone();
        [url, version, app_version, description]
    };
    if !with_repository {
        return table(&std::iter::once(header).chain(found.iter().map(row)).collect::<Vec<_>>(), widest);
    }
    let with = |[a, b, c, d]: [String; 4], repository: &str| [a, b, c, d, repository.to_owned()];
    let rows = found.iter().map(|chart| with(row(chart), &chart.repository_url));
    table(&std::iter::once(with(header, "REPO URL")).chain(rows).collect::<Vec<_>>(), widest)
}

/// A line of JSON, with the fields in Helm's order.
fn json(found: &[HubChart]) -> Result<String, String> {
    let quoted = |text: &str| to_json(&Value::string(text)).map(|text| text.to_string());
    let mut objects = Vec::new();
    for chart in found {
        objects.push(format!(
            "{{\"url\":{},\"version\":{},\"app_version\":{},\"description\":{},\"repository\":{{\"url\":{},\"name\":{}}}}}",
            quoted(&chart.url)?,
            quoted(&chart.version)?,
            quoted(&chart.app_version)?,
            quoted(&chart.description)?,
            quoted(&chart.repository_url)?,
            quoted(&chart.repository_name)?,
        ));
    }
    Ok(format!("[{}]\n", objects.join(",")))
}

fn yaml(found: &[HubChart]) -> Result<String, String> {
    let map = |entries: &[(&str, &String)]| {
        entries.iter().map(|(field, text)| (*field, Value::string(text.as_str()))).collect::<Map>()
    };
    let objects = found.iter().map(|chart| {
        let object = map(&[
            ("url", &chart.url),
            ("version", &chart.version),
            ("app_version", &chart.app_version),
            ("description", &chart.description),
        ]);
        let repository = map(&[("url", &chart.repository_url), ("name", &chart.repository_name)]);
        object.insert("repository", repository.into());
        Value::from(object)
    });
    let objects: Value = objects.collect::<List>().into();
    Ok(to_yaml(&objects)?.to_str().into_owned())
}
