//! Programs that the environment names: [`Programs`].

use crate::failure::unusable;
use onepane_diagnostics::Result;
use onepane_sops::Secret;
use std::io::{Read, Write};
use std::process::{Command, Stdio};
use zeroize::Zeroizing;

/// Whether programs may be run to get at keys: `gpg`, and what `SOPS_AGE_KEY_CMD` names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Programs {
    /// They may, as `sops` does.
    Allowed,
    /// They may not: a render in a sandbox.
    Refused,
}

/// No key is longer.
const LONGEST: u64 = 1 << 20;

/// Runs a program with `input`, and gives what it prints. What it says goes to the terminal: it may ask for something.
pub(crate) fn run(words: &[String], variables: &[(&str, &str)], input: &[u8]) -> Result<Secret> {
    let Some((program, arguments)) = words.split_first() else { return Err(unusable("no program is named")) };
    // Arguments are not shown: a command may have a secret among them.
    let failed = |what: String| unusable(format!("`{program}` {what}"));
    let mut command = Command::new(program);
    command.args(arguments).envs(variables.iter().copied());
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::inherit());
    let mut child = command.spawn().map_err(|error| failed(format!("can't be started: {error}")))?;
    if let Some(mut stdin) = child.stdin.take() {
        // One that does not read ends first; then its status tells.
        let _ = stdin.write_all(input);
    }
    let mut output = Zeroizing::new(Vec::with_capacity(4096));
    let read = child.stdout.take().map_or(Ok(0), |stdout| stdout.take(LONGEST).read_to_end(&mut output));
    let status = child.wait().map_err(|error| failed(format!("was lost: {error}")))?;
    read.map_err(|error| failed(format!("can't be read: {error}")))?;
    if !status.success() {
        return Err(failed(format!("failed: {status}")));
    }
    Ok(output.into())
}

/// The words of a command line, with the quotes and backslashes of a shell and nothing else of it; `None` where a quote is
/// open.
pub fn words(line: &str) -> Option<Vec<String>> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut characters = line.chars();
    while let Some(character) = characters.next() {
        match character {
            ' ' | '\t' | '\n' | '\r' => words.extend(word.take()),
            '\'' => {
                let word = word.get_or_insert_default();
                loop {
                    match characters.next()? {
                        '\'' => break,
                        character => word.push(character),
                    }
                }
            }
            '"' => {
                let word = word.get_or_insert_default();
                loop {
                    match characters.next()? {
                        '"' => break,
                        '\\' => word.push(characters.next()?),
                        character => word.push(character),
                    }
                }
            }
            '\\' => word.get_or_insert_default().push(characters.next()?),
            character => word.get_or_insert_default().push(character),
        }
    }
    words.extend(word);
    Some(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_parted_as_a_shell_does() {
        let words = words(r#"a 'b c' "d \"e" f\ g'h' "#).expect("it is whole");
        assert_eq!(words, ["a", "b c", "d \"e", "f gh"]);
        for line in ["'a", "\"a", "a\\"] {
            assert_eq!(super::words(line), None, "{line}");
        }
    }

    #[test]
    #[cfg(unix)]
    fn output_is_taken_and_failure_told() {
        let shell = |script: &str| ["sh", "-c", script].map(str::to_owned);
        let output = run(&shell("cat; echo $WORD"), &[("WORD", "two")], b"one ").expect("it succeeds");
        assert_eq!(output.reveal_text(), Some("one two\n"));
        let error = run(&shell("exit 3"), &[], b"").expect_err("it fails");
        assert_eq!(error.message, "`sh` failed: exit status: 3");
        assert!(run(&["/nowhere/program".to_owned()], &[], b"").is_err());
    }
}
