//! Tokens to trees: [`Parsed`].

use crate::lexer::{Lexer, Token, TokenKind};
use crate::number::number;
use crate::origins::{Literal, Printer};
use crate::tree::{
    Action, Branch, Command, FunctionCall, Index, Items, Node, Operand, Pipeline, Room, Shown, Source, Special,
    Stretch, StringConstant, TemplateCall, Term, TextNode, Tree, UNDECLARED, Unit, Variable,
};
use crate::{Error, FunctionTable};
use onepane_diagnostics::{FileId, SourceText};
use std::cell::Cell;
use std::sync::Arc;

/// Blocks and parentheses may be nested so deep; deeper ones are an error and not a stack overflow.
const DEEPEST: usize = 1000;

thread_local! {
    /// Taken while a text is parsed.
    static ROOM: Cell<Room> = Cell::default();
}

/// A text that was parsed: the template itself, and all that it defines.
///
/// What it is called is only said when it is added to a set: a text may be parsed before that is known.
#[derive(Debug)]
pub struct Parsed {
    unit: Unit,
    defined: Vec<(String, Items<Node>)>,
    root: Items<Node>,
}

impl Parsed {
    /// Parses a text. The error names the template `name`.
    ///
    /// With `origins`, literal text remembers the line that each stretch of it stands on.
    pub fn new(
        name: &str,
        file: Option<FileId>,
        text: &str,
        functions: &FunctionTable,
        origins: bool,
    ) -> Result<Self, Error> {
        Self::of_source(Source::new(name, file, text), text, functions, origins && file.is_some())
    }

    /// [`Parsed::new`] for the text that a file is from byte `start` on, which is not copied; its name is said later.
    /// `None` where it is no UTF-8, or can't be parsed.
    pub fn shared(
        file: FileId,
        bytes: &Arc<[u8]>,
        start: usize,
        functions: &FunctionTable,
        origins: bool,
    ) -> Option<Self> {
        let (source, text) = SourceText::shared(file, bytes, start)?;
        Self::of_source(Source::unnamed(source), text, functions, origins).ok()
    }

    fn of_source(source: Source, text: &str, functions: &FunctionTable, origins: bool) -> Result<Self, Error> {
        let mut lexer = Lexer::new(text);
        let next = lexer.next();
        let mut parser = Parser {
            text,
            lexer,
            next,
            at: 0,
            action: None,
            unit: Unit::new(source),
            room: ROOM.take(),
            functions,
            origins,
            variables: vec!["$"],
            hidden: Vec::new(),
            nodes: Vec::with_capacity(64),
            commands: Vec::with_capacity(8),
            operands: Vec::with_capacity(16),
            ranges: 0,
            depth: 0,
            defined: Vec::new(),
            known: [None; KNOWN],
            uses: Vec::new(),
            plain: true,
        };
        if u32::try_from(text.len()).is_err() {
            return parser.error("it is longer than 4 GB");
        }
        parser.room.swap(&mut parser.unit);
        let root = parser.top_level()?;
        parser.room.swap(&mut parser.unit);
        ROOM.set(parser.room);
        Ok(Self { unit: parser.unit, defined: parser.defined, root })
    }

    /// As the template `name`.
    ///
    /// # Errors
    /// Where it defines a template of its own name.
    pub fn named(mut self, name: &str) -> Result<NamedTemplate, Error> {
        self.unit.source.name = name.to_owned();
        let at_the_end = self.unit.source.text.bytes().len() as u32;
        define(&self.unit, &mut self.defined, name.to_owned(), self.root)
            .map_err(|cause| error_at(&self.unit.source, at_the_end, cause))?;
        Ok(NamedTemplate { unit: Arc::new(self.unit), defined: self.defined })
    }
}

/// A text that was parsed and is called something. It can be in many sets at once, of any threads.
#[derive(Debug)]
pub struct NamedTemplate {
    unit: Arc<Unit>,
    defined: Vec<(String, Items<Node>)>,
}

impl NamedTemplate {
    /// What it is called.
    pub fn name(&self) -> &str {
        &self.unit.source.name
    }

    /// The trees, that of the template itself last.
    pub(crate) fn trees(&self) -> impl Iterator<Item = Tree> {
        self.defined.iter().map(|(name, root)| Tree { name: name.clone(), unit: self.unit.clone(), root: *root })
    }
}

/// Adds a template that a text defines. One without content gives way to another of the same name.
fn define(
    unit: &Unit,
    defined: &mut Vec<(String, Items<Node>)>,
    name: String,
    root: Items<Node>,
) -> Result<(), String> {
    match defined.iter().position(|(present, _)| *present == name) {
        None => defined.push((name, root)),
        Some(index) if unit.is_blank(defined[index].1) => defined[index].1 = root,
        Some(_) if unit.is_blank(root) => {}
        Some(_) => {
            let name = onepane_value::format::quote(name.as_bytes());
            return Err(format!("template: multiple definition of template {name}"));
        }
    }
    Ok(())
}

fn error_at(source: &Source, position: u32, cause: String) -> Error {
    let line = source.line_and_column(position).0;
    let message = format!("template: {}:{line}: {cause}", source.name);
    let span = source.text.file().map(|file| onepane_diagnostics::Span::new(file, line as u32, 1));
    Error::new(message, cause, span)
}

struct Parser<'t> {
    text: &'t str,
    lexer: Lexer<'t>,
    /// The token behind the last one that was taken.
    next: Token,
    /// Where the token stands that was looked at last: its line is the one that errors name.
    at: u32,
    /// Where the action at hand starts.
    action: Option<u32>,
    unit: Unit,
    room: Room,
    functions: &'t FunctionTable,
    origins: bool,
    /// The names of the variables in scope; their index is their slot.
    variables: Vec<&'t str>,
    /// Names that Go's parser knows and its execution does not: those that the body of a branch declares, while its
    /// `else` is read; those of a declaration, while its own pipeline is; those that are assigned to undeclared.
    hidden: Vec<&'t str>,
    /// What belongs to lists that are not at their end yet; each list goes to the unit as one once it is.
    nodes: Vec<Node>,
    commands: Vec<Command>,
    operands: Vec<Operand>,
    ranges: usize,
    depth: usize,
    /// The templates so far, by name.
    defined: Vec<(String, Items<Node>)>,
    /// Pipelines by their text up to the end of the action, each in the place that [`place_of`] says until another one is:
    /// charts say the same thing over and over.
    known: [Option<Known<'t>>; KNOWN],
    /// The variables that pipelines of `known` read, and those that the one at hand does.
    uses: Vec<Variable>,
    /// Whether the pipeline at hand would be the same wherever its variables are.
    plain: bool,
}

/// So many pipelines are known at a time: more would take longer than parsing some of them again.
const KNOWN: usize = 32;

/// A pipeline that was parsed.
#[derive(Clone, Copy)]
struct Known<'t> {
    written: &'t [u8],
    pipeline: Pipeline,
    /// Of [`Parser::uses`].
    uses: (u32, u32),
}

/// How a list of nodes ended.
enum End {
    End,
    Else,
}

impl<'t> Parser<'t> {
    fn error<T>(&self, cause: impl Into<String>) -> Result<T, Error> {
        Err(error_at(&self.unit.source, self.at, cause.into()))
    }

    fn line(&self, position: u32) -> usize {
        self.unit.source.line_and_column(position).0
    }

    fn unexpected<T>(&self, token: Token, context: &str) -> Result<T, Error> {
        let TokenKind::Error(_) = token.kind else {
            return self.error(format!("unexpected {} in {context}", token.shown(self.text)));
        };
        let said = token.shown(self.text);
        match self.action.map(|action| self.line(action)).filter(|line| *line != self.line(token.position())) {
            None => self.error(said),
            // Go avoids to say "action in action".
            Some(line) => {
                let started = if said.ends_with(" action") { " started" } else { " in action started" };
                self.error(format!("{said}{started} at {}:{line}", self.unit.source.name))
            }
        }
    }

    fn peek(&mut self) -> Token {
        self.at = self.next.position();
        self.next
    }

    fn take(&mut self) -> Token {
        let token = self.peek();
        // The last token is the end or an error, and is never stepped over.
        if !token.is_last() {
            self.next = self.lexer.next();
        }
        token
    }

    fn expect(&mut self, kind: TokenKind, context: &str) -> Result<Token, Error> {
        let token = self.take();
        if token.kind == kind { Ok(token) } else { self.unexpected(token, context) }
    }

    fn deeper<T>(&mut self, parse: impl FnOnce(&mut Self) -> Result<T, Error>) -> Result<T, Error> {
        if self.depth >= DEEPEST {
            return self.error(format!("nested more than {DEEPEST} levels deep"));
        }
        self.depth += 1;
        let parsed = parse(self);
        self.depth -= 1;
        parsed
    }

    fn define(&mut self, name: String, root: Items<Node>) -> Result<(), Error> {
        define(&self.unit, &mut self.defined, name, root).or_else(|cause| self.error(cause))
    }

    fn top_level(&mut self) -> Result<Items<Node>, Error> {
        loop {
            let token = self.take();
            if token.kind == TokenKind::EndOfFile {
                return Ok(self.unit.nodes.add_last(&mut self.nodes, 0));
            }
            if token.kind == TokenKind::LeftDelimiter && self.peek().kind == TokenKind::Define {
                self.take();
                self.definition()?;
                continue;
            }
            match self.text_or_action(token)? {
                None => {}
                Some(End::End) => return self.error("unexpected {{end}}"),
                Some(End::Else) => return self.error("unexpected {{else}}"),
            }
        }
    }

    /// `define "name"`, whose keyword is past.
    fn definition(&mut self) -> Result<(), Error> {
        const CONTEXT: &str = "define clause";
        let token = self.take();
        let name = self.template_name(token, CONTEXT)?;
        self.expect(TokenKind::RightDelimiter, CONTEXT)?;
        let root = self.separate_template(CONTEXT)?;
        self.define(name, root)
    }

    /// The body of a definition: it sees no variable from outside.
    fn separate_template(&mut self, context: &str) -> Result<Items<Node>, Error> {
        let variables = std::mem::replace(&mut self.variables, vec!["$"]);
        let hidden = std::mem::take(&mut self.hidden);
        let ranges = std::mem::take(&mut self.ranges);
        let (root, end) = self.deeper(Self::list)?;
        if matches!(end, End::Else) {
            return self.error(format!("unexpected {{{{else}}}} in {context}"));
        }
        self.variables = variables;
        self.hidden = hidden;
        self.ranges = ranges;
        Ok(root)
    }

    fn template_name(&mut self, token: Token, context: &str) -> Result<String, Error> {
        if !matches!(token.kind, TokenKind::String | TokenKind::RawString) {
            return self.unexpected(token, context);
        }
        Ok(match self.unquoted(token)? {
            Some(name) => String::from_utf8_lossy(&name).into_owned(),
            None => {
                let written = token.text(self.text);
                written[1..written.len() - 1].to_owned()
            }
        })
    }

    /// What a string says, where that is not what stands between its quotes.
    fn unquoted(&self, token: Token) -> Result<Option<Vec<u8>>, Error> {
        if !token.escaped {
            return Ok(None);
        }
        match onepane_value::format::unquote(token.text(self.text)) {
            Some(bytes) => Ok(Some(bytes)),
            None => self.error("invalid syntax"),
        }
    }

    fn list(&mut self) -> Result<(Items<Node>, End), Error> {
        let start = self.nodes.len();
        loop {
            let token = self.take();
            if token.kind == TokenKind::EndOfFile {
                return self.error("unexpected EOF");
            }
            if let Some(end) = self.text_or_action(token)? {
                return Ok((self.unit.nodes.add_last(&mut self.nodes, start), end));
            }
        }
    }

    /// Adds what starts with `token` to the list at hand, unless that ends with it.
    fn text_or_action(&mut self, token: Token) -> Result<Option<End>, Error> {
        match token.kind {
            TokenKind::Text => {
                let text = self.text(token);
                self.nodes.push(Node::Text(text));
                Ok(None)
            }
            TokenKind::LeftDelimiter => {
                self.action = Some(token.position());
                let end = self.action();
                self.action = None;
                end
            }
            _ => self.unexpected(token, "input"),
        }
    }

    fn text(&mut self, token: Token) -> TextNode {
        let literal = self.origins.then(|| self.unit.literals.push(Literal::default()));
        TextNode { range: stretch(token), literal }
    }

    fn action(&mut self) -> Result<Option<End>, Error> {
        let kind = self.peek().kind;
        if is_keyword(kind) {
            self.take();
        }
        let node = match kind {
            TokenKind::Block => self.block()?,
            TokenKind::Break => self.leave_range(Node::Break, "{{break}}")?,
            TokenKind::Continue => self.leave_range(Node::Continue, "{{continue}}")?,
            TokenKind::Else => {
                // `else if` and `else with` leave their keyword for whoever asked for the list.
                if !matches!(self.peek().kind, TokenKind::If | TokenKind::With) {
                    self.expect(TokenKind::RightDelimiter, "else")?;
                }
                return Ok(Some(End::Else));
            }
            TokenKind::End => {
                self.expect(TokenKind::RightDelimiter, "end")?;
                return Ok(Some(End::End));
            }
            TokenKind::If => Node::If(self.branch("if")?),
            TokenKind::Range => Node::Range(self.branch("range")?),
            TokenKind::With => Node::With(self.branch("with")?),
            TokenKind::Template => self.template()?,
            _ => {
                let pipeline = self.whole_pipeline("command")?;
                Node::Action(Action { pipeline, printer: self.printer() })
            }
        };
        self.nodes.push(node);
        Ok(None)
    }

    fn leave_range(&mut self, node: Node, name: &str) -> Result<Node, Error> {
        self.expect(TokenKind::RightDelimiter, name)?;
        if self.ranges == 0 { self.error(format!("{name} outside {{{{range}}}}")) } else { Ok(node) }
    }

    fn branch(&mut self, context: &'static str) -> Result<Branch, Error> {
        let variables = self.variables.len();
        let pipeline = self.whole_pipeline(context)?;
        let (visible, hidden) = (self.variables.len(), self.hidden.len());
        let is_range = context == "range";
        self.ranges += usize::from(is_range);
        let (body, end) = self.deeper(Self::list)?;
        self.ranges -= usize::from(is_range);
        self.hidden.extend(self.variables.drain(visible..));
        let otherwise = match end {
            End::End => None,
            End::Else => Some(match (context, self.peek().kind) {
                ("if", TokenKind::If) => {
                    self.take();
                    let branch = self.deeper(|parser| parser.branch("if"))?;
                    self.unit.nodes.add([Node::If(branch)])
                }
                ("with", TokenKind::With) => {
                    self.take();
                    let branch = self.deeper(|parser| parser.branch("with"))?;
                    self.unit.nodes.add([Node::With(branch)])
                }
                _ => match self.deeper(Self::list)? {
                    (otherwise, End::End) => otherwise,
                    (_, End::Else) => return self.error("expected end; found {{else}}"),
                },
            }),
        };
        self.variables.truncate(variables);
        self.hidden.truncate(hidden);
        Ok(Branch { pipeline, body, otherwise })
    }

    fn template(&mut self) -> Result<Node, Error> {
        const CONTEXT: &str = "template clause";
        let token = self.take();
        let name = self.template_name(token, CONTEXT)?.into();
        let pipeline = match self.peek().kind {
            TokenKind::RightDelimiter => {
                self.take();
                None
            }
            _ => Some(self.whole_pipeline(CONTEXT)?),
        };
        let name = self.unit.names.push(name);
        Ok(Node::Template(TemplateCall { position: token.position(), name, pipeline, printer: self.printer() }))
    }

    fn printer(&mut self) -> Option<Index<Printer>> {
        self.origins.then(|| self.unit.printers.push(Printer::default()))
    }

    /// `block "name" pipeline`: a definition and its call in one.
    fn block(&mut self) -> Result<Node, Error> {
        const CONTEXT: &str = "block clause";
        let token = self.take();
        let name = self.template_name(token, CONTEXT)?;
        let pipeline = Some(self.whole_pipeline(CONTEXT)?);
        let root = self.separate_template(CONTEXT)?;
        self.define(name.clone(), root)?;
        let name = self.unit.names.push(name.into());
        Ok(Node::Template(TemplateCall { position: token.position(), name, pipeline, printer: self.printer() }))
    }

    /// The pipeline of an action, up to its end. What is written as one before is the same in all but its place.
    fn whole_pipeline(&mut self, context: &str) -> Result<Pipeline, Error> {
        let start = self.next.position() as usize;
        let Some(written) = self.lexer.rest_of_action(start) else {
            return self.pipeline(context, TokenKind::RightDelimiter);
        };
        let place = place_of(written);
        if let Some(known) = self.known[place].filter(|known| known.written == written)
            && self.uses[known.uses.0 as usize..known.uses.1 as usize]
                .iter()
                .all(|used| self.slot(used.name.within(self.text)) == Some(used.slot))
        {
            let pipeline = known.pipeline.again_at(start as u32);
            self.lexer.leave_action(start + written.len());
            self.at = (start + written.len()) as u32;
            self.next = self.lexer.next();
            return Ok(pipeline);
        }
        let first_use = self.uses.len();
        self.plain = true;
        let pipeline = self.pipeline(context, TokenKind::RightDelimiter)?;
        // Where a string holds a delimiter, what was looked up is not all of it.
        if self.plain && self.at as usize == start + written.len() {
            let uses = (first_use as u32, self.uses.len() as u32);
            self.known[place] = Some(Known { written, pipeline, uses });
        } else {
            self.uses.truncate(first_use);
        }
        Ok(pipeline)
    }

    fn pipeline(&mut self, context: &str, end: TokenKind) -> Result<Pipeline, Error> {
        self.deeper(|parser| parser.pipeline_here(context, end))
    }

    fn pipeline_here(&mut self, context: &str, end: TokenKind) -> Result<Pipeline, Error> {
        let position = self.peek().position();
        let (names, assigns) = self.declarations(context)?;
        // From here on Go's parser knows the names, its execution not before the pipeline has been evaluated:
        // `$x := f $x` reads the `$x` of before.
        let hidden = self.hidden.len();
        for name in &names {
            self.hidden.push(name.text(self.text));
        }
        let start = self.commands.len();
        loop {
            let token = self.peek();
            if token.kind == end {
                self.take();
                break;
            }
            if !begins_operand(token.kind) {
                return self.unexpected(token, context);
            }
            let command = self.command()?;
            self.commands.push(command);
        }
        let commands = &self.commands[start..];
        if commands.is_empty() {
            return self.error(format!("missing value for {context}"));
        }
        let constant = |command: &Command| {
            matches!(
                self.unit.operands.all(command.operands)[0].term,
                Term::Bool(_) | Term::Dot | Term::Nil | Term::Number(_) | Term::String(_)
            )
        };
        if let Some(stage) = commands.iter().skip(1).position(constant) {
            return self.error(format!("non executable command in pipeline stage {}", stage + 2));
        }
        if !assigns {
            self.hidden.truncate(hidden);
        }
        let commands = self.unit.commands.add_last(&mut self.commands, start);
        let mut declared = Items::NONE;
        if !names.is_empty() {
            self.plain = false;
            let variables: Vec<_> = names.into_iter().map(|name| self.declare(name, assigns)).collect();
            declared = self.unit.variables.add(variables);
        }
        Ok(Pipeline { position, shift: 0, declared, assigns, commands })
    }

    /// The names in `$x :=`, `$x =` and, for a range, `$i, $x :=`, and whether they are assigned to.
    fn declarations(&mut self, context: &str) -> Result<(Vec<Token>, bool), Error> {
        let mut names = Vec::new();
        while self.peek().kind == TokenKind::Variable {
            let behind = self.lexer.clone();
            let variable = self.take();
            let next = self.peek();
            match next.kind {
                TokenKind::Assign | TokenKind::Declare => {
                    self.take();
                    names.push(variable);
                    return Ok((names, next.kind == TokenKind::Assign));
                }
                TokenKind::Character if next.text(self.text) == "," => {
                    self.take();
                    names.push(variable);
                    if context != "range" || names.len() > 1 {
                        return self.error(format!("too many declarations in {context}"));
                    }
                    match self.peek().kind {
                        TokenKind::Variable | TokenKind::RightDelimiter | TokenKind::RightParenthesis => {}
                        _ => return self.error("range can only initialize variables"),
                    }
                }
                // It is no declaration after all.
                _ => {
                    (self.lexer, self.next) = (behind, variable);
                    break;
                }
            }
        }
        Ok((names, false))
    }

    /// The variable that `name` declares or, where there is none to assign to, one that execution knows nothing of.
    fn declare(&mut self, name: Token, assigns: bool) -> Variable {
        let slot = if assigns {
            self.slot(name.text(self.text)).unwrap_or(UNDECLARED)
        } else {
            self.variables.push(name.text(self.text));
            self.variables.len() as u32 - 1
        };
        Variable { slot, name: stretch(name) }
    }

    fn slot(&self, name: &str) -> Option<u32> {
        self.variables.iter().rposition(|variable| *variable == name).map(|slot| slot as u32)
    }

    fn command(&mut self) -> Result<Command, Error> {
        let position = self.peek().position();
        let start = self.operands.len();
        loop {
            let operand = self.operand()?;
            let any = operand.is_some();
            if let Some(operand) = operand {
                self.operands.push(operand);
            }
            let token = self.peek();
            match token.kind {
                TokenKind::RightDelimiter | TokenKind::RightParenthesis => break,
                TokenKind::Pipe => {
                    self.take();
                    break;
                }
                _ if token.spaced && any => {}
                _ => return self.unexpected(token, "operand"),
            }
        }
        let operands = self.unit.operands.add_last(&mut self.operands, start);
        if operands.is_empty() { self.error("empty command") } else { Ok(Command { position, operands }) }
    }

    fn operand(&mut self) -> Result<Option<Operand>, Error> {
        let Some(operand) = self.term()? else { return Ok(None) };
        let start = self.peek().position();
        let mut end = start;
        while let token @ Token { kind: TokenKind::Field, spaced: false, .. } = self.peek() {
            end = token.end();
            self.take();
        }
        if end == start {
            return Ok(Some(operand));
        }
        let fields = Stretch::new(start, end);
        let term = match operand.term {
            Term::Field(_) => Term::Field(Stretch::new(operand.position, end)),
            Term::Variable(variable, _) => Term::Variable(variable, fields),
            Term::Bool(_) | Term::String(_) | Term::Number(_) | Term::Nil | Term::Dot => {
                let shown = Shown(&operand, &self.unit).to_string();
                let shown = onepane_value::format::quote(shown.as_bytes());
                return self.error(format!("unexpected . after term {shown}"));
            }
            _ => Term::Chain(self.unit.operands.push(operand), fields),
        };
        Ok(Some(Operand { position: start, term }))
    }

    fn term(&mut self) -> Result<Option<Operand>, Error> {
        let token = self.peek();
        if !begins_operand(token.kind) {
            return Ok(None);
        }
        self.take();
        let term = match token.kind {
            TokenKind::Identifier => Term::Function(self.function(token)?),
            TokenKind::Dot => Term::Dot,
            TokenKind::Nil => Term::Nil,
            TokenKind::Variable => {
                let name = stretch(token);
                let slot = match self.slot(token.text(self.text)) {
                    Some(slot) => {
                        self.uses.push(Variable { slot, name });
                        slot
                    }
                    None if self.hidden.contains(&token.text(self.text)) => {
                        self.plain = false;
                        UNDECLARED
                    }
                    None => {
                        let name = onepane_value::format::quote(token.text(self.text).as_bytes());
                        return self.error(format!("undefined variable {name}"));
                    }
                };
                let end = token.end();
                Term::Variable(Variable { slot, name }, Stretch::new(end, end))
            }
            TokenKind::Field => Term::Field(stretch(token)),
            TokenKind::Bool => Term::Bool(token.text(self.text) == "true"),
            TokenKind::CharacterConstant | TokenKind::Number => match number(token.text(self.text)) {
                Ok(number) => Term::Number(self.unit.numbers.push(number)),
                Err(cause) => return self.error(cause),
            },
            TokenKind::LeftParenthesis => {
                let pipeline = self.pipeline("parenthesized pipeline", TokenKind::RightParenthesis)?;
                Term::Pipeline(self.unit.pipelines.push(pipeline))
            }
            TokenKind::String | TokenKind::RawString => {
                let unquoted = self.unquoted(token)?.map(|bytes| self.unit.strings.push(bytes.into()));
                Term::String(StringConstant { written: stretch(token), unquoted })
            }
            _ => return Ok(None),
        };
        Ok(Some(Operand { position: token.position(), term }))
    }

    fn function(&self, token: Token) -> Result<FunctionCall, Error> {
        let name = token.text(self.text);
        let Some(place) = self.functions.find(name) else {
            return self.error(format!("function {} not defined", onepane_value::format::quote(name.as_bytes())));
        };
        let special = match name {
            "and" => Some(Special::And),
            "or" => Some(Special::Or),
            "call" => Some(Special::Call),
            "len" => Some(Special::Len),
            _ => None,
        };
        Ok(FunctionCall { place, special, name: stretch(token) })
    }
}

/// Where a pipeline is known.
fn place_of(written: &[u8]) -> usize {
    (onepane_bytes::mixed(written) >> (u64::BITS - KNOWN.ilog2())) as usize
}

/// Whether an action with this token at its start is more than a pipeline.
fn is_keyword(kind: TokenKind) -> bool {
    use TokenKind::{Block, Break, Continue, Else, End, If, Range, Template, With};
    matches!(kind, Block | Break | Continue | Else | End | If | Range | Template | With)
}

fn begins_operand(kind: TokenKind) -> bool {
    use TokenKind::{
        Bool, CharacterConstant, Dot, Field, Identifier, LeftParenthesis, Nil, Number, RawString, String, Variable,
    };
    matches!(
        kind,
        Bool | CharacterConstant
            | Dot
            | Field
            | Identifier
            | LeftParenthesis
            | Nil
            | Number
            | RawString
            | String
            | Variable
    )
}

fn stretch(token: Token) -> Stretch {
    Stretch::new(token.position(), token.end())
}
