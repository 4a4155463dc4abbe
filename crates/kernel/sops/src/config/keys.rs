//! The keys of a creation rule.

use super::{items, text, text_of, wrong};
use crate::age::check_age_recipient;
use crate::failure::placed;
use crate::master_key::{KeyGroup, KeyId};
use onepane_diagnostics::Result;
use onepane_yaml::{Content, Node};
use std::collections::{BTreeMap, BTreeSet};

/// How deep `merge` may nest.
const DEEPEST: usize = 32;

/// The groups that a rule names; those of `key_groups`, or one of all others.
pub(super) fn groups(rule: &Node) -> Result<Vec<KeyGroup>> {
    let groups = items(rule, "key_groups")?;
    if groups.is_empty() {
        return Ok(vec![unique(flat_group(rule)?)]);
    }
    groups.iter().map(|node| Ok(unique(group(node, 0)?))).collect()
}

fn unique(ids: Vec<KeyId>) -> KeyGroup {
    let mut seen = BTreeSet::new();
    ids.into_iter().filter(|id| seen.insert((id.kind(), id.to_string()))).map(KeyId::into_key).collect()
}

/// Keys that stand in the rule itself: lists, or texts with commas.
fn flat_group(rule: &Node) -> Result<Vec<KeyId>> {
    let mut ids = Vec::new();
    for (recipient, node) in words(rule, "age")? {
        ids.push(age(&recipient, node)?);
    }
    let profile = text_of(rule, "aws_profile")?.unwrap_or_default();
    ids.extend(words(rule, "pgp")?.into_iter().map(|(fingerprint, _)| KeyId::pgp(&fingerprint)));
    ids.extend(words(rule, "kms")?.into_iter().map(|(arn, _)| KeyId::kms(&arn, BTreeMap::new(), &profile)));
    ids.extend(words(rule, "gcp_kms")?.into_iter().map(|(resource, _)| KeyId::GcpKms { resource }));
    ids.extend(words(rule, "hckms")?.into_iter().map(|(id, _)| KeyId::HcKms { id }));
    for (url, node) in words(rule, "azure_keyvault")? {
        let key = KeyId::azure(&url);
        ids.push(
            key.ok_or_else(|| wrong("azure_keyvault", "no address like https://VAULT/keys/NAME/VERSION", node.span))?,
        );
    }
    for (url, node) in words(rule, "hc_vault_transit_uri")? {
        ids.push(vault(&url, "hc_vault_transit_uri", node)?);
    }
    Ok(ids)
}

/// An entry of `key_groups`.
fn group(node: &Node, depth: usize) -> Result<Vec<KeyId>> {
    if depth > DEEPEST {
        return Err(wrong("merge", "nested too deeply", node.span));
    }
    let mut ids = Vec::new();
    for merged in items(node, "merge")? {
        ids.extend(group(merged, depth + 1)?);
    }
    for (recipient, node) in words(node, "age")? {
        ids.push(age(&recipient, node)?);
    }
    for item in items(node, "pgp")? {
        ids.extend(text(item, "pgp")?.map(|fingerprint| KeyId::pgp(&fingerprint)));
    }
    for item in items(node, "kms")? {
        let field = |name| text_of(item, name).map(Option::unwrap_or_default);
        let mut id = KeyId::kms(&field("arn")?, context(item)?, &field("aws_profile")?);
        if let (KeyId::Kms { role, .. }, Some(said)) = (&mut id, text_of(item, "role")?) {
            *role = said;
        }
        ids.push(id);
    }
    for item in items(node, "gcp_kms")? {
        ids.push(KeyId::GcpKms { resource: needed(item, "resource_id")? });
    }
    for item in items(node, "hckms")? {
        ids.push(KeyId::HcKms { id: needed(item, "key_id")? });
    }
    for item in items(node, "azure_keyvault")? {
        let version = text_of(item, "version")?.unwrap_or_default();
        ids.push(KeyId::AzureKv { vault_url: needed(item, "vaultUrl")?, name: needed(item, "key")?, version });
    }
    for (url, node) in words(node, "hc_vault")? {
        ids.push(vault(&url, "hc_vault", node)?);
    }
    Ok(ids)
}

fn age(recipient: &str, node: &Node) -> Result<KeyId> {
    let id = KeyId::age(recipient);
    check_age_recipient(&id.to_string()).map_err(|error| placed(error, node.span))?;
    Ok(id)
}

fn vault(url: &str, name: &str, node: &Node) -> Result<KeyId> {
    KeyId::vault(url).ok_or_else(|| wrong(name, "no address like https://VAULT:8200/v1/transit/keys/NAME", node.span))
}

fn needed(node: &Node, name: &str) -> Result<String> {
    text_of(node, name)?.ok_or_else(|| wrong(name, "missing", node.span))
}

/// The encryption context of an AWS key.
fn context(node: &Node) -> Result<BTreeMap<String, String>> {
    let Some(context) = node.get("context") else { return Ok(BTreeMap::new()) };
    let entries = context.entries().unwrap_or_default().iter();
    entries
        .map(|(key, value)| {
            let key = text(key, "context")?.unwrap_or_default();
            Ok((key, text(value, "context")?.unwrap_or_default()))
        })
        .collect()
}

/// The words of a list, or of a text with commas; each with the node that holds it.
fn words<'n>(node: &'n Node, name: &str) -> Result<Vec<(String, &'n Node)>> {
    let Some(node) = node.get(name) else { return Ok(Vec::new()) };
    let items = match &node.content {
        Content::Sequence(items) => items.as_slice(),
        _ => std::slice::from_ref(node),
    };
    let mut words = Vec::new();
    for item in items {
        let said = text(item, name)?.unwrap_or_default();
        let parts = said.split(',').map(str::trim).filter(|part| !part.is_empty());
        words.extend(parts.map(|part| (part.to_owned(), item)));
    }
    Ok(words)
}
