//! `bcrypt` and `htpasswd`.

use crate::arguments::{Outcome, derived, text};
use crate::random::Random;
use base64::Engine;
use base64::alphabet;
use base64::engine::general_purpose::{GeneralPurpose, NO_PAD};
use onepane_template::Context;
use onepane_value::{Text, TextBuilder, Value};

/// Go's default; each one more doubles the work.
const COST: u32 = 10;

const BASE64: GeneralPurpose = GeneralPurpose::new(&alphabet::BCRYPT, NO_PAD);

pub(super) fn bcrypt(context: &mut dyn Context, arguments: &[Value]) -> Outcome {
    let hash = hash(context, text(arguments, 0)?);
    Ok(derived(&arguments[0], hash))
}

pub(super) fn htpasswd(context: &mut dyn Context, arguments: &[Value]) -> Outcome {
    let user = text(arguments, 0)?;
    let mut out = TextBuilder::new();
    if user.contains(&b':') {
        out.push_plain(b"invalid username: ");
        out.push_text(user);
    } else {
        let hash = hash(context, text(arguments, 1)?);
        out.push_text(user);
        out.push(b":", &arguments[1].origin);
        out.push(hash.as_bytes(), &arguments[1].origin);
    }
    Ok(derived(&arguments[0], out.finish()))
}

/// The hash in the form `$2a$10$…`, or why there is none: sprig makes no error of it.
fn hash(context: &dyn Context, password: &Text) -> String {
    if password.len() > 72 {
        return "failed to encrypt string with bcrypt: bcrypt: password length exceeds 72 bytes".to_owned();
    }
    let mut key = password.to_vec();
    key.push(0);
    // Blowfish takes no more.
    key.truncate(72);
    let mut salt = [0; 16];
    Random::new(context.world()).fill(&mut salt);
    let hash = bcrypt::bcrypt(COST, salt, &key);
    format!("$2a${COST:02}${}{}", BASE64.encode(salt), BASE64.encode(&hash[..23]))
}
