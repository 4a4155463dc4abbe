//! Templates, followed without values: [`Follower`].
//!
//! Every definition is walked with all that it may be called with at once, both ways of every branch, until nothing
//! new comes to light. What a call does with its arguments stands in `calls`.

use crate::graph::Graph;
use crate::seen::{Id, Name, Seen};
use crate::texts;
use crate::uses::Sites;
use onepane_diagnostics::FileId;
use onepane_functions::HELM;
use onepane_template::syntax::{Branch, Command, Definition, Names, Operand, Pipeline, Step, Variable, definitions};
use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;

/// Walks over all definitions that are followed until nothing changes; more than these are given up.
const MOST_ROUNDS: usize = 200;

/// All templates of a chart and what they are called with.
#[derive(Default)]
pub(crate) struct Follower {
    pub(crate) graph: Graph,
    templates: Vec<Template>,
    by_name: BTreeMap<Box<str>, Vec<usize>>,
    /// The templates of a file's text: charts that are vendored more than once are followed once.
    by_text: HashMap<Rc<str>, Vec<usize>>,
    /// What `tpl` was given, as far as it is known: the template, or `None` for what is none.
    texts: HashMap<Rc<str>, Option<usize>>,
    /// What strings of the values and other files of the chart would do if `tpl` were given them.
    loose: Loose,
    /// Whether following it was given up.
    pub(crate) is_beyond: bool,
    /// What stands where in files, if somebody asks.
    pub(crate) sites: Option<Sites>,
}

/// Texts that may get to `tpl` on ways that are not followed.
#[derive(Default)]
struct Loose {
    texts: Vec<Rc<str>>,
    templates: Vec<usize>,
    /// Paths behind `.Values` in texts that are no templates.
    paths: Vec<Vec<String>>,
    is_read: bool,
    /// What `tpl` is given beside texts that are not known.
    data: Seen,
}

struct Template {
    definition: Rc<Definition>,
    /// The file it is written in; `None` for a text that `tpl` is given.
    file: Option<FileId>,
    /// What it is called with: `.` and `$`.
    data: Seen,
    /// The data of the chart that defines it.
    home: Id,
    is_called: bool,
    variables: Vec<Seen>,
    /// Constants with template syntax that it may print.
    prints: Seen,
}

/// Where following is.
#[derive(Clone, Copy)]
pub(crate) struct At<'s> {
    pub(crate) template: usize,
    pub(crate) dot: &'s Seen,
    /// The position of the command.
    pub(crate) position: usize,
}

impl Follower {
    /// Adds a file; `home` is the data of its chart, and `is_run` says whether it is run and does not only define.
    /// Beside a file that is no template, nothing can be said of any value; what is wrong with it, rendering reports.
    pub(crate) fn add_file(&mut self, name: &str, file: FileId, text: &str, home: Id, is_run: bool) {
        let text: Rc<str> = text.into();
        let templates = match self.by_text.get(&text) {
            Some(templates) => templates.clone(),
            None => {
                let Ok(parsed) = definitions(name, Some(file), &text, &HELM) else {
                    self.is_beyond = true;
                    return;
                };
                let templates = self.add(parsed, Some(file), home);
                self.by_text.insert(text, templates.clone());
                templates
            }
        };
        let Some(main) = templates.last().copied() else { return };
        let named = self.by_name.entry(name.into()).or_default();
        if !named.contains(&main) {
            named.push(main);
        }
        if is_run {
            self.call(main, &Seen::place(home));
        }
    }

    fn add(&mut self, definitions: Vec<Definition>, file: Option<FileId>, home: Id) -> Vec<usize> {
        let mut added = Vec::new();
        for definition in definitions {
            let index = self.templates.len();
            self.by_name.entry(definition.name.clone()).or_default().push(index);
            let variables = vec![Seen::default(); definition.variables];
            let definition = Rc::new(definition);
            let (data, prints) = Default::default();
            self.templates.push(Template { definition, file, data, home, is_called: false, variables, prints });
            added.push(index);
        }
        added
    }

    /// Adds texts that stand in values or other files, where `tpl` may come by them.
    pub(crate) fn add_loose(&mut self, text: &str) {
        self.loose.texts.push(text.into());
    }

    /// Follows everything until nothing new comes to light.
    pub(crate) fn run(&mut self) {
        self.settle();
        // What nothing calls may be there for charts above, or be called in a way that was not seen.
        for index in 0..self.templates.len() {
            if !self.templates[index].is_called {
                let home = Seen::place(self.templates[index].home);
                self.call(index, &home);
            }
        }
        self.settle();
    }

    fn settle(&mut self) {
        for _ in 0..MOST_ROUNDS {
            self.graph.changed = false;
            let mut index = 0;
            // Following may add templates.
            while index < self.templates.len() {
                if self.templates[index].is_called {
                    self.walk(index);
                }
                index += 1;
            }
            self.follow_loose();
            if self.graph.is_exhausted() {
                break;
            }
            if !self.graph.changed {
                return;
            }
        }
        self.is_beyond = true;
    }

    /// Says that `template` is called with `data`.
    fn call(&mut self, template: usize, data: &Seen) {
        let template = &mut self.templates[template];
        self.graph.changed |= template.data.add(data) | !template.is_called;
        template.is_called = true;
    }

    /// Calls what `name` may mean; what these may print.
    pub(crate) fn include(&mut self, name: &Name, data: &Seen) -> Seen {
        let called: Vec<usize> = match &name.end {
            None => self.by_name.get(&*name.start).cloned().unwrap_or_default(),
            Some(_) => {
                let fitting = self.by_name.iter().filter(|(other, _)| name.fits(other));
                fitting.flat_map(|(_, templates)| templates.iter().copied()).collect()
            }
        };
        self.graph.spend(called.len() + 1);
        let mut printed = Seen::unknown();
        for template in called {
            self.call(template, data);
            printed.add_pieces(&self.templates[template].prints.pieces);
        }
        printed
    }

    /// Says that `tpl` runs `text` on `data`; `false` where it is no template.
    pub(crate) fn run_text(&mut self, text: &Rc<str>, data: &Seen) -> bool {
        let template = match self.texts.get(text) {
            Some(template) => *template,
            None => {
                let template = texts::parse(text).and_then(|parsed| {
                    // What it defines is followed where it calls it; `home` is of no use to it.
                    let home = self.graph.map();
                    self.add(parsed, None, home).last().copied()
                });
                self.texts.insert(text.clone(), template);
                template
            }
        };
        match template {
            Some(template) => {
                self.call(template, data);
                true
            }
            None => false,
        }
    }

    /// Says that `tpl` runs a text on `data` that is not known: it may hold what stands in the values.
    pub(crate) fn run_unknown(&mut self, data: &Seen) {
        self.graph.changed |= self.loose.data.add(data);
    }

    fn follow_loose(&mut self) {
        if self.loose.data == Seen::default() {
            return;
        }
        let data = self.loose.data.clone();
        if !std::mem::replace(&mut self.loose.is_read, true) {
            self.graph.changed = true;
            let mut texts = std::mem::take(&mut self.loose.texts);
            texts.sort();
            texts.dedup();
            for text in texts {
                match texts::parse(&text) {
                    Some(parsed) => {
                        let home = self.graph.map();
                        let added = self.add(parsed, None, home);
                        self.loose.templates.extend(added.last());
                    }
                    None => self.loose.paths.extend(texts::paths(&text)),
                }
            }
        }
        for template in self.loose.templates.clone() {
            self.call(template, &data);
        }
        for path in self.loose.paths.clone() {
            let mut at = self.graph.key(&data, "Values");
            for key in path {
                at = self.graph.key(&at, &key);
            }
            self.graph.read_whole(&at);
        }
    }

    fn walk(&mut self, template: usize) {
        let definition = self.templates[template].definition.clone();
        let data = self.templates[template].data.clone();
        if let Some(dollar) = self.templates[template].variables.first_mut() {
            dollar.add(&data);
        }
        self.steps(&definition.body, At { template, dot: &data, position: 0 });
    }

    fn steps(&mut self, steps: &[Step], at: At<'_>) {
        for step in steps {
            if self.graph.is_exhausted() {
                return;
            }
            match step {
                Step::Action(pipeline) => {
                    let value = self.pipeline(pipeline, at);
                    if pipeline.declared.is_empty() {
                        self.print(&value, at);
                    }
                    self.declare(&pipeline.declared, &value, at);
                }
                Step::If(branch) => {
                    let value = self.pipeline(&branch.pipeline, at);
                    self.declare(&branch.pipeline.declared, &value, at);
                    self.steps(&branch.body, at);
                    self.steps(&branch.otherwise, at);
                }
                Step::With(branch) => {
                    let value = self.pipeline(&branch.pipeline, at);
                    self.declare(&branch.pipeline.declared, &value, at);
                    self.steps(&branch.body, At { dot: &value, ..at });
                    self.steps(&branch.otherwise, at);
                }
                Step::Range(branch) => self.range(branch, at),
                Step::Template(name, argument) => {
                    let data = argument.as_ref().map(|argument| self.pipeline(argument, at)).unwrap_or_default();
                    let printed = self.include(&Name::exact(name), &data);
                    self.print(&printed, at);
                }
            }
        }
    }

    fn range(&mut self, branch: &Branch, at: At<'_>) {
        let value = self.pipeline(&branch.pipeline, at);
        let item = self.graph.any_key(&value);
        match branch.pipeline.declared.as_slice() {
            [key, item_variable] => {
                let keys = self.keys(&value);
                self.declare(&[*key], &keys, at);
                self.declare(&[*item_variable], &item, at);
            }
            declared => self.declare(declared, &item, at),
        }
        self.steps(&branch.body, At { dot: &item, ..at });
        self.steps(&branch.otherwise, at);
    }

    /// The keys of a map, as strings.
    pub(crate) fn keys(&mut self, map: &Seen) -> Seen {
        match self.graph.stored_keys(map) {
            Some(keys) if !keys.is_empty() => {
                let mut names = Seen::default();
                keys.iter().for_each(|key| {
                    names.add(&Seen::text(key));
                });
                names
            }
            _ => Seen::unknown(),
        }
    }

    fn print(&mut self, value: &Seen, at: At<'_>) {
        self.graph.read_whole(value);
        let texts = value.texts();
        self.graph.changed |= self.templates[at.template].prints.add_pieces(&texts);
    }

    fn declare(&mut self, declared: &[Variable], value: &Seen, at: At<'_>) {
        for variable in declared.iter().flatten() {
            if let Some(known) = self.templates[at.template].variables.get_mut(*variable as usize) {
                self.graph.changed |= known.add(value);
            }
        }
    }

    fn pipeline(&mut self, pipeline: &Pipeline, at: At<'_>) -> Seen {
        let mut value = None;
        for command in &pipeline.commands {
            value = Some(self.command(command, value, At { position: command.position, ..at }));
        }
        value.unwrap_or_default()
    }

    fn command(&mut self, command: &Command, piped: Option<Seen>, at: At<'_>) -> Seen {
        let Some((first, arguments)) = command.operands.split_first() else { return Seen::default() };
        let mut arguments: Vec<Seen> = arguments.iter().map(|argument| self.operand(argument, at)).collect();
        arguments.extend(piped);
        if let Operand::Function(name) = first {
            return self.call_function(name, &arguments, at);
        }
        let value = self.operand(first, at);
        if arguments.is_empty() {
            return value;
        }
        // A method: of files or capabilities, since values have none that take arguments but those the graph knows.
        arguments.iter().for_each(|argument| self.graph.read_whole(argument));
        self.graph.read_whole(&value);
        Seen::unknown()
    }

    fn operand(&mut self, operand: &Operand, at: At<'_>) -> Seen {
        let value = self.operand_value(operand, at);
        // What may be many things takes its time wherever it goes.
        self.graph.spend(value.size());
        value
    }

    fn operand_value(&mut self, operand: &Operand, at: At<'_>) -> Seen {
        match operand {
            Operand::Dot => at.dot.clone(),
            Operand::Constant => Seen::unknown(),
            Operand::String(text) => Seen::text(text),
            Operand::Field(names) => self.path(at.dot.clone(), names, at),
            Operand::Variable(variable, names) => {
                let variables = &self.templates[at.template].variables;
                let value = variable.and_then(|variable| variables.get(variable as usize)).cloned();
                self.path(value.unwrap_or_else(Seen::unknown), names, at)
            }
            Operand::Chain(operand, names) => {
                let value = self.operand(operand, at);
                self.path(value, names, at)
            }
            Operand::Function(name) => self.call_function(name, &[], at),
            Operand::Pipeline(pipeline) => {
                let value = self.pipeline(pipeline, at);
                self.declare(&pipeline.declared, &value, at);
                value
            }
        }
    }

    fn path(&mut self, value: Seen, names: &Names, at: At<'_>) -> Seen {
        let mut value = value;
        for name in names {
            value = self.graph.key(&value, name);
            if let (Some(sites), Some(file)) = (&mut self.sites, self.templates[at.template].file) {
                sites.note(file, name, &value);
            }
        }
        value
    }
}
