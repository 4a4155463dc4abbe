//! Secrets that services keep, of stand-ins that answer as the services' documents say.

mod aws;
mod azure;
mod gcp;
mod vault;

use super::server::{Answer, Asked, Server};
use crate::{CloudKeys, Endpoints, Keeper, Kept, Programs, Wanted};
use onepane_world::MemoryWorld;
use serde_json::{Value, json};

/// What must be in no error: secrets, and what they are asked with.
const HUSH: [&str; 2] = ["hush", "wJalrXUtnFEMI"];

/// What `PATH[?NAME=VALUE…][#]` is: a text, or what a document says.
fn asked(keys: &CloudKeys<'_>, keeper: Keeper, reference: &str) -> Result<Value, String> {
    let (reference, document) = reference.strip_suffix('#').map_or((reference, false), |reference| (reference, true));
    let (path, query) = reference.split_once('?').unwrap_or((reference, ""));
    let parameter = |name: &str| {
        let found = query.split('&').filter_map(|pair| pair.split_once('=')).find(|(found, _)| *found == name);
        found.map(|(_, value)| value.to_owned())
    };
    match keys.secret(keeper, &Wanted { path, parameter: &parameter, document }) {
        Ok(Kept::Text(text)) => Ok(text.reveal_text().expect("it is text").into()),
        Ok(Kept::Fields(fields)) => Ok(fields.into()),
        Err(error) => {
            let said = format!("{error:?}");
            assert!(!HUSH.iter().any(|hush| said.contains(hush)), "{said}");
            Err(error.message)
        }
    }
}

fn refused(keys: &CloudKeys<'_>, keeper: Keeper, reference: &str, wanted: &str) {
    let message = asked(keys, keeper, reference).expect_err(reference);
    assert!(message.contains(wanted), "{reference}: {message}");
}
