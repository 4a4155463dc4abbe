//! `helm verify`, and the `--verify` of commands that take a chart.

use super::Failure;
use super::command::{Arguments, Command};
use super::flags::{Kind, Parsed, flag};
use super::network::out;
use camino::{Utf8Path, Utf8PathBuf};
use onepane_fetch::Said;
use onepane_provenance::{Keyring, Verified, verify};
use onepane_world::{EntryKind, ReadError, ReadErrorReason, World};

pub(super) const COMMAND: Command = Command {
    path: &["verify"],
    aliases: &[],
    usage: "PATH",
    about: "check a packaged chart against the provenance file beside it",
    flags: &[&[flag("keyring", Kind::Text, "the public keys; GnuPG's by default")]],
    arguments: Arguments::Exactly(1),
    run,
};

fn run(flags: &Parsed) -> Result<(), Failure> {
    let path = Utf8Path::new(&flags.arguments[0]);
    say_verified(&verify_chart(flags, path, &super::world()?)?, &mut out);
    Ok(())
}

/// Who signed a chart, in Helm's lines.
pub(super) fn say_verified(Verified { signed_by, fingerprint, digest }: &Verified, said: &mut dyn FnMut(Said)) {
    signed_by.iter().for_each(|name| said(Said::Line(format!("Signed by: {name}"))));
    said(Said::Line(format!("Using Key With Fingerprint: {fingerprint}")));
    said(Said::Line(format!("Chart Hash Verified: {digest}")));
}

/// Checks an archive that was fetched, under its file name, against its provenance file.
pub(super) fn verify_fetched(
    flags: &Parsed,
    world: &dyn World,
    archive: &[u8],
    provenance: &[u8],
    name: &str,
) -> Result<Verified, String> {
    if !Utf8Path::new(name).extension().is_some_and(|extension| extension.eq_ignore_ascii_case("tgz")) {
        return Err("chart must be a tgz file".to_owned());
    }
    let keyring = keyring(flags, world).map_err(|error| format!("failed to load keyring: {error}"))?;
    verify(archive, provenance, name, &keyring, world.now())
}

/// Checks the packaged chart at `path`. The error is Helm's text.
pub(super) fn verify_chart(flags: &Parsed, path: &Utf8Path, world: &dyn World) -> Result<Verified, String> {
    match world.kind(path) {
        None => return Err(format!("stat {path}: no such file or directory")),
        Some(EntryKind::Folder) => return Err("unpacked charts cannot be verified".to_owned()),
        Some(_) if !path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("tgz")) => {
            return Err("chart must be a tgz file".to_owned());
        }
        Some(_) => {}
    }
    let provenance = Utf8PathBuf::from(format!("{path}.prov"));
    if world.kind(&provenance).is_none() {
        return Err(format!(
            "could not load provenance file {provenance}: stat {provenance}: no such file or directory"
        ));
    }
    let keyring = keyring(flags, world).map_err(|error| format!("failed to load keyring: {error}"))?;
    let archive = world.read(path).map_err(|error| format!("failed to read chart archive: {error}"))?;
    let provenance = world.read(&provenance).map_err(|error| format!("failed to read provenance file: {error}"))?;
    verify(&archive, &provenance, path.file_name().unwrap_or_default(), &keyring, world.now())
}

/// The keyring of `--keyring`, or GnuPG's.
pub(super) fn keyring(flags: &Parsed, world: &dyn World) -> Result<Keyring, String> {
    let path = flags.text("keyring").map_or_else(|| default_keyring(world), Utf8PathBuf::from);
    let bytes = world.read(&path).map_err(|error| as_go(&error, &path))?;
    Keyring::parse(&bytes).map_err(|error| format!("reading keyring {path}: {error}"))
}

/// GnuPG's old keyring, or its newer keybox where only that is there.
fn default_keyring(world: &dyn World) -> Utf8PathBuf {
    let home = || Utf8PathBuf::from(world.env("HOME").unwrap_or_default()).join(".gnupg");
    let folder = world.env("GNUPGHOME").map_or_else(home, Utf8PathBuf::from);
    let (old, keybox) = (folder.join("pubring.gpg"), folder.join("pubring.kbx"));
    if world.kind(&old).is_none() && world.kind(&keybox).is_some() { keybox } else { old }
}

fn as_go(error: &ReadError, path: &Utf8Path) -> String {
    match error.reason {
        ReadErrorReason::Absent => format!("open {path}: no such file or directory"),
        _ => error.to_string(),
    }
}
