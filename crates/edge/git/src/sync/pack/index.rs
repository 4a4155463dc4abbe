//! The index of a pack, in Git's second version, as `gitformat-pack` describes it.

use super::{Entry, broken};
use gix::ObjectId;
use std::io::Result;

/// Offsets from here on do not fit into 31 bits, and are in a table of their own.
const LARGE: u64 = 1 << 31;

/// The bytes of the index of these entries, all of which are known.
pub(super) fn encode(entries: &[Entry], pack: ObjectId) -> Result<Vec<u8>> {
    let mut sorted = Vec::with_capacity(entries.len());
    for entry in entries {
        let (_, id) = entry.known.ok_or_else(|| broken(format!("what is at {} is not known", entry.offset)))?;
        sorted.push((id, entry));
    }
    sorted.sort_unstable_by_key(|(id, entry)| (*id, entry.offset));
    let mut bytes = Vec::with_capacity(8 + 4 * 256 + sorted.len() * 28 + 40);
    bytes.extend_from_slice(b"\xfftOc");
    bytes.extend_from_slice(&2u32.to_be_bytes());
    let mut up_to = 0;
    for first in 0..=u8::MAX {
        up_to += sorted[up_to..].partition_point(|(id, _)| id.first_byte() <= first);
        bytes.extend_from_slice(&(up_to as u32).to_be_bytes());
    }
    sorted.iter().for_each(|(id, _)| bytes.extend_from_slice(id.as_bytes()));
    sorted.iter().for_each(|(_, entry)| bytes.extend_from_slice(&entry.crc.to_be_bytes()));
    let mut large = Vec::new();
    for (_, entry) in &sorted {
        let offset = if entry.offset < LARGE {
            entry.offset as u32
        } else {
            large.extend_from_slice(&entry.offset.to_be_bytes());
            (large.len() / 8 - 1) as u32 | LARGE as u32
        };
        bytes.extend_from_slice(&offset.to_be_bytes());
    }
    bytes.extend_from_slice(&large);
    bytes.extend_from_slice(pack.as_bytes());
    let mut hasher = gix::hash::hasher(gix::hash::Kind::Sha1);
    hasher.update(&bytes);
    bytes.extend_from_slice(hasher.try_finalize().map_err(super::refused)?.as_bytes());
    Ok(bytes)
}
