//! A release as the text that Helm keeps: gzipped JSON in base64.

use crate::release::Release;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use std::io::{Read, Write};

/// An API server keeps objects of 1 MiB or so; what unpacks to more than this is no release but an attack.
const LARGEST: u64 = 256 << 20;

pub(crate) fn encode(release: &Release) -> Result<String, String> {
    let mut packer = GzEncoder::new(Vec::new(), Compression::best());
    let packed = packer.write_all(release.to_go_json().as_bytes()).and_then(|()| packer.finish());
    Ok(STANDARD.encode(packed.map_err(|error| error.to_string())?))
}

pub(crate) fn decode(text: &str) -> Result<Release, String> {
    let bytes = STANDARD.decode(text.trim_end()).map_err(|error| error.to_string())?;
    // What is older than the packing is plain.
    let json = if bytes.starts_with(&[0x1f, 0x8b, 0x08]) {
        let mut unpacked = Vec::new();
        let read = GzDecoder::new(bytes.as_slice()).take(LARGEST + 1).read_to_end(&mut unpacked);
        read.map_err(|error| error.to_string())?;
        if unpacked.len() as u64 > LARGEST {
            return Err(format!("it unpacks to more than {} MiB", LARGEST >> 20));
        }
        unpacked
    } else {
        bytes
    };
    Release::from_json(&serde_json::from_slice(&json).map_err(|error| error.to_string())?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::release::{Hook, Status};
    use crate::time::Time;
    use serde_json::json;

    #[test]
    fn a_release_is_what_it_was_and_what_go_would_write() {
        let mut release = Release {
            name: "a".to_owned(),
            namespace: "n".to_owned(),
            version: 2,
            chart: json!({"metadata": {"name": "c"}, "lock": null}),
            config: json!({"k": "<v>"}),
            manifest: "---\n".to_owned(),
            hooks: vec![Hook { name: "h".to_owned(), events: vec!["test".to_owned()], ..Hook::default() }],
            apply_method: "ssa".to_owned(),
            ..Release::default()
        };
        release.info.status = Status::PendingUpgrade;
        release.info.last_deployed = Time::parse("2026-11-03T01:02:03.5Z");
        let wanted = concat!(
            r#"{"name":"a","info":{"last_deployed":"2026-11-03T01:02:03.5Z","status":"pending-upgrade"},"#,
            r#""chart":{"metadata":{"name":"c"},"lock":null},"config":{"k":"\u003cv\u003e"},"manifest":"---\n","#,
            r#""hooks":[{"name":"h","events":["test"],"last_run":{"phase":""}}],"version":2,"namespace":"n","#,
            r#""apply_method":"ssa"}"#
        );
        assert_eq!(release.to_go_json(), wanted);
        let read = decode(&encode(&release).expect("it is packed")).expect("it is unpacked");
        assert_eq!(read.to_go_json(), wanted);
        assert_eq!(decode(&STANDARD.encode(wanted)).expect("plain ones are read").to_go_json(), wanted);
    }

    #[test]
    fn what_is_no_release_is_refused() {
        for text in ["", "!", "bm90IGpzb24=", "H4sIAAAA", "MQ==", "eyJuYW1lIjp9"] {
            assert!(decode(text).is_err(), "{text}");
        }
    }
}
