//! An audit as a page of its own.

use super::{Entry, MOST_SHOWN};
use crate::commands::plan::{STYLE, change_as_html};
use crate::markup::escaped;
use onepane_git::short;
use std::fmt::Write;

const TIMELINE: &str = "\
ol{list-style:none;margin:0;padding:0 0 0 1.5em;border-left:2px solid #d5dae0}li{position:relative;margin:0 0 1.5em}\
li:before{content:\"\";position:absolute;left:-1.95em;top:.45em;width:.7em;height:.7em;border-radius:50%;background:#5b6570}\
h2{font-size:1em;margin:0}time{color:#5b6570}";

pub(super) fn of(cluster: &str, entries: &[Entry]) -> String {
    let name = escaped(cluster);
    let mut text = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" \
         content=\"width=device-width\">\n<title>Who changed {name}</title>\n<style>{STYLE}{TIMELINE}</style>\n</head>\n\
         <body>\n<h1>Who changed {name}</h1>\n<ol>\n"
    );
    for entry in entries {
        _ = writeln!(
            text,
            "<li><h2>{}</h2>\n<p><time datetime=\"{}\">{}</time> · {} · <code>{}</code></p>",
            escaped(&entry.title),
            entry.when,
            entry.time(),
            escaped(&entry.who),
            short(&entry.commit)
        );
        if !entry.text.is_empty() {
            _ = writeln!(text, "<pre>{}</pre>", escaped(&entry.text));
        }
        match &entry.changes {
            Ok(changes) => {
                _ = writeln!(text, "<details><summary>{} resources</summary>", changes.len());
                changes.iter().take(MOST_SHOWN).for_each(|change| change_as_html(&mut text, change));
                if changes.len() > MOST_SHOWN {
                    _ = writeln!(text, "<p>… {} more</p>", changes.len() - MOST_SHOWN);
                }
                text += "</details>\n";
            }
            Err(why) => _ = writeln!(text, "<p>What it changed can't be told: {}</p>", escaped(why)),
        }
        text += "</li>\n";
    }
    text + "</ol>\n</body>\n</html>\n"
}
