//! A chart and its subcharts as what their templates see, and what of the values is read without a template.

use crate::follow::Follower;
use crate::schema;
use crate::seen::{Id, Seen};
use crate::texts::strings_in;
use onepane_chart::{Chart, missing_among, named_dependencies};
use onepane_value::Data;

/// More charts in a tree than these are given up: aliases multiply.
const MOST_CHARTS: usize = 2_000;

/// Puts a tree of charts together.
pub(crate) struct Setup<'f> {
    follower: &'f mut Follower,
    /// `global` is handed down, so all charts have it in common.
    globals: Id,
    /// The tags that switch dependencies.
    tags: Id,
    root: Id,
    charts: usize,
}

impl<'f> Setup<'f> {
    /// Adds `chart` with all below it, whether enabled or not; gives the place of its values.
    pub(crate) fn add(follower: &'f mut Follower, chart: &Chart) -> Id {
        let (root, globals, tags) = (follower.graph.root(), follower.graph.root(), follower.graph.root());
        let mut setup = Self { follower, globals, tags, root, charts: 0 };
        setup.chart(chart, root, "", true);
        // By convention these are for charts above.
        setup.follower.graph.child(root, "exports");
        root
    }

    fn chart(&mut self, chart: &Chart, values: Id, parent_path: &str, is_root: bool) -> Id {
        self.charts += 1;
        self.follower.is_beyond |= self.charts > MOST_CHARTS;
        let path = chart.path_below(parent_path);
        self.follower.graph.set_chart(values);
        self.follower.graph.share(values, "global", self.globals);
        let data = self.data(chart, values, &path);
        if let Some(file) = &chart.schema {
            schema::read(&mut self.follower.graph, values, file.bytes());
        }
        let subcharts = self.follower.graph.map();
        if !self.follower.is_beyond {
            self.dependencies(chart, values, &path, subcharts);
        }
        self.follower.graph.store(data, Some("Subcharts"), &Seen::place(subcharts));

        strings_in(&chart.values.clone().into(), &mut |text| self.follower.add_loose(text));
        for file in chart.files.iter() {
            let text = file.text();
            if text.contains("{{") {
                self.follower.add_loose(&text);
            }
        }
        for file in chart.templates.iter() {
            let name = format!("{path}/{}", file.name);
            let is_partial = name.rsplit('/').next().is_some_and(|name| name.starts_with('_'));
            let is_run = !is_partial && (is_root || !chart.is_library());
            self.follower.add_file(&name, file.id, &file.text(), data, is_run);
        }
        data
    }

    /// What the chart's templates are run with.
    fn data(&mut self, chart: &Chart, values: Id, path: &str) -> Id {
        let graph = &mut self.follower.graph;
        let (data, about, template) = (graph.map(), graph.map(), graph.map());
        graph.store(about, Some("Name"), &Seen::text(chart.name()));
        graph.store(template, Some("BasePath"), &Seen::text(&format!("{path}/templates")));
        for made in [about, template] {
            graph.store(made, None, &Seen::unknown());
        }
        graph.store(data, Some("Values"), &Seen::place(values));
        graph.store(data, Some("Chart"), &Seen::place(about));
        graph.store(data, Some("Template"), &Seen::place(template));
        for name in ["Release", "Capabilities", "Files"] {
            graph.store(data, Some(name), &Seen::unknown());
        }
        data
    }

    fn dependencies(&mut self, chart: &Chart, values: Id, path: &str, subcharts: Id) {
        for subchart in named_dependencies(chart) {
            let place = self.place(values, subchart.name());
            let data = self.chart(&subchart, place, path, false);
            self.follower.graph.store(subcharts, Some(subchart.name()), &Seen::place(data));
        }
        for missing in missing_among(chart) {
            // Nobody knows what it reads.
            let place = self.place(values, &missing);
            self.follower.graph.read_whole(&Seen::place(place));
            self.follower.graph.read_whole(&Seen::place(self.globals));
        }
        for dependency in chart.metadata.dependencies.iter().flatten() {
            for condition in dependency.condition.split(',').map(str::trim).filter(|path| !path.is_empty()) {
                self.place(values, condition);
            }
            for tag in &dependency.tags {
                self.follower.graph.child(self.tags, tag);
                self.follower.graph.share(values, "tags", self.tags);
                self.follower.graph.share(self.root, "tags", self.tags);
            }
            let name = if dependency.alias.is_empty() { &dependency.name } else { &dependency.alias };
            for entry in &dependency.import_values {
                let child = match &entry.data {
                    Data::String(name) => format!("exports.{}", name.to_str()),
                    Data::Map(map) => {
                        map.get("child").and_then(|child| Some(child.as_text()?.to_string())).unwrap_or_default()
                    }
                    _ => continue,
                };
                let place = self.place(values, &format!("{name}.{child}"));
                self.follower.graph.read_whole(&Seen::place(place));
            }
        }
    }

    /// The place at a dotted path.
    fn place(&mut self, values: Id, path: &str) -> Id {
        path.split('.').fold(values, |place, key| self.follower.graph.child(place, key))
    }
}
