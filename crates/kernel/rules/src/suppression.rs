//! Findings that somebody has looked at and lets be: [`Suppression`].

use crate::{Finding, RULES};
use onepane_diagnostics::{FileId, Span, closest};

/// The word that a suppression begins with.
const WORD: &str = "onepane:ignore";

/// A comment such as `# onepane:ignore image-latest the mirror pins it`, in whatever way a file has comments.
///
/// It is for the line that it stands on, or, where nothing else stands there, for the next one that is no comment.
/// `onepane:ignore-file` is for the whole file. Several codes are separated by commas; `schema-*` is for all that begin so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suppression {
    /// Where its word stands.
    pub span: Span,
    /// The codes, as written.
    pub codes: Vec<String>,
    /// Why; empty where that is not said.
    pub reason: String,
    /// The line that it is for; `None` for the whole file.
    line: Option<u32>,
}

impl Suppression {
    /// Those of a text.
    pub fn all(text: &str, file: FileId) -> Vec<Self> {
        if !text.contains(WORD) {
            return Vec::new();
        }
        let lines: Vec<&str> = text.lines().collect();
        let mut found = Vec::new();
        for (index, line) in lines.iter().enumerate() {
            let Some((before, after)) = line.split_once(WORD) else { continue };
            let Some(mark) = ["#", "/*", "//", "<!--"].iter().filter_map(|mark| before.rfind(mark)).max() else {
                continue;
            };
            let (is_whole, rest) = match after.strip_prefix("-file") {
                Some(rest) => (true, rest),
                None => (false, after),
            };
            if rest.starts_with(|next: char| next.is_alphanumeric() || next == '-') {
                continue;
            }
            let rest = rest.trim_end().trim_end_matches(['}', '-', '>', '/', '*', ' ']).trim();
            let (codes, reason) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
            let codes = codes.split(',').filter(|code| !code.is_empty()).map(str::to_owned).collect();
            let is_alone = before[..mark].trim().trim_end_matches("{{-").trim_end_matches("{{").trim().is_empty();
            let next = || {
                let rest = lines.iter().enumerate().skip(index + 1);
                rest.map(|(at, line)| (at, line.trim()))
                    .find(|(_, line)| {
                        !line.is_empty()
                            && !line.starts_with('#')
                            && !line.starts_with("{{/*")
                            && !line.starts_with("{{- /*")
                    })
                    .map_or(index, |(at, _)| at)
            };
            let line = (!is_whole).then(|| if is_alone { next() } else { index } as u32 + 1);
            let span =
                Span::new(file, index as u32 + 1, before.chars().count() as u32 + 1).with_length(WORD.len() as u32);
            found.push(Self { span, codes, reason: reason.trim().to_owned(), line });
        }
        found
    }

    /// Whether it is for a finding of this code at this place. One without a reason is for none.
    pub fn is_for(&self, code: &str, span: Span) -> bool {
        let is_here = span.file == self.span.file && self.line.is_none_or(|line| line == span.line);
        is_here && !self.reason.is_empty() && self.codes.iter().any(|wanted| covers(wanted, code))
    }

    /// What is wrong with it by itself.
    pub fn problem(&self) -> Option<Finding> {
        let tell = |message: String| Finding::at_line("suppression-invalid", self.span, message);
        if self.codes.is_empty() {
            return Some(tell("a suppression without a code".to_owned()).hint("write `onepane:ignore CODE REASON`"));
        }
        let is_known = |code: &&String| {
            // What can be wrong with a build has codes of its own.
            RULES.iter().any(|rule| covers(code, rule.code))
                || code.contains('-') && FOREIGN.iter().any(|head| code.starts_with(head))
        };
        if let Some(code) = self.codes.iter().find(|code| !is_known(code)) {
            let finding = tell(format!("a suppression of `{code}`, which is no code"));
            return Some(finding.meant(closest(code, RULES.iter().map(|rule| rule.code))));
        }
        self.reason.is_empty().then(|| {
            tell(format!("a suppression of {} without a reason, which suppresses nothing", self.codes.join(", ")))
                .hint("say behind the code why it may stay")
        })
    }
}

/// How the codes begin of what a build or a render says.
const FOREIGN: [&str; 7] = ["kustomize-", "resource-", "patch-", "yaml-", "helm-", "chart-", "template-"];

/// Whether a code is meant by a pattern, which may end with `*`.
pub fn covers(pattern: &str, code: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(head) => code.starts_with(head),
        None => pattern == code,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(text: &str) -> Vec<Suppression> {
        Suppression::all(text, FileId::new("a.yaml"))
    }

    #[test]
    fn a_suppression_is_for_its_line_or_the_next() {
        let text = "a: 1 # onepane:ignore image-latest pinned by the mirror\n# onepane:ignore schema-*,api-removed they know\n# more\n\nb: 2\n{{- /* onepane:ignore image-no-tag a preview */}}\nc: 3\n";
        let found = all(text);
        let at = |line| Span::new(FileId::new("a.yaml"), line, 1);
        let lines: Vec<_> = found.iter().map(|one| (one.line, one.reason.as_str())).collect();
        assert_eq!(lines, [(Some(1), "pinned by the mirror"), (Some(5), "they know"), (Some(7), "a preview")]);
        assert!(found[0].is_for("image-latest", at(1)) && !found[0].is_for("image-latest", at(2)));
        assert!(found[1].is_for("schema-type", at(5)) && found[1].is_for("api-removed", at(5)));
        assert!(!found[1].is_for("image-latest", at(5)));
        assert!(all("# onepane:ignore-file unused-file kept\n")[0].is_for("unused-file", at(40)));
        assert!(all("a: onepane:ignore x y\n").is_empty());
    }

    #[test]
    fn one_without_a_reason_or_a_code_is_told_and_does_nothing() {
        let problem = |text: &str| all(text)[0].problem().map(|finding| finding.message);
        assert_eq!(problem("# onepane:ignore image-latest because\n"), None);
        assert_eq!(problem("# onepane:ignore kustomize-unmatched because\n"), None);
        assert!(problem("# onepane:ignore image-latest\n").is_some_and(|message| message.contains("without a reason")));
        assert!(problem("# onepane:ignore image-lates because\n").is_some_and(|message| message.contains("no code")));
        assert!(problem("# onepane:ignore\n").is_some_and(|message| message.contains("without a code")));
        let without = &all("# onepane:ignore image-latest\na: 1\n")[0];
        assert!(!without.is_for("image-latest", Span::new(FileId::new("a.yaml"), 2, 1)));
    }
}
