//! Templates for those who read them rather than run them: [`Definition`], with names as text and variables resolved.
//!
//! The engine's own trees are laid out for execution and stay private; this is the same spelled out, for analyses that
//! ask what a template would do. Start at [`definitions`].

use crate::tree::{self, Items, Node, Stretch, Tree, UNDECLARED, Unit};
use crate::{Error, FunctionTable, Parsed};
use onepane_diagnostics::FileId;

/// A template: a file, or what a file defines.
#[derive(Debug)]
pub struct Definition {
    /// The name it is called by.
    pub name: Box<str>,
    /// What it does.
    pub body: Vec<Step>,
    /// How many variables it has; number 0 is `$`.
    pub variables: usize,
}

/// A piece of a template. Literal text is left out.
#[derive(Debug)]
pub enum Step {
    /// `{{ pipeline }}`
    Action(Pipeline),
    /// `{{ if }}`
    If(Branch),
    /// `{{ with }}`
    With(Branch),
    /// `{{ range }}`
    Range(Branch),
    /// `{{ template "name" pipeline }}`
    Template(Box<str>, Option<Pipeline>),
}

/// `if`, `with` and `range`.
#[derive(Debug)]
pub struct Branch {
    /// What decides.
    pub pipeline: Pipeline,
    /// What is done.
    pub body: Vec<Step>,
    /// What is done otherwise.
    pub otherwise: Vec<Step>,
}

/// Commands, each taking the value of the one before as its last argument.
#[derive(Debug)]
pub struct Pipeline {
    /// The variables that take its value; for `range` two at most.
    pub declared: Vec<Variable>,
    /// The commands.
    pub commands: Vec<Command>,
}

/// The number of a declaration in its template: a name that is declared twice has two. `None` for a variable that
/// execution does not know.
pub type Variable = Option<u32>;

/// An operand and its arguments.
#[derive(Debug)]
pub struct Command {
    /// Where it stands in its file, in bytes.
    pub position: usize,
    /// The operand, then the arguments.
    pub operands: Vec<Operand>,
}

/// A term of a command.
#[derive(Debug)]
pub enum Operand {
    /// `.`
    Dot,
    /// A number, a boolean or nil.
    Constant,
    /// A string constant; bytes that are no UTF-8 are replaced.
    String(Box<str>),
    /// `.a.b`
    Field(Names),
    /// `$x.a.b`
    Variable(Variable, Names),
    /// `(…).a.b`
    Chain(Box<Operand>, Names),
    /// A function's name.
    Function(Box<str>),
    /// `(…)`
    Pipeline(Box<Pipeline>),
}

/// The names in `.a.b`.
pub type Names = Box<[Name]>;

/// A name of a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name {
    /// What it says.
    pub text: Box<str>,
    /// Where it stands in its file, in bytes.
    pub position: usize,
}

impl std::ops::Deref for Name {
    type Target = str;

    fn deref(&self) -> &str {
        &self.text
    }
}

/// Parses a text: all that it defines, and itself last, under `name`.
pub fn definitions(
    name: &str,
    file: Option<FileId>,
    text: &str,
    functions: &FunctionTable,
) -> Result<Vec<Definition>, Error> {
    let template = Parsed::new(name, file, text, functions, false)?.named(name)?;
    Ok(template.trees().map(|tree| Reader::definition(&tree)).collect())
}

struct Reader<'t> {
    unit: &'t Unit,
    /// The declaration that a slot holds at this point of the text: slots are used again when a scope has ended.
    slots: Vec<u32>,
    declared: u32,
    /// What is added to the positions inside of the pipeline at hand.
    shift: u32,
}

impl<'t> Reader<'t> {
    fn definition(tree: &'t Tree) -> Definition {
        let mut reader = Reader { unit: &tree.unit, slots: vec![0], declared: 1, shift: 0 };
        let body = reader.steps(tree.root);
        Definition { name: tree.name.as_str().into(), body, variables: reader.declared as usize }
    }

    fn steps(&mut self, nodes: Items<Node>) -> Vec<Step> {
        self.unit.nodes.all(nodes).iter().filter_map(|node| self.step(node)).collect()
    }

    fn step(&mut self, node: &Node) -> Option<Step> {
        Some(match node {
            Node::Text(_) | Node::Break | Node::Continue => return None,
            Node::Action(action) => Step::Action(self.whole_pipeline(&action.pipeline)),
            Node::If(branch) => Step::If(self.branch(branch)),
            Node::With(branch) => Step::With(self.branch(branch)),
            Node::Range(branch) => Step::Range(self.branch(branch)),
            Node::Template(call) => {
                let argument = call.pipeline.as_ref().map(|pipeline| self.whole_pipeline(pipeline));
                Step::Template(self.unit.names.get(call.name).clone(), argument)
            }
        })
    }

    fn branch(&mut self, branch: &tree::Branch) -> Branch {
        let pipeline = self.whole_pipeline(&branch.pipeline);
        let body = self.steps(branch.body);
        let otherwise = branch.otherwise.map_or_else(Vec::new, |nodes| self.steps(nodes));
        Branch { pipeline, body, otherwise }
    }

    fn whole_pipeline(&mut self, pipeline: &tree::Pipeline) -> Pipeline {
        self.shift = pipeline.shift;
        self.pipeline(pipeline)
    }

    fn pipeline(&mut self, pipeline: &tree::Pipeline) -> Pipeline {
        let unit = self.unit;
        // What a pipeline declares is not there yet while it is evaluated.
        let commands = unit.commands.all(pipeline.commands).iter().map(|command| self.command(command)).collect();
        let declared = unit.variables.all(pipeline.declared).iter();
        let declared = declared.map(|variable| self.declare(variable.slot, pipeline.assigns)).collect();
        Pipeline { declared, commands }
    }

    fn declare(&mut self, slot: u32, assigns: bool) -> Variable {
        if assigns || slot == UNDECLARED {
            return self.variable(slot);
        }
        let slot = slot as usize;
        if slot >= self.slots.len() {
            self.slots.resize(slot + 1, 0);
        }
        self.slots[slot] = self.declared;
        self.declared += 1;
        Some(self.slots[slot])
    }

    fn variable(&self, slot: u32) -> Variable {
        self.slots.get(slot as usize).copied()
    }

    fn command(&mut self, command: &tree::Command) -> Command {
        let operands = self.unit.operands.all(command.operands).iter().map(|operand| self.operand(&operand.term));
        Command { operands: operands.collect(), position: self.place(command.position) }
    }

    fn operand(&mut self, term: &tree::Term) -> Operand {
        let unit = self.unit;
        match term {
            tree::Term::Dot => Operand::Dot,
            tree::Term::Nil | tree::Term::Bool(_) | tree::Term::Number(_) => Operand::Constant,
            tree::Term::String(constant) => Operand::String(constant.text(unit).to_str().into()),
            tree::Term::Field(names) => Operand::Field(self.names(*names)),
            tree::Term::Variable(variable, names) => {
                Operand::Variable(self.variable(variable.slot), self.names(*names))
            }
            tree::Term::Chain(operand, names) => {
                let operand = self.operand(&unit.operands.get(*operand).term);
                Operand::Chain(Box::new(operand), self.names(*names))
            }
            tree::Term::Function(call) => Operand::Function(call.name.of(&unit.source).into()),
            tree::Term::Pipeline(pipeline) => Operand::Pipeline(Box::new(self.pipeline(unit.pipelines.get(*pipeline)))),
        }
    }

    fn place(&self, position: u32) -> usize {
        position.wrapping_add(self.shift) as usize
    }

    fn names(&self, stretch: Stretch) -> Names {
        let mut position = self.place(stretch.start());
        let mut names = Vec::new();
        for piece in stretch.of(&self.unit.source).split('.') {
            let text = piece.trim();
            if !text.is_empty() {
                let space = piece.len() - piece.trim_start().len();
                names.push(Name { text: text.into(), position: position + space });
            }
            position += piece.len() + 1;
        }
        names.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_is_declared_twice_is_two_variables() {
        let text = "{{ $x := .a }}{{ if $x.b }}{{ $y := 1 }}{{ end }}{{ $x := $x.c }}{{ $z := $x }}{{ $z = \"q\" }}";
        let definitions = definitions("t", None, text, &crate::GO).expect("it is a template");
        let [only] = definitions.as_slice() else { panic!("there is one") };
        // `$`, both `$x`, `$y`, `$z`
        assert_eq!(only.variables, 5);
        let actions = only.body.iter().filter_map(|step| match step {
            Step::Action(pipeline) => Some(pipeline),
            _ => None,
        });
        let actions: Vec<&Pipeline> = actions.collect();
        let declared: Vec<_> = actions.iter().map(|pipeline| pipeline.declared[0]).collect();
        assert_eq!(declared, [Some(1), Some(3), Some(4), Some(4)]);
        let Operand::Variable(first, names) = &actions[1].commands[0].operands[0] else { panic!("it is `$x.c`") };
        assert_eq!((*first, &*names[0]), (Some(1), "c"));
        assert_eq!(text[names[0].position..].split(' ').next(), Some("c"));
    }
}
