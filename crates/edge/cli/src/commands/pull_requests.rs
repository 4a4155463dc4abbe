//! What a pull request says of what its branch carries, so that it is known again when somebody has closed it:
//! [`text_of`], [`declined`].

use crate::commands::change_log::ChangeLog;
use onepane_forge::PullRequest;
use onepane_git::short;

/// What the line begins with that programs read.
const MARK: &str = "<!-- onepane carries:";

/// The text of a pull request: a commit's message without its first line, in a form that keeps its lines, pages to look at, and
/// what is carried.
pub(crate) fn text_of(log: &ChangeLog, carried: &[String]) -> String {
    let said = log.message.split_once('\n').map_or("", |(_, text)| text.trim());
    let mut text = String::new();
    if !said.is_empty() {
        text = format!("```\n{}\n```\n", said.replace("```", "'''"));
    }
    for (name, link) in &log.links {
        text += &format!("- [{}]({link})\n", written(name));
    }
    if !carried.is_empty() {
        let items: Vec<String> = carried.iter().map(|item| written(item)).collect();
        text += &format!("{MARK} {} -->\n", items.join(" "));
    }
    text
}

/// Whether a text is one of [`text_of`]'s.
pub(crate) fn is_ours(text: &str) -> bool {
    text.contains(MARK)
}

/// Of pull requests that were closed the one that said no to all that is carried now. Where nothing was added to the branch since,
/// its last commit tells.
pub(crate) fn declined<'p>(
    closed: &'p [PullRequest],
    carried: &[String],
    tip: Option<&str>,
) -> Option<&'p PullRequest> {
    closed.iter().find(|pull| tip.is_some() && pull.commit.as_deref() == tip || carries_all(&pull.text, carried))
}

/// What is said where a pull request was declined.
pub(crate) fn declined_words(pull: &PullRequest, branch: &str, tip: Option<&str>) -> String {
    let at = tip.map(|tip| format!(" at {}", short(tip))).unwrap_or_default();
    format!(
        "#{} was closed without being merged, and no other is opened for `{branch}`{at} until there is something newer \
         (`--reopen` opens one): {}",
        pull.number, pull.url
    )
}

fn carries_all(text: &str, carried: &[String]) -> bool {
    let line = text.lines().find_map(|line| line.trim().strip_prefix(MARK)?.trim().strip_suffix("-->"));
    let items: Vec<&str> = line.into_iter().flat_map(str::split_whitespace).collect();
    !carried.is_empty() && carried.iter().all(|item| items.contains(&written(item).as_str()))
}

/// An item as it stands in a comment of HTML, which it must not end.
fn written(item: &str) -> String {
    let is_fit = |c: char| c.is_ascii_alphanumeric() || "./:@_-+".contains(c);
    item.chars().map(|c| if is_fit(c) { c } else { '_' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log(message: &str) -> ChangeLog {
        ChangeLog { message: message.to_owned(), links: Vec::new() }
    }

    fn closed(number: u64, carried: &[&str]) -> PullRequest {
        let carried: Vec<String> = carried.iter().map(|&item| item.to_owned()).collect();
        PullRequest {
            number,
            url: String::new(),
            text: text_of(&log("A\n\nb\n"), &carried),
            commit: Some("c0".to_owned()),
        }
    }

    #[test]
    fn no_counts_until_something_else_is_carried() {
        let all = [closed(1, &["a:1", "b:1"]), closed(2, &["a:2@sha256:00"])];
        let of = |carried: &[&str], tip| {
            let carried: Vec<String> = carried.iter().map(|&item| item.to_owned()).collect();
            declined(&all, &carried, tip).map(|pull| pull.number)
        };
        assert_eq!(of(&["a:1"], None), Some(1));
        assert_eq!(of(&["a:1", "b:1"], None), Some(1));
        assert_eq!(of(&["a:2@sha256:00"], None), Some(2));
        assert_eq!(of(&["a:1", "b:2"], None), None);
        assert_eq!(of(&["a:"], None), None);
        assert_eq!(of(&[], None), None);
        assert_eq!(of(&["a:9"], Some("c0")), Some(1));
    }

    #[test]
    fn what_is_carried_ends_no_comment() {
        let mut log = log("A\n\n```\n");
        log.links.push(("api](x)".to_owned(), "https://forge/compare/a...b".to_owned()));
        let text = text_of(&log, &["a --> <script>".to_owned()]);
        let linked = "- [api__x_](https://forge/compare/a...b)";
        assert_eq!(text, format!("```\n'''\n```\n{linked}\n<!-- onepane carries: a_--___script_ -->\n"));
        assert!(is_ours(&text));
    }
}
