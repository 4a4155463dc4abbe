//! AWS's credentials: of variables, or of a profile in its files.

use crate::aws::assume_role;
use crate::aws_signature::Credentials;
use crate::cloud::CloudKeys;
use crate::failure::no_credentials;
use crate::program::{self, Programs};
use crate::settings::{home, read_text, variable};
use camino::Utf8PathBuf;
use onepane_diagnostics::Result;
use onepane_sops::Secret;
use std::collections::BTreeMap;

/// How many profiles may lead to one another.
const LONGEST_CHAIN: usize = 8;

/// The credentials for a key that names `profile`, or none. One that it names goes before the environment's.
pub(crate) fn find(keys: &CloudKeys<'_>, profile: &str, region: &str, domain: &str) -> Result<Credentials> {
    let named = |name: &str| variable(keys.world, name);
    if profile.is_empty()
        && let (Some(access_key), Some(secret)) = (named("AWS_ACCESS_KEY_ID"), named("AWS_SECRET_ACCESS_KEY"))
    {
        let session_token = named("AWS_SESSION_TOKEN").map(Secret::new);
        return Ok(Credentials { access_key, secret_key: Secret::new(secret), session_token });
    }
    let profile = match profile {
        "" => named("AWS_PROFILE").unwrap_or_else(|| "default".to_owned()),
        profile => profile.to_owned(),
    };
    let profiles = Profiles::read(keys)?;
    profiles.credentials(keys, &profile, region, domain, 0)
}

/// A field of a profile; `None` for the profile where there is none of that name.
pub(crate) fn profile_field(keys: &CloudKeys<'_>, profile: &str, field: &str) -> Result<Option<Option<String>>> {
    Ok(Profiles::read(keys)?.0.get(profile).map(|fields| fields.get(field).filter(|text| !text.is_empty()).cloned()))
}

/// The profiles of both files; the first file's fields win.
struct Profiles(BTreeMap<String, BTreeMap<String, String>>);

impl Profiles {
    fn read(keys: &CloudKeys<'_>) -> Result<Self> {
        let mut profiles = Self(BTreeMap::new());
        let path = |name: &str, file: &str| {
            variable(keys.world, name).map_or_else(|| home(keys.world).join(".aws").join(file), Utf8PathBuf::from)
        };
        if let Some(text) = read_text(keys.world, &path("AWS_SHARED_CREDENTIALS_FILE", "credentials"))? {
            profiles.add(&text, Some);
        }
        if let Some(text) = read_text(keys.world, &path("AWS_CONFIG_FILE", "config"))? {
            profiles.add(&text, |name| if name == "default" { Some(name) } else { name.strip_prefix("profile ") });
        }
        Ok(profiles)
    }

    fn add<'t>(&mut self, text: &'t str, profile: impl Fn(&'t str) -> Option<&'t str>) {
        let mut section = None;
        for line in text.lines() {
            let trimmed = line.trim();
            if trimmed.is_empty() || trimmed.starts_with(['#', ';']) {
                continue;
            }
            if let Some(rest) = trimmed.strip_prefix('[') {
                let name = rest.split(']').next().unwrap_or_default().trim();
                section = profile(name).map(|name| name.trim().to_owned());
            } else if let (Some(section), Some((name, value))) = (&section, trimmed.split_once('='))
                // What is indented belongs to a field of its own kind.
                && !line.starts_with([' ', '\t'])
            {
                let fields = self.0.entry(section.clone()).or_default();
                fields.entry(name.trim().to_lowercase()).or_insert_with(|| value.trim().to_owned());
            }
        }
    }

    fn credentials(
        &self,
        keys: &CloudKeys<'_>,
        profile: &str,
        region: &str,
        domain: &str,
        chain: usize,
    ) -> Result<Credentials> {
        let missing = || {
            no_credentials(format!("there are no AWS credentials: neither variables nor those of profile `{profile}`"))
                .hint("set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE to one that has them in ~/.aws")
        };
        let fields = self.0.get(profile).ok_or_else(missing)?;
        let field = |name: &str| fields.get(name).filter(|value| !value.is_empty());
        if let Some(role) = field("role_arn") {
            let source = field("source_profile").filter(|_| chain < LONGEST_CHAIN).ok_or_else(|| {
                no_credentials(format!(
                    "profile `{profile}` names a role, and no `source_profile` that could take it on"
                ))
            })?;
            let source = if source == profile {
                fixed(fields).ok_or_else(missing)?
            } else {
                self.credentials(keys, source, region, domain, chain + 1)?
            };
            return assume_role(keys, &source, role, region, domain);
        }
        if let Some(credentials) = fixed(fields) {
            return Ok(credentials);
        }
        match field("credential_process") {
            Some(line) => process(keys, profile, line),
            None => Err(missing()),
        }
    }
}

/// Credentials that stand in a file.
fn fixed(fields: &BTreeMap<String, String>) -> Option<Credentials> {
    let field = |name: &str| fields.get(name).filter(|value| !value.is_empty());
    Some(Credentials {
        access_key: field("aws_access_key_id")?.clone(),
        secret_key: Secret::new(field("aws_secret_access_key")?.as_str()),
        session_token: field("aws_session_token").map(|token| Secret::new(token.as_str())),
    })
}

/// Credentials that a program prints.
fn process(keys: &CloudKeys<'_>, profile: &str, line: &str) -> Result<Credentials> {
    let what = format!("`credential_process` of profile `{profile}`");
    if keys.programs == Programs::Refused {
        return Err(no_credentials(format!("{what} is not run here")).hint("set AWS_ACCESS_KEY_ID and its like"));
    }
    let words = program::words(line).ok_or_else(|| no_credentials(format!("{what} has an open quote")))?;
    let printed = program::run(&words, &[], b"")?;
    let answer: Option<serde_json::Value> = serde_json::from_slice(printed.reveal()).ok();
    let field = |name: &str| answer.as_ref()?.get(name)?.as_str();
    match (field("AccessKeyId"), field("SecretAccessKey")) {
        (Some(access_key), Some(secret)) => Ok(Credentials {
            access_key: access_key.to_owned(),
            secret_key: Secret::new(secret),
            session_token: field("SessionToken").map(Secret::new),
        }),
        _ => Err(no_credentials(format!("{what} prints no credentials"))),
    }
}
