//! A pack that a server sends, kept and indexed while it comes: [`keep`].
//!
//! Each entry is inflated once, where gix would do it twice: to find its end, and to learn its name. What was inflated lately is
//! at hand for the deltas that lean on it, which servers send soon after; deltas whose base is not at hand any more, or only
//! comes later, are told apart and resolved at the end, where each entry that they need is inflated once more.
//!
//! A pack may be anybody's. It is refused where it is cut off or goes on after its end, where its checksum is another, where an
//! entry has another size than it says, where a delta leads out of its base or leans on what is not in the pack, and where
//! more would have to be in memory than [`Limits`] allow. Names are computed with the detection of collisions that gix has.

mod delta;
mod index;
mod late;
mod stream;

use gix::ObjectId;
use gix::objs::{Kind, compute_hash};
use gix::odb::pack::data::entry::Header;
use late::Late;
use std::fs::{self, OpenOptions};
use std::io::{Error, ErrorKind, Read, Result};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use stream::Stream;

/// How much is held in memory.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// Bytes of what was inflated lately.
    recent: usize,
    /// Bytes of files that are as large are named while they are inflated.
    whole: u64,
    /// Bytes of anything that must be whole in memory: all that is no file, and whatever a delta needs or makes.
    single: u64,
    /// Bytes of bases at once, at the end.
    bases: usize,
}

impl Default for Limits {
    fn default() -> Self {
        const MIB: usize = 1 << 20;
        // Git takes half a gigabyte for too large for deltas (`core.bigFileThreshold`).
        Self { recent: 16 * MIB, whole: 4 * MIB as u64, single: 512 * MIB as u64, bases: 1024 * MIB }
    }
}

/// Keeps the pack that `reader` gives in the folder `into`, with its index, and tells where; `None` if nothing is in it. Whoever
/// waits is told by `beat` that it gets on, and ends it by an error.
pub(super) fn keep(
    reader: &mut dyn Read,
    into: &Path,
    limits: Limits,
    beat: &dyn Fn() -> Result<()>,
) -> Result<Option<PathBuf>> {
    // Git's modes: nobody writes to them any more.
    let create = |path: &Path| OpenOptions::new().read(true).write(true).create_new(true).mode(0o444).open(path);
    let begun = into.join("tmp_pack_received");
    let _ = fs::remove_file(&begun);
    let file = create(&begun)?;
    let mut pack = Pack { entries: Vec::new(), recent: Recent::new(limits.recent), limits, object: Vec::new() };
    let mut stream = Stream::tapped(reader, &file);
    let count = stream.begin()?;
    let mut late = Late::default();
    for _ in 0..count {
        beat()?;
        pack.receive(&mut stream, &mut late)?;
    }
    let (end, checksum) = stream.finish()?;
    late.resolve(&mut pack, &file, end, beat)?;
    drop(file);
    if pack.entries.is_empty() {
        fs::remove_file(begun)?;
        return Ok(None);
    }
    let data = into.join(format!("pack-{checksum}.pack"));
    let index = data.with_extension("idx");
    let bytes = index::encode(&pack.entries, checksum)?;
    let _ = fs::remove_file(&index);
    std::io::Write::write_all(&mut create(&index)?, &bytes)?;
    fs::rename(begun, &data)?;
    Ok(Some(data))
}

/// What is wrong with a pack.
fn broken(why: impl Into<String>) -> Error {
    Error::new(ErrorKind::InvalidData, format!("the server's pack is broken: {}", why.into()))
}

fn too_large(what: &str) -> Error {
    Error::new(ErrorKind::OutOfMemory, format!("the server's pack is refused: {what} would take too much memory"))
}

/// What is known of a pack so far.
struct Pack {
    /// In the order in which they come, which is that of their offsets.
    entries: Vec<Entry>,
    recent: Recent,
    limits: Limits,
    /// What the last delta has made.
    object: Vec<u8>,
}

struct Entry {
    offset: u64,
    /// Of the bytes in the pack.
    crc: u32,
    base: Base,
    /// What it is, once that is known.
    known: Option<(Kind, ObjectId)>,
    /// Where it is among what was inflated lately, if it still is there.
    recent: Option<Place>,
}

/// What an entry leans on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Base {
    None,
    /// This entry.
    Entry(usize),
    /// The one of this name, wherever it is.
    Id(ObjectId),
}

impl Pack {
    /// Takes the next entry.
    fn receive(&mut self, stream: &mut Stream<'_>, late: &mut Late) -> Result<()> {
        let header = stream.header()?;
        let offset = header.pack_offset();
        let size = header.decompressed_size;
        let mut entry = Entry { offset, crc: 0, base: Base::None, known: None, recent: None };
        match header.header {
            Header::OfsDelta { base_distance } => {
                let base = offset.checked_sub(base_distance).filter(|_| base_distance > 0);
                let base = base.and_then(|base| self.entries.binary_search_by_key(&base, |entry| entry.offset).ok());
                let no_base = || broken(format!("at {offset} is a delta of what is no entry"));
                entry.base = Base::Entry(base.ok_or_else(no_base)?);
            }
            Header::RefDelta { base_id } => {
                entry.base = late.entry_of(&self.entries, base_id).map_or(Base::Id(base_id), Base::Entry);
            }
            _ => {}
        }
        match header.header.as_kind() {
            Some(Kind::Blob) if size >= self.limits.whole => {
                let mut hasher = gix::hash::hasher(gix::hash::Kind::Sha1);
                hasher.update(&gix::objs::encode::loose_header(Kind::Blob, size));
                stream.inflate_by(size, |part| hasher.update(part))?;
                entry.known = Some((Kind::Blob, hasher.try_finalize().map_err(refused)?));
            }
            Some(kind) => {
                let object = stream.inflate(self.single(size)?)?;
                entry.known = Some((kind, named(kind, object)?));
                entry.recent = self.recent.add(object);
            }
            None => {
                let delta = stream.inflate(self.single(size)?)?;
                let at_hand = match entry.base {
                    Base::Entry(base) => self.entries.get(base).and_then(|base| {
                        let (kind, _) = base.known?;
                        Some((kind, self.recent.get(base.recent?)?))
                    }),
                    _ => None,
                };
                if let Some((kind, base)) = at_hand {
                    delta::apply(base, delta, self.limits.single, &mut self.object)?;
                    entry.known = Some((kind, named(kind, &self.object)?));
                    entry.recent = self.recent.add(&self.object);
                } else {
                    late.add(self.entries.len());
                }
            }
        }
        entry.crc = stream.crc();
        late.note(&entry, self.entries.len());
        self.entries.push(entry);
        Ok(())
    }

    fn single(&self, size: u64) -> Result<usize> {
        let allowed = usize::try_from(size).ok().filter(|_| size <= self.limits.single);
        allowed.ok_or_else(|| too_large(&format!("an object of {size} bytes")))
    }
}

fn named(kind: Kind, object: &[u8]) -> Result<ObjectId> {
    compute_hash(gix::hash::Kind::Sha1, kind, object).map_err(refused)
}

/// What gix says of a collision.
fn refused(error: gix::Error) -> Error {
    broken(error.to_string())
}

/// What was inflated lately, one after another.
struct Recent {
    bytes: Vec<u8>,
    /// So many bytes have been dropped before these.
    dropped: u64,
    limit: usize,
}

#[derive(Clone, Copy)]
struct Place {
    at: u64,
    size: usize,
}

impl Recent {
    fn new(limit: usize) -> Self {
        Self { bytes: Vec::new(), dropped: 0, limit }
    }

    /// Where it is now. Something large would drive out everything else.
    fn add(&mut self, object: &[u8]) -> Option<Place> {
        if object.len() > self.limit / 4 {
            return None;
        }
        if self.bytes.len() + object.len() > self.limit {
            let half = self.bytes.len() / 2;
            self.bytes.drain(..half);
            self.dropped += half as u64;
        }
        let at = self.dropped + self.bytes.len() as u64;
        self.bytes.extend_from_slice(object);
        Some(Place { at, size: object.len() })
    }

    fn get(&self, place: Place) -> Option<&[u8]> {
        let begin = usize::try_from(place.at.checked_sub(self.dropped)?).ok()?;
        self.bytes.get(begin..begin.checked_add(place.size)?)
    }
}

#[cfg(test)]
mod tests;
