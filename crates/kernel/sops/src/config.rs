//! `.sops.yaml`: which keys a new file gets, by its path. [`SopsConfig`].

mod keys;

use crate::failure::{malformed, placed, refused};
use crate::file::Recipients;
use crate::format::Layout;
use crate::selection::{Selection, compile};
use onepane_diagnostics::{FileId, Result, Span};
use onepane_yaml::{Dialect, Node, Scalar, read, resolve};
use regex::Regex;

/// The name of the file; the one in the nearest folder above an encrypted file counts.
pub const CONFIG_NAME: &str = ".sops.yaml";

/// A configuration that was read.
#[derive(Clone, Debug)]
pub struct SopsConfig {
    rules: Vec<Rule>,
    layout: Layout,
}

/// An entry of `creation_rules`.
#[derive(Clone, Debug)]
struct Rule {
    /// `None` for one that every path matches.
    path: Option<Regex>,
    /// Read where the rule is the first that matches: SOPS does not look at the others.
    node: Node,
}

impl SopsConfig {
    /// Reads a configuration. What is not known is passed over, as SOPS does.
    ///
    /// # Errors
    /// `yaml-syntax`, and `sops-format` for what has another shape.
    pub fn read(text: &str, file: FileId) -> Result<Self> {
        let mut root = read(text, file)?.into_iter().next().unwrap_or_else(|| Node::scalar(""));
        root.resolve_aliases()?;
        let rules = items(&root, "creation_rules")?.iter().map(|node| {
            let path = text_of(node, "path_regex")?.filter(|path| !path.is_empty());
            let path = path.map(|path| compile("path_regex", &path).map_err(|error| placed(error, node.span)));
            Ok(Rule { path: path.transpose()?, node: node.clone() })
        });
        let rules = rules.collect::<Result<_>>()?;
        let indent = |format: &str| -> Result<Option<i64>> {
            let Some(node) = root.at(&["stores", format, "indent"]) else { return Ok(None) };
            match resolve(node, Dialect::V3) {
                Ok(Scalar::Int(indent)) if (-1..=64).contains(&indent) => Ok(Some(indent)),
                Ok(Scalar::Null) => Ok(None),
                _ => Err(placed(malformed("`indent` is no number of blanks, nor -1 for a tab"), node.span)),
            }
        };
        let blanks = |indent: Option<i64>| indent.and_then(|indent| usize::try_from(indent).ok());
        let yaml = blanks(indent("yaml")?).filter(|indent| *indent > 0).unwrap_or(Layout::default().yaml);
        let layout = Layout { yaml, json: blanks(indent("json")?), binary: blanks(indent("json_binary")?) };
        Ok(Self { rules, layout })
    }

    /// How files are indented.
    pub fn layout(&self) -> Layout {
        self.layout
    }

    /// What the first rule says that `path` matches, which is relative to the configuration's folder, with `/`.
    /// `None` where there are no rules at all.
    ///
    /// # Errors
    /// `sops-refused` where no rule matches, `sops-format` and `sops-key` for what is wrong with the one that does.
    pub fn recipients(&self, path: &str) -> Result<Option<Recipients>> {
        if self.rules.is_empty() {
            return Ok(None);
        }
        let matching = self.rules.iter().find(|rule| rule.path.as_ref().is_none_or(|regex| regex.is_match(path)));
        let Some(Rule { node, .. }) = matching else {
            let message = format!("no rule of `{CONFIG_NAME}` is about `{path}`");
            return Err(refused(message).hint("add an entry to `creation_rules` whose `path_regex` matches it"));
        };
        let field = |name: &'static str| text_of(node, name);
        for name in Selection::FIELDS {
            field(name)?;
        }
        let selection = Selection::from_fields(|name| field(name).ok().flatten());
        let shamir_threshold = match node.get("shamir_threshold").map(|node| (node.span, resolve(node, Dialect::V3))) {
            None | Some((_, Ok(Scalar::Null))) => 0,
            Some((_, Ok(Scalar::Int(threshold)))) if (0..=255).contains(&threshold) => {
                threshold.unsigned_abs() as usize
            }
            Some((span, _)) => return Err(placed(malformed("`shamir_threshold` is no number of groups"), span)),
        };
        Ok(Some(Recipients {
            groups: keys::groups(node)?,
            shamir_threshold,
            selection: selection.map_err(|error| placed(error, node.span))?,
            mac_only_encrypted: match node.get("mac_only_encrypted").map(|node| resolve(node, Dialect::V3)) {
                None | Some(Ok(Scalar::Null | Scalar::Bool(false))) => false,
                Some(Ok(Scalar::Bool(true))) => true,
                Some(_) => return Err(wrong("mac_only_encrypted", "neither `true` nor `false`", node.span)),
            },
        }))
    }
}

fn wrong(name: &str, what: &str, span: Option<Span>) -> Box<onepane_diagnostics::Diagnostic> {
    placed(malformed(format!("`{name}` is {what}")), span)
}

/// The items of a list; none where it is not there.
fn items<'n>(node: &'n Node, name: &str) -> Result<&'n [Node]> {
    match node.get(name) {
        None => Ok(&[]),
        Some(node) if matches!(resolve(node, Dialect::V3), Ok(Scalar::Null)) && node.as_str().is_some() => Ok(&[]),
        Some(node) => node.items().ok_or_else(|| wrong(name, "no list", node.span)),
    }
}

/// A text; `None` where it is not there.
fn text_of(node: &Node, name: &str) -> Result<Option<String>> {
    node.get(name).map_or(Ok(None), |node| text(node, name))
}

fn text(node: &Node, name: &str) -> Result<Option<String>> {
    match (node.as_str(), resolve(node, Dialect::V3)) {
        (Some(_), Ok(Scalar::Null)) => Ok(None),
        // Fingerprints may consist of digits.
        (Some(text), Ok(_)) => Ok(Some(text.to_owned())),
        _ => Err(wrong(name, "no text", node.span)),
    }
}

#[cfg(test)]
mod tests;
