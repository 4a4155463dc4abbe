//! PEM: DER in text between two lines that say what it is.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// A block of `kind`, as Go's encoding/pem writes it.
pub(super) fn encode(kind: &str, der: &[u8]) -> String {
    let body = STANDARD.encode(der);
    let mut out = format!("-----BEGIN {kind}-----\n");
    let mut rest = body.as_str();
    while !rest.is_empty() {
        let (line, after) = rest.split_at(rest.len().min(64));
        out.push_str(line);
        out.push('\n');
        rest = after;
    }
    out.push_str(&format!("-----END {kind}-----\n"));
    out
}

/// The first block of a text: what it is, and its DER.
pub(super) fn decode(text: &[u8]) -> Option<(String, Vec<u8>)> {
    let text = String::from_utf8_lossy(text);
    let mut lines = text.lines().map(str::trim_end);
    while let Some(line) = lines.next() {
        let Some(kind) = line.strip_prefix("-----BEGIN ").and_then(|line| line.strip_suffix("-----")) else {
            continue;
        };
        let end = format!("-----END {kind}-----");
        let mut body = String::new();
        let mut ended = false;
        // A block that is none does not hide one behind it.
        for line in lines.clone() {
            if line == end {
                ended = true;
                break;
            }
            // `Proc-Type: 4,ENCRYPTED` and the like stand before the body.
            if !line.contains(':') {
                body.extend(line.chars().filter(|c| !c.is_ascii_whitespace()));
            }
        }
        if ended && let Ok(der) = STANDARD.decode(&body) {
            return Some((kind.to_owned(), der));
        }
    }
    None
}
