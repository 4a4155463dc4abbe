//! Rendered files that hold secrets: encrypted, or refused. [`Repository::protect`].
//!
//! What is rendered goes into Git. A field counts as secret where its text knows by its origin that a secret was read
//! for it, whatever was made of that: encoded, quoted, a digest. A file with such a field is written as SOPS encrypts it
//! by the rule of `.sops.yaml` for its path; one that no rule is about, or whose rule leaves the field plain, is an error.

mod fields;

use crate::{RenderedFile, RenderedRelease, Repository};
use camino::Utf8Path;
use fields::{Field, node_at, secret_fields};
use onepane_diagnostics::{Diagnostic, FileId, Result, Span};
use onepane_sops::{
    CONFIG_NAME, Encrypted, Format, Integrity, KeyService, Layout, Metadata, Recipients, Secret, Selection, SopsConfig,
    encrypt,
};
use onepane_yaml::Node;

/// What is encrypted of a manifest where the rule does not say: what of a Secret is secret. The rest has to be plain,
/// or nobody could tell what the manifest is.
const SECRET_FIELDS: &str = "^(data|stringData)$";

/// As long, a text is no word that stands somewhere by chance.
const NO_WORD: usize = 16;

impl Repository<'_> {
    /// Encrypts the files of a release that hold secrets. One that is on disk and says the same stays as it is there;
    /// of one that says something else, what did not change does.
    ///
    /// # Errors
    /// `render-secret` for a secret that would be written in plain, and what is wrong with `.sops.yaml` or the keys.
    pub fn protect(&self, release: &mut RenderedRelease, services: &[&dyn KeyService]) -> Result<()> {
        if release.secrets.is_empty() {
            return Ok(());
        }
        let rules = match self.world.read(Utf8Path::new(CONFIG_NAME)) {
            Ok(bytes) => Some(SopsConfig::read(&String::from_utf8_lossy(&bytes), FileId::new(CONFIG_NAME))?),
            Err(_) => None,
        };
        for file in &mut release.files {
            let fields = secret_fields(file)?;
            let unprotected = |field: &Field, why: &str| unprotected(&release.name, file, field, &fields, why);
            let mut is_readable = false;
            if let Some(first) = fields.first() {
                let no_rule = || unprotected(first, &format!("no rule of `{CONFIG_NAME}` is about the file"));
                let rules = rules.as_ref().ok_or_else(no_rule)?;
                let recipients = match rules.recipients(file.path.as_str()) {
                    Ok(recipients) => recipients.ok_or_else(no_rule)?,
                    Err(error) if error.code == "sops-refused" => return Err(no_rule()),
                    Err(error) => return Err(error),
                };
                let encrypted = self.encrypted(file, recipients, rules.layout(), services)?;
                let documents = onepane_yaml::read(&encrypted, FileId::new(&file.path))?;
                if let Some(plain) = fields.iter().find(|field| !is_encrypted(&documents, field)) {
                    return Err(unprotected(plain, &format!("the rule of `{CONFIG_NAME}` does not encrypt the field")));
                }
                is_readable = true;
                file.contents = encrypted;
            }
            if is_shown(&file.contents, &release.secrets) {
                let message = format!("`{}` of the release `{}` would show a secret", file.path, release.name);
                let error = Diagnostic::error("render-secret", message);
                return Err(error.hint(match is_readable {
                    true => "it is in a comment or a key, or elsewhere where it is not encrypted",
                    false => "it came there in a way that can't be followed; name it in the values, and not in names",
                }));
            }
        }
        Ok(())
    }

    fn encrypted(
        &self,
        file: &RenderedFile,
        recipients: Recipients,
        layout: Layout,
        services: &[&dyn KeyService],
    ) -> Result<String> {
        let (plain, id) = (file.contents.as_bytes(), FileId::new(&file.path));
        let selection = match recipients.selection {
            Some(selection) => selection,
            None => Selection::from_fields(|name| (name == "encrypted_regex").then(|| SECRET_FIELDS.to_owned()))?
                .unwrap_or_default(),
        };
        let recipients = Recipients { selection: Some(selection), ..recipients };
        let read = |bytes: &[u8]| Encrypted::read(bytes, Format::Yaml, id);
        let on_disk = self.world.read(&file.path).ok();
        let same_keys = |file: &Encrypted| is_for(file.metadata(), &recipients);
        let before = on_disk.as_deref().and_then(|bytes| Some((bytes, read(bytes).ok().filter(same_keys)?)));
        // One that can't be decrypted here, or was changed by hand, is written anew.
        let before = before.and_then(|(bytes, file)| Some((bytes, file.decrypt(services, Integrity::Checked).ok()?)));
        let bytes = match before {
            None => encrypt(plain, Format::Yaml, id, recipients, services, layout, self.world)?,
            Some((bytes, before)) => {
                let edited = before.edited(plain, id, layout, self.world)?;
                let after = read(&edited)?.decrypt(services, Integrity::Checked)?;
                let is_same = after.text(Format::Yaml, layout)? == before.text(Format::Yaml, layout)?;
                if is_same { bytes.to_vec() } else { edited }
            }
        };
        String::from_utf8(bytes).map_err(|_| Diagnostic::error("sops-format", "an encrypted file is UTF-8"))
    }
}

/// Whether a file is encrypted for these, and of it what these say.
fn is_for(metadata: &Metadata, recipients: &Recipients) -> bool {
    let ids = |groups: &[onepane_sops::KeyGroup]| -> Vec<Vec<String>> {
        groups.iter().map(|group| group.iter().map(|key| format!("{} {}", key.id.kind(), key.id)).collect()).collect()
    };
    let threshold = recipients.shamir_threshold;
    ids(&metadata.groups) == ids(&recipients.groups)
        && recipients.selection.as_ref().map(Selection::field) == Some(metadata.selection.field())
        && (threshold == 0 || threshold == metadata.shamir_threshold)
        && metadata.mac_only_encrypted == recipients.mac_only_encrypted
}

fn is_encrypted(documents: &[Node], field: &Field) -> bool {
    let node = documents.get(field.document).and_then(|document| node_at(document, &field.path));
    // SOPS leaves empty texts as they are.
    node.and_then(Node::as_str).is_some_and(|text| text.is_empty() || text.starts_with("ENC["))
}

/// Whether a secret stands in a text, as it is or encoded: a net below what origins tell.
fn is_shown(text: &str, secrets: &[Secret]) -> bool {
    let is_no_word = |form: &&str| form.len() >= NO_WORD;
    secrets.iter().any(|secret| {
        secret.forms().iter().map(|form| form.as_str()).filter(is_no_word).any(|form| text.contains(form))
    })
}

fn unprotected(release: &str, file: &RenderedFile, field: &Field, all: &[Field], why: &str) -> Box<Diagnostic> {
    let Field { resource, shown, .. } = field;
    let message = format!("the release `{release}` would write a secret in plain: `{shown}` of {resource}");
    let mut error = Diagnostic::error("render-secret", format!("{message}; {why}"));
    // The line is named and not shown: a reference may have its secret in it.
    error =
        error.trace("it is made of the value that stands here", field.source.map(|span| Span { length: 0, ..span }));
    for other in all.iter().filter(|other| *other != field) {
        error = error.trace(format!("so would `{}` of {}", other.shown, other.resource), other.source);
    }
    error.hint(format!(
        "let a rule of `{CONFIG_NAME}` encrypt it: `path_regex` matches {}, `encrypted_regex` a key above the value \
         [without one: {SECRET_FIELDS}]; or keep it out of the field",
        file.path
    ))
}

#[cfg(test)]
mod tests;
