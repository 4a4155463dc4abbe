//! Keys that GnuPG keeps: [`find_pgp_keys`], [`Gpg`].

use crate::failure::unusable;
use crate::program::{self, Programs};
use crate::settings::{home, read, variable};
use camino::Utf8PathBuf;
use onepane_diagnostics::Result;
use onepane_sops::{KeyId, KeyService, MasterKey, PgpKeys, Secret};
use onepane_world::World;

/// GnuPG's folder.
fn gnupg_home(world: &dyn World) -> Utf8PathBuf {
    variable(world, "GNUPGHOME").map_or_else(|| home(world).join(".gnupg"), Utf8PathBuf::from)
}

/// The keys of keyrings that can be read without GnuPG: those of its old versions, and what somebody exported there.
/// Today's GnuPG keeps secret keys where only its agent reads them; for those there is [`Gpg`].
pub fn find_pgp_keys(world: &dyn World) -> PgpKeys {
    let mut keys = PgpKeys::new();
    for name in ["secring.gpg", "pubring.gpg"] {
        let path = gnupg_home(world).join(name);
        if let Ok(Some(keyring)) = read(world, &path) {
            // One that GnuPG left empty has no key, which is no error.
            let _ = keys.add(&keyring, &format!("`{path}`"));
        }
    }
    keys
}

/// Lets the program `gpg`, or the one that `SOPS_GPG_EXEC` names, use keys.
#[derive(Clone, Debug)]
pub struct Gpg {
    program: String,
    home: Option<String>,
    programs: Programs,
}

impl Gpg {
    /// For GnuPG's folder that the environment names.
    pub fn new(world: &dyn World, programs: Programs) -> Self {
        let program = variable(world, "SOPS_GPG_EXEC").unwrap_or_else(|| "gpg".to_owned());
        Self { program, home: variable(world, "GNUPGHOME"), programs }
    }

    fn run(&self, arguments: &[&str], input: &[u8]) -> Result<Secret> {
        if self.programs == Programs::Refused {
            let error = unusable(format!("`{}` is not run here", self.program));
            return Err(error.hint("export the key into a keyring file, or take a key of age"));
        }
        let words: Vec<String> =
            [self.program.as_str()].iter().chain(arguments).map(|word| (*word).to_owned()).collect();
        let variables: Vec<(&str, &str)> = self.home.iter().map(|home| ("GNUPGHOME", home.as_str())).collect();
        program::run(&words, &variables, input)
    }
}

impl KeyService for Gpg {
    fn decrypt(&self, key: &MasterKey) -> Option<Result<Secret>> {
        let KeyId::Pgp { .. } = &key.id else { return None };
        let plain = self.run(&["--decrypt"], key.enc.as_bytes());
        // Old versions succeed with nothing where they don't know a packet.
        Some(plain.and_then(|plain| match plain.reveal() {
            [] => Err(unusable(format!("`{}` decrypts it to nothing", self.program))),
            _ => Ok(plain),
        }))
    }

    fn encrypt(&self, key: &mut MasterKey, part: &Secret, _: &dyn World) -> Option<Result<()>> {
        let KeyId::Pgp { fingerprint } = &key.id else { return None };
        // Who names a fingerprint trusts it, whatever GnuPG thinks of the key. It wants the end of one there.
        let end = if fingerprint.ends_with('!') { 17 } else { 16 };
        let trusted = fingerprint.get(fingerprint.len().saturating_sub(end)..).unwrap_or(fingerprint);
        let arguments = ["--no-default-recipient", "--yes", "--encrypt", "--armor", "--recipient", fingerprint];
        let arguments = [&arguments[..], &["--trusted-key", trusted, "--no-encrypt-to"]].concat();
        let armoured = self.run(&arguments, part.reveal());
        Some(armoured.and_then(|armoured| {
            let text = armoured.reveal_text().map(str::trim).filter(|text| !text.is_empty());
            let text = text.ok_or_else(|| unusable(format!("`{}` prints no message", self.program)))?;
            text.clone_into(&mut key.enc);
            Ok(())
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use onepane_world::MemoryWorld;

    fn key() -> MasterKey {
        KeyId::pgp("85D77543B3D624B63CEA9E6DBC17301B491B3F21").into_key()
    }

    #[test]
    fn nothing_is_run_where_nothing_may_be() {
        let gpg = Gpg::new(&MemoryWorld::new(), Programs::Refused);
        let error = gpg.decrypt(&key()).expect("it is PGP").expect_err("it is refused");
        assert_eq!(error.message, "`gpg` is not run here");
        assert!(gpg.decrypt(&KeyId::age("age1x").into_key()).is_none());
    }

    #[test]
    #[cfg(unix)]
    fn the_program_that_is_named_is_asked() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().expect("there is a temporary folder");
        let path = folder.path().join("gpg");
        std::fs::write(&path, "#!/bin/sh\necho \"$GNUPGHOME $*\"\ncat\n").expect("it can be written");
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o755)).expect("it is ours");
        let world =
            MemoryWorld::new().with_env("SOPS_GPG_EXEC", &path.display().to_string()).with_env("GNUPGHOME", "/g");
        let gpg = Gpg::new(&world, Programs::Allowed);
        let mut key = key();
        gpg.encrypt(&mut key, &Secret::new("part"), &world).expect("it is PGP").expect("it runs");
        let wanted = "/g --no-default-recipient --yes --encrypt --armor --recipient 85D77543B3D624B63CEA9E6DBC17301B491B3F21 --trusted-key BC17301B491B3F21 --no-encrypt-to\npart";
        assert_eq!(key.enc, wanted);
        let plain = gpg.decrypt(&key).expect("it is PGP").expect("it runs");
        assert_eq!(plain.reveal_text(), Some(&*format!("/g --decrypt\n{wanted}")));
    }
}
