//! Tokens to trees: [`parse`].

use crate::lexer::{Token, TokenKind, tokens};
use crate::number::number;
use crate::tree::{
    Action, Branch, Command, FunctionCall, Node, Operand, Pipeline, Source, Special, TemplateCall, Term, TextNode,
    Tree, Variable,
};
use crate::{Error, FunctionTable, builtins};
use onepane_diagnostics::{FileId, Origin, Step};
use onepane_value::Value;
use std::rc::Rc;

/// Blocks and parentheses may be nested so deep; deeper ones are an error and not a stack overflow.
const DEEPEST: usize = 1000;

/// Parses a text: the template `name` itself and all that it defines, itself last.
///
/// With `origins`, literal text remembers the line that each stretch of it stands on.
pub(crate) fn parse(
    name: &str,
    file: Option<FileId>,
    text: &str,
    functions: &FunctionTable,
    origins: bool,
) -> Result<Vec<Tree>, Error> {
    let source = Rc::new(Source::new(name, file, text));
    let tokens = tokens(text);
    let mut parser = Parser {
        text,
        tokens: &tokens,
        next: 0,
        at: 0,
        action: None,
        source,
        functions,
        origins,
        variables: vec!["$".into()],
        hidden: Vec::new(),
        ranges: 0,
        depth: 0,
        trees: Vec::new(),
    };
    let root = parser.top_level()?;
    parser.add(name.to_owned(), root)?;
    Ok(parser.trees)
}

struct Parser<'t> {
    text: &'t str,
    tokens: &'t [Token<'t>],
    next: usize,
    /// Where the token stands that was looked at last: its line is the one that errors name.
    at: usize,
    /// Where the action at hand starts.
    action: Option<usize>,
    source: Rc<Source>,
    functions: &'t FunctionTable,
    origins: bool,
    /// The names of the variables in scope; their index is their slot.
    variables: Vec<Box<str>>,
    /// Names that Go's parser knows and its execution does not: those that the body of a branch declares, while its
    /// `else` is read; those of a declaration, while its own pipeline is; those that are assigned to undeclared.
    hidden: Vec<Box<str>>,
    ranges: usize,
    depth: usize,
    trees: Vec<Tree>,
}

/// How a list of nodes ended.
enum End {
    End,
    Else,
}

impl<'t> Parser<'t> {
    fn error<T>(&self, cause: impl Into<String>) -> Result<T, Error> {
        let cause = cause.into();
        let line = self.line(self.at);
        let message = format!("template: {}:{line}: {cause}", self.source.name);
        let span = self.source.file.map(|file| onepane_diagnostics::Span::new(file, line as u32, 1));
        Err(Error { message, cause, span, trace: Vec::new() })
    }

    fn line(&self, position: usize) -> usize {
        self.source.line_and_column(position).0
    }

    fn unexpected<T>(&self, token: Token<'_>, context: &str) -> Result<T, Error> {
        let TokenKind::Error(_) = token.kind else { return self.error(format!("unexpected {token} in {context}")) };
        let said = token.to_string();
        match self.action.map(|action| self.line(action)).filter(|line| *line != self.line(token.position)) {
            None => self.error(said),
            // Go avoids to say "action in action".
            Some(line) => {
                let started = if said.ends_with(" action") { " started" } else { " in action started" };
                self.error(format!("{said}{started} at {}:{line}", self.source.name))
            }
        }
    }

    fn peek(&mut self) -> Token<'t> {
        // The last token is the end or an error, and is never stepped over.
        let token = self.tokens[self.next.min(self.tokens.len() - 1)];
        self.at = token.position;
        token
    }

    fn take(&mut self) -> Token<'t> {
        let token = self.peek();
        self.next += 1;
        token
    }

    fn expect(&mut self, kind: TokenKind, context: &str) -> Result<Token<'t>, Error> {
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

    /// Adds a template that this text defines. One without content gives way to another of the same name.
    fn add(&mut self, name: String, root: Vec<Node>) -> Result<(), Error> {
        let tree = Tree { name, source: self.source.clone(), root };
        match self.trees.iter().position(|present| present.name == tree.name) {
            None => self.trees.push(tree),
            Some(index) if self.trees[index].is_empty() => self.trees[index] = tree,
            Some(_) if tree.is_empty() => {}
            Some(_) => {
                let name = onepane_value::format::quote(tree.name.as_bytes());
                return self.error(format!("template: multiple definition of template {name}"));
            }
        }
        Ok(())
    }

    fn top_level(&mut self) -> Result<Vec<Node>, Error> {
        let mut root = Vec::new();
        while self.peek().kind != TokenKind::EndOfFile {
            if self.peek().kind == TokenKind::LeftDelimiter {
                let start = self.next;
                self.take();
                if self.take().kind == TokenKind::Define {
                    self.definition()?;
                    continue;
                }
                self.next = start;
            }
            match self.text_or_action()? {
                Ok(node) => root.push(node),
                Err(End::End) => return self.error("unexpected {{end}}"),
                Err(End::Else) => return self.error("unexpected {{else}}"),
            }
        }
        Ok(root)
    }

    /// `define "name"`, whose keyword is past.
    fn definition(&mut self) -> Result<(), Error> {
        const CONTEXT: &str = "define clause";
        let token = self.take();
        let name = self.template_name(token, CONTEXT)?;
        self.expect(TokenKind::RightDelimiter, CONTEXT)?;
        let root = self.separate_template(CONTEXT)?;
        self.add(name, root)
    }

    /// The body of a definition: it sees no variable from outside.
    fn separate_template(&mut self, context: &str) -> Result<Vec<Node>, Error> {
        let variables = std::mem::replace(&mut self.variables, vec!["$".into()]);
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

    fn template_name(&mut self, token: Token<'_>, context: &str) -> Result<String, Error> {
        match token.kind {
            TokenKind::String | TokenKind::RawString => match onepane_value::format::unquote(token.text) {
                Some(name) => Ok(String::from_utf8_lossy(&name).into_owned()),
                None => self.error("invalid syntax"),
            },
            _ => self.unexpected(token, context),
        }
    }

    fn list(&mut self) -> Result<(Vec<Node>, End), Error> {
        let mut nodes = Vec::new();
        while self.peek().kind != TokenKind::EndOfFile {
            match self.text_or_action()? {
                Ok(node) => nodes.push(node),
                Err(end) => {
                    nodes.shrink_to_fit();
                    return Ok((nodes, end));
                }
            }
        }
        self.error("unexpected EOF")
    }

    fn text_or_action(&mut self) -> Result<Result<Node, End>, Error> {
        let token = self.take();
        match token.kind {
            TokenKind::Text => Ok(Ok(Node::Text(self.text(token)))),
            TokenKind::LeftDelimiter => {
                self.action = Some(token.position);
                let node = self.action();
                self.action = None;
                node
            }
            _ => self.unexpected(token, "input"),
        }
    }

    fn text(&self, token: Token<'_>) -> TextNode {
        let mut lines = Vec::new();
        if self.origins {
            let mut start = 0;
            for line in token.text.split_inclusive('\n') {
                let indent = line.len() - line.trim_start_matches(' ').len();
                if let Some(span) = self.source.span(token.position + start + indent, line.trim().chars().count()) {
                    let from = token.position + start;
                    lines.push((from..from + line.len(), Origin::at(Step::Template, span)));
                }
                start += line.len();
            }
        }
        TextNode { range: token.position..token.position + token.text.len(), lines }
    }

    fn action(&mut self) -> Result<Result<Node, End>, Error> {
        let start = self.next;
        let token = self.take();
        let node = match token.kind {
            TokenKind::Block => self.block()?,
            TokenKind::Break => self.leave_range(Node::Break, "{{break}}")?,
            TokenKind::Continue => self.leave_range(Node::Continue, "{{continue}}")?,
            TokenKind::Else => {
                // `else if` and `else with` leave their keyword for whoever asked for the list.
                if !matches!(self.peek().kind, TokenKind::If | TokenKind::With) {
                    self.expect(TokenKind::RightDelimiter, "else")?;
                }
                return Ok(Err(End::Else));
            }
            TokenKind::End => {
                self.expect(TokenKind::RightDelimiter, "end")?;
                return Ok(Err(End::End));
            }
            TokenKind::If => Node::If(self.branch("if")?),
            TokenKind::Range => Node::Range(self.branch("range")?),
            TokenKind::With => Node::With(self.branch("with")?),
            TokenKind::Template => self.template()?,
            _ => {
                self.next = start;
                let pipeline = self.pipeline("command", TokenKind::RightDelimiter)?;
                let includes = includes(&pipeline);
                Node::Action(Action { pipeline, includes })
            }
        };
        Ok(Ok(node))
    }

    fn leave_range(&mut self, node: Node, name: &str) -> Result<Node, Error> {
        self.expect(TokenKind::RightDelimiter, name)?;
        if self.ranges == 0 { self.error(format!("{name} outside {{{{range}}}}")) } else { Ok(node) }
    }

    fn branch(&mut self, context: &'static str) -> Result<Branch, Error> {
        let variables = self.variables.len();
        let pipeline = self.pipeline(context, TokenKind::RightDelimiter)?;
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
                    vec![Node::If(self.deeper(|parser| parser.branch("if"))?)]
                }
                ("with", TokenKind::With) => {
                    self.take();
                    vec![Node::With(self.deeper(|parser| parser.branch("with"))?)]
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
        let name = self.template_name(token, CONTEXT)?;
        let pipeline = match self.peek().kind {
            TokenKind::RightDelimiter => {
                self.take();
                None
            }
            _ => Some(self.pipeline(CONTEXT, TokenKind::RightDelimiter)?),
        };
        Ok(Node::Template(TemplateCall { position: token.position, name, pipeline }))
    }

    /// `block "name" pipeline`: a definition and its call in one.
    fn block(&mut self) -> Result<Node, Error> {
        const CONTEXT: &str = "block clause";
        let token = self.take();
        let name = self.template_name(token, CONTEXT)?;
        let pipeline = Some(self.pipeline(CONTEXT, TokenKind::RightDelimiter)?);
        let root = self.separate_template(CONTEXT)?;
        self.add(name.clone(), root)?;
        Ok(Node::Template(TemplateCall { position: token.position, name, pipeline }))
    }

    fn pipeline(&mut self, context: &str, end: TokenKind) -> Result<Pipeline, Error> {
        self.deeper(|parser| parser.pipeline_here(context, end))
    }

    fn pipeline_here(&mut self, context: &str, end: TokenKind) -> Result<Pipeline, Error> {
        let position = self.peek().position;
        let (names, assigns) = self.declarations(context)?;
        // From here on Go's parser knows the names, its execution not before the pipeline has been evaluated:
        // `$x := f $x` reads the `$x` of before.
        let hidden = self.hidden.len();
        self.hidden.extend(names.iter().cloned());
        let mut commands: Vec<Command> = Vec::new();
        loop {
            let token = self.peek();
            if token.kind == end {
                self.take();
                break;
            }
            match token.kind {
                TokenKind::Bool
                | TokenKind::CharacterConstant
                | TokenKind::Dot
                | TokenKind::Field
                | TokenKind::Identifier
                | TokenKind::Number
                | TokenKind::Nil
                | TokenKind::RawString
                | TokenKind::String
                | TokenKind::Variable
                | TokenKind::LeftParenthesis => commands.push(self.command()?),
                _ => return self.unexpected(token, context),
            }
        }
        if commands.is_empty() {
            return self.error(format!("missing value for {context}"));
        }
        // Trees are large and most of their lists short: what a list reserves and does not use costs fresh memory.
        commands.shrink_to_fit();
        let constant = |command: &Command| {
            matches!(
                command.operands[0].term,
                Term::Bool(_) | Term::Dot | Term::Nil | Term::Number(_) | Term::String(..)
            )
        };
        if let Some(stage) = commands.iter().skip(1).position(constant) {
            return self.error(format!("non executable command in pipeline stage {}", stage + 2));
        }
        if !assigns {
            self.hidden.truncate(hidden);
        }
        let declared = names.into_iter().map(|name| self.declare(name, assigns)).collect();
        Ok(Pipeline { position, declared, assigns, commands })
    }

    /// The names in `$x :=`, `$x =` and, for a range, `$i, $x :=`, and whether they are assigned to.
    fn declarations(&mut self, context: &str) -> Result<(Vec<Box<str>>, bool), Error> {
        let mut names: Vec<Box<str>> = Vec::new();
        loop {
            let start = self.next;
            let variable = self.peek();
            if variable.kind != TokenKind::Variable {
                return Ok((names, false));
            }
            self.take();
            let next = self.peek();
            match next.kind {
                TokenKind::Assign | TokenKind::Declare => {
                    self.take();
                    names.push(variable.text.into());
                    return Ok((names, next.kind == TokenKind::Assign));
                }
                TokenKind::Character if next.text == "," => {
                    self.take();
                    names.push(variable.text.into());
                    if context != "range" || names.len() > 1 {
                        return self.error(format!("too many declarations in {context}"));
                    }
                    match self.peek().kind {
                        TokenKind::Variable | TokenKind::RightDelimiter | TokenKind::RightParenthesis => {}
                        _ => return self.error("range can only initialize variables"),
                    }
                }
                _ => {
                    self.next = start;
                    return Ok((names, false));
                }
            }
        }
    }

    /// The variable that `name` declares or, where there is none to assign to, one that execution knows nothing of.
    fn declare(&mut self, name: Box<str>, assigns: bool) -> Variable {
        if assigns {
            return Variable { slot: self.slot(&name).unwrap_or(usize::MAX), name };
        }
        self.variables.push(name.clone());
        Variable { slot: self.variables.len() - 1, name }
    }

    fn slot(&self, name: &str) -> Option<usize> {
        self.variables.iter().rposition(|variable| **variable == *name)
    }

    fn command(&mut self) -> Result<Command, Error> {
        let position = self.peek().position;
        let mut operands = Vec::new();
        loop {
            let before = self.next;
            operands.extend(self.operand()?);
            let token = self.peek();
            match token.kind {
                TokenKind::RightDelimiter | TokenKind::RightParenthesis => break,
                TokenKind::Pipe => {
                    self.take();
                    break;
                }
                _ if token.spaced && self.next > before => {}
                _ => return self.unexpected(token, "operand"),
            }
        }
        operands.shrink_to_fit();
        if operands.is_empty() { self.error("empty command") } else { Ok(Command { position, operands }) }
    }

    fn operand(&mut self) -> Result<Option<Operand>, Error> {
        let Some(operand) = self.term()? else { return Ok(None) };
        let position = self.peek().position;
        let mut end = position;
        while let Token { kind: TokenKind::Field, spaced: false, text, .. } = self.peek() {
            end += text.len();
            self.take();
        }
        if end == position {
            return Ok(Some(operand));
        }
        let fields = &self.text[position..end];
        let term = match operand.term {
            Term::Field(first) => Term::Field(format!("{first}{fields}").into()),
            Term::Variable(variable, _) => Term::Variable(variable, fields.into()),
            Term::Bool(_) | Term::String(..) | Term::Number(_) | Term::Nil | Term::Dot => {
                let shown = onepane_value::format::quote(operand.to_string().as_bytes());
                return self.error(format!("unexpected . after term {shown}"));
            }
            _ => Term::Chain(Box::new(operand), fields.into()),
        };
        Ok(Some(Operand { position, term }))
    }

    fn term(&mut self) -> Result<Option<Operand>, Error> {
        let start = self.next;
        let token = self.take();
        let term = match token.kind {
            TokenKind::Identifier => Term::Function(self.function(token.text)?),
            TokenKind::Dot => Term::Dot,
            TokenKind::Nil => Term::Nil,
            TokenKind::Variable => match self.slot(token.text) {
                Some(slot) => Term::Variable(Variable { slot, name: token.text.into() }, Box::default()),
                None if self.hidden.iter().any(|name| **name == *token.text) => {
                    Term::Variable(Variable { slot: usize::MAX, name: token.text.into() }, Box::default())
                }
                None => {
                    let name = onepane_value::format::quote(token.text.as_bytes());
                    return self.error(format!("undefined variable {name}"));
                }
            },
            TokenKind::Field => Term::Field(token.text.into()),
            TokenKind::Bool => Term::Bool(token.text == "true"),
            TokenKind::CharacterConstant | TokenKind::Number => match number(token.text) {
                Ok(number) => Term::Number(number),
                Err(cause) => return self.error(cause),
            },
            TokenKind::LeftParenthesis => {
                Term::Pipeline(Box::new(self.pipeline("parenthesized pipeline", TokenKind::RightParenthesis)?))
            }
            TokenKind::String | TokenKind::RawString if !token.text.contains(['\\', '\r']) => {
                Term::String(Value::string(&token.text[1..token.text.len() - 1]), token.text.into())
            }
            TokenKind::String | TokenKind::RawString => match onepane_value::format::unquote(token.text) {
                Some(bytes) => Term::String(Value::string(bytes), token.text.into()),
                None => return self.error("invalid syntax"),
            },
            _ => {
                self.next = start;
                return Ok(None);
            }
        };
        Ok(Some(Operand { position: token.position, term }))
    }

    fn function(&self, name: &str) -> Result<FunctionCall, Error> {
        let builtin = || builtins::FUNCTIONS.iter().find(|function| function.name == name);
        let Some(function) = self.functions.get(name).or_else(builtin) else {
            return self.error(format!("function {} not defined", onepane_value::format::quote(name.as_bytes())));
        };
        let special = match name {
            "and" => Some(Special::And),
            "or" => Some(Special::Or),
            "call" => Some(Special::Call),
            "len" => Some(Special::Len),
            _ => None,
        };
        Ok(FunctionCall { function: *function, special })
    }
}

/// What an action calls by `include` or `tpl`, for the include chain.
fn includes(pipeline: &Pipeline) -> Option<Box<str>> {
    pipeline.commands.iter().find_map(|command| match &command.operands[0].term {
        Term::Function(call) if matches!(call.function.name, "include" | "tpl") => match command.operands.get(1) {
            Some(Operand { term: Term::String(_, written), .. }) => {
                Some(format!("{} {written}", call.function.name).into())
            }
            _ => Some(call.function.name.into()),
        },
        _ => command.operands.iter().find_map(|operand| match &operand.term {
            Term::Pipeline(pipeline) => includes(pipeline),
            _ => None,
        }),
    })
}
