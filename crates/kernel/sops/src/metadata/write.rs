//! The tree that metadata is in a file: fields by name, those left out that SOPS leaves out.

use super::{KINDS, Metadata};
use crate::master_key::{KeyId, MasterKey};
use crate::value::{Branch, Entry, Value, pair};

impl Metadata {
    /// The tree.
    pub(crate) fn tree(&self) -> Branch {
        let mut tree = Tree::default();
        match self.groups.as_slice() {
            [group] => {
                for kind in KINDS {
                    tree.keys(kind, group, Empty::LeftOut);
                }
            }
            groups => {
                let groups = groups.iter().map(|group| {
                    let mut tree = Tree::default();
                    for kind in KINDS {
                        // SOPS forgot to leave these two out.
                        let empty = if matches!(kind, "age" | "hc_vault") { Empty::Kept } else { Empty::LeftOut };
                        tree.keys(kind, group, empty);
                    }
                    Value::Branch(tree.sorted())
                });
                tree.0.push(("key_groups", Value::List(groups.collect())));
            }
        }
        if self.shamir_threshold > 0 {
            tree.0.push(("shamir_threshold", Value::Int(i64::try_from(self.shamir_threshold).unwrap_or(i64::MAX))));
        }
        if let Some((name, text)) = self.selection.field() {
            tree.text(name, text);
        }
        if self.mac_only_encrypted {
            tree.0.push(("mac_only_encrypted", Value::Bool(true)));
        }
        tree.text("lastmodified", &self.last_modified);
        tree.text("mac", &self.mac);
        tree.text("version", &self.version);
        tree.sorted()
    }
}

/// What becomes of a kind of which a group has no key.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Empty {
    LeftOut,
    Kept,
}

#[derive(Default)]
struct Tree(Vec<(&'static str, Value)>);

impl Tree {
    fn text(&mut self, name: &'static str, text: &str) {
        self.0.push((name, Value::text(text)));
    }

    fn keys(&mut self, kind: &'static str, group: &[MasterKey], empty: Empty) {
        let keys = group.iter().filter(|key| key.id.kind() == kind);
        let keys: Vec<Value> = keys.map(|key| Value::Branch(key_tree(key))).collect();
        if !keys.is_empty() || empty == Empty::Kept {
            self.0.push((kind, Value::List(keys)));
        }
    }

    fn sorted(mut self) -> Branch {
        self.0.sort_by_key(|(name, _)| *name);
        self.0.into_iter().map(|(name, value)| pair(name, value)).collect()
    }
}

fn key_tree(key: &MasterKey) -> Branch {
    let mut tree = Tree::default();
    let fields: Vec<(&'static str, &str)> = match &key.id {
        KeyId::Age { recipient } => vec![("recipient", recipient)],
        KeyId::Pgp { fingerprint } => vec![("fp", fingerprint)],
        KeyId::Kms { arn, role, context, profile } => {
            if !context.is_empty() {
                let context = context.iter().map(|(key, value)| pair(key, Value::text(value.as_str())));
                tree.0.push(("context", Value::Branch(context.collect::<Vec<Entry>>())));
            }
            if !role.is_empty() {
                tree.text("role", role);
            }
            vec![("arn", arn), ("aws_profile", profile)]
        }
        KeyId::GcpKms { resource } => vec![("resource_id", resource)],
        KeyId::AzureKv { vault_url, name, version } => {
            vec![("vault_url", vault_url), ("name", name), ("version", version)]
        }
        KeyId::HcVault { address, engine, name } => {
            vec![("vault_address", address), ("engine_path", engine), ("key_name", name)]
        }
        KeyId::HcKms { id } => vec![("key_id", id)],
    };
    for (name, text) in fields {
        tree.text(name, text);
    }
    tree.text("enc", &key.enc);
    if key.id.kind() != "age" {
        tree.text("created_at", &key.created_at);
    }
    tree.sorted()
}
