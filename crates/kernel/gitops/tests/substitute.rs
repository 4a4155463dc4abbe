//! Variables against the answers of Flux's own library (`substitute.tsv`: a text, and what it gives; `!` and an error).

use onepane_gitops::substitute;
use std::collections::BTreeMap;

#[test]
fn variables_are_replaced_as_flux_does() {
    let variables = [("a", "Hello World"), ("e", ""), ("n", "abcabc"), ("b", "x${a}")];
    let variables: BTreeMap<String, String> =
        variables.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    let mut count = 0;
    for line in include_str!("substitute.tsv").lines() {
        let (text, wanted) = line.split_once('\t').expect("each line has a text and an answer");
        match (wanted.strip_prefix("! "), substitute(text, &variables)) {
            (None, answer) => assert_eq!(answer.as_deref(), Ok(wanted), "{text}"),
            (Some(wanted), Err(error)) => assert!(error.starts_with(wanted), "{text}: {error}"),
            (Some(wanted), Ok(answer)) => panic!("{text} gives {answer} and not {wanted}"),
        }
        count += 1;
    }
    assert!(count > 50);
}

#[test]
fn nothing_that_a_stranger_writes_takes_forever() {
    let deep = "${a:-".repeat(10_000);
    assert!(substitute(&deep, &BTreeMap::new()).is_err());
    let long = "${u//a/b}".repeat(10_000);
    assert_eq!(substitute(&long, &BTreeMap::new()).as_deref(), Ok(""));
}
