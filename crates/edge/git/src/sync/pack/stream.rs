//! The bytes of a pack, read once: [`Stream`].

use super::broken;
use gix::ObjectId;
use gix::odb::pack::data;
use gix::zlib::{Decompress, FlushDecompress, Status};
use std::fs::File;
use std::io::{ErrorKind, Read, Result, Write};
use std::os::unix::fs::FileExt;

/// So much is read at once.
const PIECE: usize = 1 << 16;
/// An entry's header is no longer.
const LONGEST_HEADER: usize = 64;
/// Room after what is to come: what is longer than it says is seen, and zlib's fast way is only taken where there is some.
const ROOM: usize = 512;

/// Where the bytes come from.
enum Source<'s> {
    /// From the server; what has been read goes to the file.
    Server { reader: &'s mut dyn Read, file: &'s File },
    /// Once more from the file, from here up to there.
    File { file: &'s File, next: u64, end: u64 },
}

/// The bytes of a pack, of which some are in memory.
pub(super) struct Stream<'s> {
    source: Source<'s>,
    buffer: Vec<u8>,
    /// What has been read, but not been used.
    begin: usize,
    end: usize,
    /// Up to here, bytes are hashed and written.
    passed: usize,
    /// Where in the pack `begin` is.
    offset: u64,
    /// Of the current entry.
    crc: crc32fast::Hasher,
    hasher: gix::hash::Hasher,
    inflater: Decompress,
    object: Vec<u8>,
}

impl<'s> Stream<'s> {
    /// What a server sends, which is written to `file`.
    pub(super) fn tapped(reader: &'s mut dyn Read, file: &'s File) -> Self {
        Self::new(Source::Server { reader, file })
    }

    /// What has been written to `file`.
    pub(super) fn again(file: &'s File) -> Self {
        Self::new(Source::File { file, next: 0, end: 0 })
    }

    fn new(source: Source<'s>) -> Self {
        Self {
            source,
            buffer: vec![0; PIECE],
            begin: 0,
            end: 0,
            passed: 0,
            offset: 0,
            crc: crc32fast::Hasher::new(),
            hasher: gix::hash::hasher(gix::hash::Kind::Sha1),
            inflater: Decompress::new(),
            object: Vec::new(),
        }
    }

    /// Reads the pack's own header, and tells how many entries follow.
    pub(super) fn begin(&mut self) -> Result<u32> {
        self.ensure(data::header::SIZE)?;
        let header = self.unused().first_chunk::<{ data::header::SIZE }>().ok_or_else(cut_off)?;
        let (_, count) = data::header::decode(header).map_err(|error| broken(error.to_string()))?;
        self.consume(data::header::SIZE);
        Ok(count)
    }

    /// Goes to the entry at `offset`, which ends at `end`.
    pub(super) fn seek(&mut self, offset: u64, until: u64) {
        if let Source::File { next, end, .. } = &mut self.source {
            (*next, *end) = (offset, until);
        }
        (self.begin, self.end, self.passed, self.offset) = (0, 0, 0, offset);
    }

    /// Reads an entry's header.
    pub(super) fn header(&mut self) -> Result<data::Entry> {
        self.crc = crc32fast::Hasher::new();
        self.ensure(LONGEST_HEADER)?;
        let entry = data::Entry::from_bytes(self.unused(), self.offset, gix::hash::Kind::Sha1);
        let entry = entry.map_err(|error| broken(format!("at {}: {error}", self.offset)))?;
        self.consume(entry.header_size());
        Ok(entry)
    }

    /// Inflates what follows an entry's header, which has this size.
    pub(super) fn inflate(&mut self, size: usize) -> Result<&[u8]> {
        self.inflater.reset();
        let mut done = 0;
        loop {
            // Memory is taken as bytes come, whatever the header says.
            if self.object.len() < done + ROOM {
                self.object.resize(size.min(PIECE.max(done * 2)) + ROOM, 0);
            }
            let (made, is_end) = self.inflate_some(done)?;
            done += made;
            if done > size || is_end && done < size {
                return Err(other_size(self.offset, size as u64));
            }
            if is_end {
                return Ok(&self.object[..size]);
            }
        }
    }

    /// Inflates what follows an entry's header, which has this size, and gives it in parts.
    pub(super) fn inflate_by(&mut self, size: u64, mut take: impl FnMut(&[u8])) -> Result<()> {
        self.inflater.reset();
        self.object.resize(self.object.len().max(PIECE), 0);
        let mut done = 0;
        loop {
            let (made, is_end) = self.inflate_some(0)?;
            take(&self.object[..made]);
            done += made as u64;
            if done > size || is_end && done < size {
                return Err(other_size(self.offset, size));
            }
            if is_end {
                return Ok(());
            }
        }
    }

    /// Inflates as much as there is and has room after the first `done` bytes; how much, and whether that is all.
    fn inflate_some(&mut self, done: usize) -> Result<(usize, bool)> {
        if self.begin == self.end && !self.more()? {
            return Err(cut_off());
        }
        let (input, output) = (self.inflater.total_in(), self.inflater.total_out());
        let status = self.inflater.decompress(
            &self.buffer[self.begin..self.end],
            &mut self.object[done..],
            FlushDecompress::None,
        );
        let status = status.map_err(|error| broken(format!("at {}: {error}", self.offset)))?;
        let used = (self.inflater.total_in() - input) as usize;
        let made = (self.inflater.total_out() - output) as usize;
        self.consume(used);
        let is_end = status == Status::StreamEnd;
        if !is_end && used == 0 && made == 0 && !self.more()? {
            return Err(cut_off());
        }
        Ok((made, is_end))
    }

    /// The check sum of the entry that has been read.
    pub(super) fn crc(&mut self) -> u32 {
        std::mem::take(&mut self.crc).finalize()
    }

    /// Reads the end of the pack: where that begins, and the pack's check sum, which has to be that of all before.
    pub(super) fn finish(mut self) -> Result<(u64, ObjectId)> {
        self.ensure(20)?;
        self.pass()?;
        let told = self.unused().first_chunk::<20>().copied().ok_or_else(cut_off)?;
        let own = std::mem::replace(&mut self.hasher, gix::hash::hasher(gix::hash::Kind::Sha1));
        let own = own.try_finalize().map_err(super::refused)?;
        if own.as_bytes() != told {
            return Err(broken(format!("its check sum is {own}, and not {}", ObjectId::from(told))));
        }
        let end = self.offset;
        self.consume(told.len());
        if self.begin < self.end || self.more()? {
            return Err(broken("it goes on after its end"));
        }
        self.pass()?;
        Ok((end, own))
    }

    fn unused(&self) -> &[u8] {
        &self.buffer[self.begin..self.end]
    }

    fn consume(&mut self, count: usize) {
        self.crc.update(&self.buffer[self.begin..self.begin + count]);
        self.begin += count;
        self.offset += count as u64;
    }

    /// Reads until there are so many bytes, or no others.
    fn ensure(&mut self, count: usize) -> Result<()> {
        while self.end - self.begin < count && self.more()? {}
        Ok(())
    }

    /// Reads what comes next; whether anything did.
    fn more(&mut self) -> Result<bool> {
        self.pass()?;
        self.buffer.copy_within(self.begin..self.end, 0);
        (self.begin, self.end, self.passed) = (0, self.end - self.begin, 0);
        let free = &mut self.buffer[self.end..];
        let read = loop {
            let read = match &mut self.source {
                Source::Server { reader, .. } => reader.read(free),
                Source::File { file, next, end } => {
                    let rest = usize::try_from(end.saturating_sub(*next)).unwrap_or(usize::MAX).min(free.len());
                    file.read_at(&mut free[..rest], *next).inspect(|read| *next += *read as u64)
                }
            };
            match read {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                other => break other?,
            }
        };
        self.end += read;
        Ok(read > 0)
    }

    /// Hashes and writes what has been used.
    fn pass(&mut self) -> Result<()> {
        if let Source::Server { file, .. } = &mut self.source {
            let used = &self.buffer[self.passed..self.begin];
            self.hasher.update(used);
            file.write_all(used)?;
        }
        self.passed = self.begin;
        Ok(())
    }
}

fn cut_off() -> std::io::Error {
    broken("it is cut off")
}

fn other_size(offset: u64, size: u64) -> std::io::Error {
    broken(format!("what ends at {offset} has not the {size} bytes that it says"))
}
