//! Files that containers print: [`Reader`].
//!
//! A container that wants to hand out a file prints it between two lines of their own:
//!
//! ```text
//! --- onepane file: reports/junit.xml ---
//! <testsuites>…</testsuites>
//! --- onepane end ---
//! ```
//!
//! or, for what is no text, as `--- onepane file: screen.png (base64) ---`. That works for every image, one from `scratch`
//! included, and for containers that have ended, into which nobody can look any more. The file is read from the log, and
//! does not appear in it. A container should print it in one go, since lines of others of its threads would end up in it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::collections::BTreeMap;

const BEGIN: &str = "--- onepane file: ";
const END: &str = "--- onepane end ---";
/// A larger file is cut, as the log that it comes in is by then.
const LARGEST: usize = 8 << 20;
/// No container hands out more.
const MOST: usize = 200;

/// Takes files out of the lines of a log.
#[derive(Debug, Default)]
pub(crate) struct Reader {
    open: Option<Open>,
    count: usize,
}

#[derive(Debug)]
struct Open {
    name: String,
    is_base64: bool,
    content: String,
    is_cut: bool,
}

/// What a line is.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Read {
    /// A line of the log.
    Line,
    /// A part of a file.
    Inside,
    /// The last line of a file, by its name.
    File(String, Vec<u8>),
    /// Something is wrong with a file.
    Wrong(String),
}

impl Reader {
    pub(crate) fn read(&mut self, line: &str) -> Read {
        let Some(open) = &mut self.open else {
            let Some(name) = line.strip_prefix(BEGIN).and_then(|rest| rest.strip_suffix(" ---")) else {
                return Read::Line;
            };
            let (name, is_base64) = match name.strip_suffix(" (base64)") {
                Some(name) => (name, true),
                None => (name, false),
            };
            if !is_name(name) {
                return Read::Wrong(format!(
                    "{name:?} is no name of a file that is taken: letters, digits, . _ - and / are"
                ));
            }
            if self.count >= MOST {
                return Read::Wrong(format!("{name} is not taken: there are {MOST} files already"));
            }
            self.count += 1;
            self.open = Some(Open { name: name.to_owned(), is_base64, content: String::new(), is_cut: false });
            return Read::Inside;
        };
        if line == END {
            return self.finish().unwrap_or(Read::Inside);
        }
        if open.content.len() + line.len() < LARGEST {
            open.content.push_str(line);
            open.content.push('\n');
        } else {
            open.is_cut = true;
        }
        Read::Inside
    }

    /// What was begun and is not ended.
    pub(crate) fn finish(&mut self) -> Option<Read> {
        let Open { name, is_base64, content, is_cut } = self.open.take()?;
        if is_cut {
            return Some(Read::Wrong(format!("{name} is larger than {LARGEST} bytes, and is not taken")));
        }
        if !is_base64 {
            return Some(Read::File(name, content.into_bytes()));
        }
        let letters: String = content.split_whitespace().collect();
        Some(match STANDARD.decode(letters) {
            Ok(bytes) => Read::File(name, bytes),
            Err(_) => Read::Wrong(format!("{name} is not what it says: it is no base64")),
        })
    }
}

/// Whether a file may be called that: a path that stays where it is put, in letters that every system has.
fn is_name(name: &str) -> bool {
    let is_part = |part: &str| {
        !part.is_empty()
            && !part.starts_with(['.', '-'])
            && part.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-'))
    };
    name.len() <= 200 && name.split('/').all(is_part)
}

/// Files by their paths below a report.
pub(crate) type Files = BTreeMap<String, Vec<u8>>;

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<Read> {
        let mut reader = Reader::default();
        let mut found: Vec<Read> = text.lines().map(|line| reader.read(line)).collect();
        found.extend(reader.finish());
        found.retain(|read| *read != Read::Inside);
        found
    }

    #[test]
    fn files_are_taken_out_of_a_log() {
        let file = |name: &str, content: &str| Read::File(name.to_owned(), content.as_bytes().to_vec());
        let text = "a\n--- onepane file: r/junit.xml ---\n<a>\n</a>\n--- onepane end ---\nb\n";
        assert_eq!(read(text), [Read::Line, file("r/junit.xml", "<a>\n</a>\n"), Read::Line]);
        let text = "--- onepane file: x.bin (base64) ---\naGVs\nbG8=\n--- onepane end ---\n";
        assert_eq!(read(text), [file("x.bin", "hello")]);
        assert_eq!(read("--- onepane file: x ---\ncut"), [file("x", "cut\n")]);
    }

    #[test]
    fn nothing_is_written_elsewhere() {
        for name in ["../x", "/etc/passwd", "a//b", ".ssh/x", "a/../../b", "a\\b", "", "x y", "a/.git/x", "-rf"] {
            let found = read(&format!("--- onepane file: {name} ---\nx\n--- onepane end ---\n"));
            assert!(matches!(found[0], Read::Wrong(_)), "{name}: {found:?}");
        }
        let found = read("--- onepane file: x (base64) ---\n!!!\n--- onepane end ---\n");
        assert!(matches!(&found[..], [Read::Wrong(why)] if why.contains("base64")), "{found:?}");
        let large = format!("--- onepane file: x ---\n{}--- onepane end ---\n", "y".repeat(1000) + "\n");
        assert!(matches!(&read(&large)[..], [Read::File(..)]));
        let huge =
            format!("--- onepane file: x ---\n{}--- onepane end ---\n", ("y".repeat(1 << 16) + "\n").repeat(200));
        assert!(matches!(&read(&huge)[..], [Read::Wrong(why)] if why.contains("larger")));
        let many = "--- onepane file: x ---\n--- onepane end ---\n".repeat(MOST + 1);
        assert!(read(&many).iter().any(|read| matches!(read, Read::Wrong(why) if why.contains("already"))));
    }
}
