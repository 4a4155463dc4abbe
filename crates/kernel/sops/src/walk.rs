//! The walk through a tree in which SOPS encrypts, decrypts and computes the message authentication code.

use crate::failure::{malformed, placed};
use crate::selection::Selection;
use crate::value::{Branch, Comment, Entry, MAX_DEPTH, Value};
use onepane_diagnostics::{Diagnostic, Result, Span};

/// A value on the way.
pub(crate) struct Leaf<'a> {
    /// The keys above it, each with a colon behind it: what is encrypted is bound to it. Items of lists have their list's.
    pub(crate) path: &'a str,
    /// Whether the rule says that it is encrypted.
    pub(crate) encrypted: bool,
}

/// Puts in place of every value and comment what `change` makes of it, in the order of the text.
pub(crate) fn walk(
    branches: &mut [Branch],
    selection: &Selection,
    change: &mut dyn FnMut(Value, &Leaf<'_>) -> Result<Value>,
) -> Result<()> {
    let mut walk = Walk { selection, path: String::new(), depth: 0, change };
    branches.iter_mut().try_for_each(|branch| walk.branch(branch, Named::default()))
}

struct Walk<'a> {
    selection: &'a Selection,
    path: String,
    depth: usize,
    change: &'a mut dyn FnMut(Value, &Leaf<'_>) -> Result<Value>,
}

/// Whether the rule named something around a value.
#[derive(Clone, Copy, Default)]
struct Named {
    /// A key above it, or a comment beside one of them.
    above: bool,
    /// A comment right before it.
    beside: bool,
}

impl Walk<'_> {
    fn branch(&mut self, branch: &mut Branch, around: Named) -> Result<()> {
        self.enter()?;
        let mut named = Named { above: around.above || around.beside, beside: false };
        for entry in branch {
            match entry {
                Entry::Comment(comment) => {
                    let before = named;
                    named.beside |= self.names(comment);
                    let comment_now = self.comment(comment, before, named)?;
                    *comment = comment_now;
                }
                Entry::Pair(pair) => {
                    let length = self.path.len();
                    self.path.push_str(&pair.key);
                    self.path.push(':');
                    let above = named.above || self.selection.names_key(&pair.key);
                    let walked = self.value(&mut pair.value, Named { above, ..named });
                    let walked = walked.and_then(|()| match pair.value {
                        Value::Comment(_) => Err(malformed("an encrypted comment stands where a value should")),
                        _ => Ok(()),
                    });
                    walked.map_err(|error| self.place(error, pair.span))?;
                    self.path.truncate(length);
                    named.beside = false;
                }
            }
        }
        self.depth -= 1;
        Ok(())
    }

    fn list(&mut self, items: &mut [Value], around: Named) -> Result<()> {
        self.enter()?;
        let mut named = Named { above: around.above || around.beside, beside: false };
        for item in items {
            if let Value::Comment(comment) = item {
                let before = named;
                named.beside |= self.names(comment);
                // Encrypted, a comment in a list is an item: there SOPS puts texts in the place of comments.
                let comment = Value::Comment(comment.clone());
                *item = self.leaf(comment, self.comment_is_encrypted(before, named))?;
            } else {
                self.value(item, named)?;
                // Decrypted, it may be a comment again, which goes on to say what is encrypted.
                named.beside = match item {
                    Value::Comment(comment) => named.beside || self.names(comment),
                    _ => false,
                };
            }
        }
        self.depth -= 1;
        Ok(())
    }

    fn value(&mut self, value: &mut Value, named: Named) -> Result<()> {
        match value {
            Value::Branch(branch) => self.branch(branch, named),
            Value::List(items) => self.list(items, named),
            Value::Null => Ok(()),
            _ => {
                let leaf = std::mem::replace(value, Value::Null);
                *value = self.leaf(leaf, self.is_encrypted(named))?;
                Ok(())
            }
        }
    }

    fn comment(&mut self, comment: &Comment, before: Named, named: Named) -> Result<Comment> {
        let inline = comment.inline;
        let comment = Value::Comment(comment.clone());
        match self.leaf(comment, self.comment_is_encrypted(before, named))? {
            // SOPS forgets where a comment stood that it decrypts, and so has no line comments then.
            Value::Comment(comment) => Ok(comment),
            Value::Text(text) => Ok(Comment { text, inline }),
            _ => Err(malformed("an encrypted comment has another type")),
        }
    }

    fn leaf(&mut self, value: Value, encrypted: bool) -> Result<Value> {
        // What stands under no key has the colon all the same.
        let path = if self.path.is_empty() { ":" } else { &self.path };
        (self.change)(value, &Leaf { path, encrypted })
    }

    fn is_encrypted(&self, named: Named) -> bool {
        (named.above || named.beside) == self.selection.names_encrypted()
    }

    /// A comment that names what is encrypted stays plain itself; one that names what is not does so, too.
    fn comment_is_encrypted(&self, before: Named, named: Named) -> bool {
        self.is_encrypted(if self.selection.names_encrypted() { before } else { named })
    }

    fn names(&self, comment: &Comment) -> bool {
        comment.text.reveal_text().is_some_and(|text| self.selection.names_comment(text))
    }

    fn enter(&mut self) -> Result<()> {
        self.depth += 1;
        if self.depth > MAX_DEPTH { Err(malformed("the file is nested too deeply")) } else { Ok(()) }
    }

    /// Says which value it is, once.
    fn place(&self, error: Box<Diagnostic>, span: Option<Span>) -> Box<Diagnostic> {
        if !error.trace.is_empty() {
            return error;
        }
        let key = self.path.trim_end_matches(':').replace(':', ".");
        placed(error.trace(format!("the value of `{key}`"), span), span)
    }
}
