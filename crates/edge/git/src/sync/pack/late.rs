//! Deltas whose base was not at hand when they came: [`Late`].

use super::stream::Stream;
use super::{Base, Entry, Pack, broken, delta, named, too_large};
use gix::ObjectId;
use gix::objs::Kind;
use std::cell::Cell;
use std::collections::HashMap;
use std::fs::File;
use std::io::Result;
use std::rc::Rc;

/// Those that are to be resolved when all of the pack is there.
#[derive(Default)]
pub(super) struct Late {
    entries: Vec<usize>,
    /// Where what has which name is; from the first delta on that asks for one.
    named: Option<HashMap<ObjectId, usize>>,
}

impl Late {
    pub(super) fn add(&mut self, entry: usize) {
        self.entries.push(entry);
    }

    /// The entry of that name among those that are known so far.
    pub(super) fn entry_of(&mut self, entries: &[Entry], id: ObjectId) -> Option<usize> {
        let all = || entries.iter().enumerate().filter_map(|(at, entry)| Some((entry.known?.1, at))).collect();
        self.named.get_or_insert_with(all).get(&id).copied()
    }

    /// The name of a new entry.
    pub(super) fn note(&mut self, entry: &Entry, at: usize) {
        if let (Some(named), Some((_, id))) = (&mut self.named, entry.known) {
            named.insert(id, at);
        }
    }

    /// Resolves them from `file`, whose entries end at `end`. Each entry that any of them needs is inflated once, its base
    /// before it, and kept as long as something that leans on it is still to come.
    pub(super) fn resolve(self, pack: &mut Pack, file: &File, end: u64, beat: &dyn Fn() -> Result<()>) -> Result<()> {
        if self.entries.is_empty() {
            return Ok(());
        }
        let mut tree = Tree::default();
        let mut is_seen = vec![false; pack.entries.len()];
        for late in self.entries {
            let mut at = late;
            while !std::mem::replace(&mut is_seen[at], true) {
                if let (Base::Id(id), Some(named)) = (pack.entries[at].base, &self.named)
                    && let Some(base) = named.get(&id)
                {
                    pack.entries[at].base = Base::Entry(*base);
                }
                match pack.entries[at].base {
                    Base::None => tree.roots.push(at),
                    Base::Entry(base) => {
                        tree.of_entry.entry(base).or_default().push(at);
                        at = base;
                    }
                    Base::Id(id) => tree.of_id.entry(id).or_default().push(at),
                }
            }
        }
        tree.resolve(pack, file, end, beat)
    }
}

/// What leans on what, as far as it is needed.
#[derive(Default)]
struct Tree {
    roots: Vec<usize>,
    of_entry: HashMap<usize, Vec<usize>>,
    of_id: HashMap<ObjectId, Vec<usize>>,
}

impl Tree {
    fn resolve(mut self, pack: &mut Pack, file: &File, end: u64, beat: &dyn Fn() -> Result<()>) -> Result<()> {
        let held = Rc::new(Cell::new(0));
        let mut stream = Stream::again(file);
        let mut todo: Vec<(usize, Option<Rc<Held>>)> = self.roots.iter().map(|root| (*root, None)).collect();
        while let Some((at, base)) = todo.pop() {
            beat()?;
            let until = pack.entries.get(at + 1).map_or(end, |next| next.offset);
            stream.seek(pack.entries[at].offset, until);
            let header = stream.header()?;
            let read = stream.inflate(pack.single(header.decompressed_size)?)?;
            let (kind, object) = match (header.header.as_kind(), &base) {
                (Some(kind), _) => (kind, read),
                (None, Some(base)) => {
                    delta::apply(&base.object, read, pack.limits.single, &mut pack.object)?;
                    (base.kind, pack.object.as_slice())
                }
                (None, None) => return Err(broken(format!("what is at {} leans on nothing", pack.entries[at].offset))),
            };
            let (_, id) = match pack.entries[at].known {
                Some(known) => known,
                None => (kind, named(kind, object)?),
            };
            let mut leaning = self.of_entry.remove(&at).unwrap_or_default();
            leaning.extend(self.of_id.remove(&id).unwrap_or_default());
            if !leaning.is_empty() {
                let base = Rc::new(Held::new(kind, object, &held, pack.limits.bases)?);
                todo.extend(leaning.into_iter().map(|leaning| (leaning, Some(base.clone()))));
            }
            pack.entries[at].known = Some((kind, id));
        }
        let unknown = pack.entries.iter().filter(|entry| entry.known.is_none()).count();
        match self.of_id.keys().min() {
            Some(id) => Err(broken(format!("{unknown} of its objects lean on {id}, which is not in it"))),
            None => Ok(()),
        }
    }
}

/// A base that others are still to be made of.
struct Held {
    kind: Kind,
    object: Vec<u8>,
    /// The bytes of all that are held.
    all: Rc<Cell<usize>>,
}

impl Held {
    fn new(kind: Kind, object: &[u8], all: &Rc<Cell<usize>>, limit: usize) -> Result<Self> {
        if all.get() + object.len() > limit {
            return Err(too_large("what its deltas lean on"));
        }
        all.set(all.get() + object.len());
        Ok(Self { kind, object: object.to_vec(), all: all.clone() })
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.all.set(self.all.get() - self.object.len());
    }
}
