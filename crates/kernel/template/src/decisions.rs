//! What decides on text that it is no part of: conditions, what an expression read beside what it printed, and what was
//! looked at where nothing is printed, which is noted at that point of the text.
//!
//! It is followed where `Options::decisions` asks for it, so that all can be told that depends on a line. An expression is
//! taken as a whole: what it read anywhere may have decided on all that it gives. What a branch that was not taken would
//! have done to maps (`set`) is not known.

use crate::execute::Execution;
use crate::frame::{Frame, Slot};
use crate::tree::{Branch, Items, Node, Pipeline, Unit, Variable};
use onepane_diagnostics::{Origin, Record, Step};
use onepane_value::{Data, Text, TextBuilder, Value};

/// What has decided so far.
#[derive(Default)]
pub(crate) struct Decisions {
    /// What decides on whether the nodes at hand run at all.
    control: Origin,
    /// All that has decided on anything.
    all: Vec<Origin>,
}

/// Functions that cut or space out the text that they take last, or give one of those that they take: what is left of a
/// text knows where it is from.
const CUT: [&str; 13] = [
    "indent",
    "nindent",
    "trim",
    "trimAll",
    "trimall",
    "trimPrefix",
    "trimSuffix",
    "trunc",
    "toString",
    "default",
    "coalesce",
    "ternary",
    "required",
];

/// What was in force before a branch.
pub(crate) struct Outside {
    control: Origin,
    decision: Origin,
    /// How much was printed.
    printed: usize,
}

/// Functions that look at a map or a list and not at what is in it, or give what is in it with its origin.
const LOOK_AT_NOTHING_INSIDE: [&str; 55] = [
    "include",
    "tpl",
    "get",
    "index",
    "dig",
    "dict",
    "list",
    "tuple",
    "set",
    "merge",
    "mustMerge",
    "mergeOverwrite",
    "mustMergeOverwrite",
    "deepCopy",
    "mustDeepCopy",
    "default",
    "coalesce",
    "ternary",
    "pick",
    "omit",
    "first",
    "mustFirst",
    "last",
    "mustLast",
    "rest",
    "mustRest",
    "initial",
    "mustInitial",
    "append",
    "mustAppend",
    "push",
    "mustPush",
    "prepend",
    "mustPrepend",
    "concat",
    "reverse",
    "mustReverse",
    "slice",
    "mustSlice",
    "values",
    "not",
    "empty",
    "len",
    "kindIs",
    "kindOf",
    "typeIs",
    "typeOf",
    "typeIsLike",
    "hasKey",
    "toYaml",
    "mustToYaml",
    "toJson",
    "mustToJson",
    "toPrettyJson",
    "required",
];

impl Execution<'_> {
    /// Begins with a branch on which `value` decides, for which `reads` was read.
    pub(crate) fn begin_branch(
        &mut self,
        frame: &mut Frame<'_>,
        branch: &Branch,
        mut reads: Vec<Origin>,
        value: &Value,
        out: &TextBuilder,
    ) -> Outside {
        reads.extend(known(value).cloned());
        if let Data::String(text) = &value.data {
            reads.extend(marks(text));
        }
        let tree = frame.tree;
        let unit = &tree.unit;
        let decision = match reads.is_empty() {
            true => Origin::UNKNOWN,
            false => {
                let span = unit.source.span(branch.pipeline.position, 0);
                let record =
                    Record { step: Step::Template, span, note: None, inputs: reads, previous: Origin::UNKNOWN };
                Origin::from(record)
            }
        };
        for variable in unit.variables.all(branch.pipeline.declared) {
            frame.change_origin(variable, |origin| origin.decided_by(&decision));
        }
        let control = self.decisions.control.clone();
        if decision.is_known() {
            self.decisions.all.push(decision.clone());
            self.decisions.control = decision.clone().decided_by(&control);
        }
        Outside { control, decision, printed: out.len() }
    }

    /// Ends with a branch: of variables that it assigns to, or would have, it has decided what they are; and where it
    /// printed nothing, that.
    pub(crate) fn end_branch(
        &mut self,
        frame: &mut Frame<'_>,
        branch: &Branch,
        outside: Outside,
        out: &mut TextBuilder,
    ) {
        self.decisions.control = outside.control;
        if !outside.decision.is_known() {
            return;
        }
        if out.len() == outside.printed {
            out.point(&outside.decision.clone().decided_by(&self.decisions.control));
        }
        let tree = frame.tree;
        let unit = &tree.unit;
        let mut assigned = Vec::new();
        for nodes in [Some(branch.body), branch.otherwise].into_iter().flatten() {
            collect_assigned(unit, nodes, &mut assigned);
        }
        for variable in &assigned {
            frame.change_origin(variable, |origin| origin.decided_by(&outside.decision));
        }
    }

    /// Variables have taken a value for which `reads` was read.
    pub(crate) fn assigned(&mut self, frame: &mut Frame<'_>, pipeline: &Pipeline, reads: Vec<Origin>, value: &Value) {
        let mut all = reads;
        if let Some(own) = known(value)
            && !all.iter().any(|read| read.same(own))
        {
            all.push(own.clone());
        }
        let mut origin = Origin::made_of(all);
        if pipeline.assigns {
            origin = origin.decided_by(&self.decisions.control);
        }
        let tree = frame.tree;
        let unit = &tree.unit;
        for variable in unit.variables.all(pipeline.declared) {
            frame.change_origin(variable, |_| origin.clone());
        }
    }

    /// What decided on what an action printed: on stretches that know what they were made of, and on the others, which
    /// are taken to be made of all of `reads`.
    pub(crate) fn decided_on(&self, reads: &Origin) -> [Origin; 2] {
        let control = &self.decisions.control;
        [if reads.is_known() { reads.clone().decided_by(control) } else { control.clone() }, control.clone()]
    }

    /// What decides on whether the node at hand runs.
    pub(crate) fn control(&self) -> &Origin {
        &self.decisions.control
    }

    /// `reads` decided that nothing is printed here.
    pub(crate) fn nothing_printed(&mut self, reads: &Origin, out: &mut TextBuilder) {
        if reads.is_known() {
            out.point(&reads.clone().decided_by(&self.decisions.control));
            self.decisions.all.push(reads.clone());
        }
    }

    /// All that has decided on the text or on what of it there is.
    pub(crate) fn all_decisions(self) -> Origin {
        Origin::made_of(self.decisions.all)
    }

    /// What `set` puts into a map depends on where it stands.
    pub(crate) fn before_call(&self, name: &str, arguments: &mut [Value]) {
        if let ("set", [_, _, value]) = (name, arguments) {
            let mut all = self.reads.clone();
            all.extend(known(value).cloned());
            value.origin = Origin::made_of(all).decided_by(&self.decisions.control);
        }
    }

    /// Notes what the function `name` looked at and does not pass on.
    pub(crate) fn after_call(&mut self, name: &str, arguments: &[Value], made: &Value) {
        for (index, argument) in arguments.iter().enumerate() {
            match &argument.data {
                Data::String(text) => {
                    let is_cut = index + 1 == arguments.len() && CUT.contains(&name);
                    if name == "tpl" || !passes_on(made, text, is_cut) {
                        marks(text).for_each(|mark| self.read(&mark));
                    }
                }
                Data::Map(_) | Data::List(_) if !LOOK_AT_NOTHING_INSIDE.contains(&name) => self.read_all(argument, 0),
                _ => {}
            }
        }
    }

    fn read_all(&mut self, value: &Value, depth: usize) {
        /// Values nest no deeper: their readers see to that.
        const DEEPEST: usize = 10_000;
        if depth > DEEPEST {
            return;
        }
        if let Some(own) = known(value) {
            let own = own.clone();
            self.read(&own);
        }
        match &value.data {
            Data::String(text) => marks(text).for_each(|mark| self.read(&mark)),
            Data::List(list) => list.iter().for_each(|item| self.read_all(item, depth + 1)),
            Data::Map(map) => map.entries().iter().for_each(|(_, value)| self.read_all(value, depth + 1)),
            _ => {}
        }
    }
}

impl Frame<'_> {
    fn change_origin(&mut self, variable: &Variable, change: impl FnOnce(Origin) -> Origin) {
        if let Some(Slot { value, .. }) = self.variables.get_mut(variable.slot as usize) {
            value.origin = change(std::mem::take(&mut value.origin));
        }
    }
}

fn known(value: &Value) -> Option<&Origin> {
    Some(&value.origin).filter(|origin| origin.is_known())
}

fn marks(text: &Text) -> impl Iterator<Item = Origin> {
    text.marks_by_line().into_iter().map(|(_, origin)| origin).filter(Origin::is_known)
}

/// Whether what was made of a text knows what the text knew.
fn passes_on(made: &Value, text: &Text, is_cut: bool) -> bool {
    let Some(marks) = text.marks() else { return true };
    match &made.data {
        Data::String(made) => made.marks().is_some_and(|made| {
            is_cut && !text.is_empty()
                || marks
                    .iter()
                    .all(|(_, mark)| !mark.has_lines() && made.iter().any(|(_, passed_on)| passed_on.same(mark)))
        }),
        // What is read from a text knows where it begins there, and not all that its text is put together of.
        _ => false,
    }
}

/// The variables that nodes assign to.
fn collect_assigned(unit: &Unit, nodes: Items<Node>, assigned: &mut Vec<Variable>) {
    let mut of_pipeline = |pipeline: &Pipeline| {
        if pipeline.assigns {
            assigned.extend(unit.variables.all(pipeline.declared));
        }
    };
    let mut inner = Vec::new();
    for node in unit.nodes.all(nodes) {
        match node {
            Node::Action(action) => of_pipeline(&action.pipeline),
            Node::If(branch) | Node::With(branch) | Node::Range(branch) => {
                of_pipeline(&branch.pipeline);
                inner.extend([Some(branch.body), branch.otherwise].into_iter().flatten());
            }
            Node::Text(_) | Node::Template(_) | Node::Break | Node::Continue => {}
        }
    }
    inner.into_iter().for_each(|nodes| collect_assigned(unit, nodes, assigned));
}
