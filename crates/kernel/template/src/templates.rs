//! A set of templates that know one another: [`Templates`].

use crate::execute::Execution;
use crate::parser::{NamedTemplate, Parsed};
use crate::tree::Tree;
use crate::{Error, FunctionTable, Host};
use foldhash::fast::RandomState;
use onepane_diagnostics::{FileId, Origin};
use onepane_value::{Text, Value};
use onepane_world::World;
use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

/// Templates by name, and how they are executed.
pub struct Templates {
    functions: &'static FunctionTable,
    options: Options,
    trees: Rc<Trees>,
    parsed: ParsedTexts,
}

/// Texts that `tpl` has parsed already: charts call it with the same few texts again and again.
pub(crate) type ParsedTexts = RefCell<HashMap<Text, Rc<[Rc<Tree>]>, RandomState>>;

/// Trees by name. A set made by `tpl` lies over the one it was made from.
#[derive(Clone, Default)]
pub(crate) struct Trees {
    own: HashMap<Box<str>, Rc<Tree>, RandomState>,
    below: Option<Rc<Trees>>,
}

/// How templates are executed.
#[derive(Clone, Debug)]
pub struct Options {
    /// What a key that a map does not have gives.
    pub missing_key: MissingKey,
    /// Whether text remembers where it came from.
    pub origins: bool,
    /// Whether what is nil because a key is absent remembers the key. It is for telling why a template failed, and asks
    /// for `origins`.
    pub absences: bool,
    /// Whether what functions make of a secret is one, too. It asks for `origins`.
    pub secrets: bool,
    /// Whether text remembers what decided on it. It asks for `origins`.
    pub decisions: bool,
    /// The name of the set: what error texts of `tpl` and `include` call it.
    pub set_name: &'static str,
    /// Bytes of stack that templates calling one another may take up. The thread must have a good deal more: a template
    /// may nest its blocks deep on top of that.
    pub most_stack: usize,
    /// `include` may be inside itself, by one name, so often.
    pub most_nested_includes: usize,
    /// Nodes that one execution may visit.
    pub most_steps: u64,
    /// Bytes of text that one execution may make, in all.
    pub most_bytes: usize,
}

/// What a key that a map does not have gives: text/template's `missingkey` option.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MissingKey {
    /// Nothing, of which a field is nothing again.
    Invalid,
    /// The zero value, of which a field is an error.
    Zero,
    /// An error.
    Error,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            missing_key: MissingKey::Invalid,
            origins: false,
            absences: false,
            secrets: false,
            decisions: false,
            set_name: "",
            most_stack: 200 << 20,
            most_nested_includes: 1000,
            most_steps: 200_000_000,
            most_bytes: 1 << 30,
        }
    }
}

impl Templates {
    /// An empty set whose templates can call `functions`.
    pub fn new(functions: &'static FunctionTable, options: Options) -> Self {
        Self { functions, options, trees: Rc::default(), parsed: RefCell::default() }
    }

    /// Adds the template `name` and what its text defines. Of two templates of one name the later wins, unless it has
    /// no content. `file` is the file that spans name.
    pub fn parse(&mut self, name: &str, file: Option<FileId>, text: &str) -> Result<(), Error> {
        self.add(name, Parsed::new(name, file, text, self.functions, self.options.origins)?)
    }

    /// [`Templates::parse`] for a text that was parsed already.
    pub fn add(&mut self, name: &str, parsed: Parsed) -> Result<(), Error> {
        self.add_named(&parsed.named(name)?);
        Ok(())
    }

    /// [`Templates::parse`] for a text that was parsed already, maybe for another set.
    pub fn add_named(&mut self, template: &NamedTemplate) {
        let trees = Rc::make_mut(&mut self.trees);
        template.trees().for_each(|tree| trees.add(Rc::new(tree)));
    }

    /// Whether there is a template `name`.
    pub fn contains(&self, name: &str) -> bool {
        self.trees.get(name).is_some()
    }

    /// Runs the template `name` on `data`.
    pub fn execute(&self, name: &str, data: &Value, world: &dyn World, host: &dyn Host) -> Result<Text, Error> {
        self.execute_and_tell(name, data, world, host).map(|(text, _)| text)
    }

    /// [`Templates::execute`], and all that decided on the text, where [`Options::decisions`] asks for it.
    pub fn execute_and_tell(
        &self,
        name: &str,
        data: &Value,
        world: &dyn World,
        host: &dyn Host,
    ) -> Result<(Text, Origin), Error> {
        let mut execution =
            Execution::new(self.functions, &self.options, self.trees.clone(), &self.parsed, world, host);
        let text = execution.run(name, data)?;
        Ok((text, execution.all_decisions()))
    }
}

impl Trees {
    pub(crate) fn add(&mut self, tree: Rc<Tree>) {
        if tree.is_empty() && self.get(&tree.name).is_some() {
            return;
        }
        self.own.insert(tree.name.as_str().into(), tree);
    }

    pub(crate) fn get(&self, name: &str) -> Option<&Rc<Tree>> {
        self.own.get(name).or_else(|| self.below.as_ref()?.get(name))
    }

    /// A set that lies over this one, which stays as it is.
    pub(crate) fn overlay(self: &Rc<Self>) -> Self {
        Self { own: HashMap::default(), below: Some(self.clone()) }
    }
}
