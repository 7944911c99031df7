//! One listing as of one revision: its items in their order, and how many there are.
//!
//! The indexes say which resources may be items and in which order they come; the documents are read when no lock is held.
//! What has changed since the revision of the listing is read as it was.

use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;
use parking_lot::Mutex;
use roaring::RoaringBitmap;
use tokio_util::sync::CancellationToken;

use crate::registry::error::{Costs, Error};
use crate::registry::index::secondary::KindIndex;
use crate::registry::query::computed::Needs;
use crate::registry::query::counting::{Counting, Number};
use crate::registry::query::explain::Plan;
use crate::registry::query::filter::Filter;
use crate::registry::query::order::{Order, Place};
use crate::registry::query::page::HasRoom;
use crate::registry::query::plan::costs::{changed_max, reads_max, sorted_max};
use crate::registry::query::plan::under::Trees;
use crate::registry::query::plan::{Found, Planner};
use crate::registry::read::read_mask::{Days, ReadMask};
use crate::registry::read::reader::Reader;
use crate::registry::resource::name::{Name, short};
use crate::registry::resource::stamp;
use crate::registry::schema::KindId;
use crate::store::Revision;

/// So many tests of a filter are told of in an error.
const TESTS_TOLD_MAX: usize = 3;
/// So many documents are read before it is looked whether anybody still waits for them.
const READS_AT_ONCE: usize = 256;

/// What is listed.
#[derive(Debug, Clone)]
pub(crate) struct Listed {
    pub(crate) kind: KindId,
    /// As of this revision, which the indexes hold.
    pub(crate) at: Revision,
    pub(crate) filter: Filter,
    pub(crate) show_deleted: bool,
    pub(crate) order: Order,
    /// The days that it is about.
    pub(crate) days: Days,
}

/// One listing, as of one revision.
pub(crate) struct Listing {
    reader: Reader,
    listed: Listed,
    trees: Trees,
    /// Where resources stand whose documents had to be read for it; `None`: they are no items.
    read: HashMap<Arc<str>, Option<Place>>,
    /// What the indexes knew, and as of which version of them: a page asks for it several times.
    known: Mutex<Option<(u64, Arc<Known>)>>,
    /// Cancelled once nobody waits for the items any more.
    cancelled: CancellationToken,
}

/// An item of a listing.
pub(crate) struct Item {
    pub(crate) place: Place,
    pub(crate) document: Bytes,
}

/// What may be an item.
pub(crate) struct Candidate {
    pub(crate) place: Place,
    /// Whether it is one.
    certain: bool,
}

/// What the indexes know of a listing.
struct Known {
    found: Found,
    /// What has to be read as it was.
    changed: RoaringBitmap,
}

impl Listing {
    /// A listing, which has read nothing yet but the trees that its filter asks about.
    pub(crate) fn new(reader: &Reader, listed: Listed, cancelled: &CancellationToken) -> Result<Self, Error> {
        let trees = Trees::of(reader, listed.filter.expression(), listed.at)?;
        let (reader, cancelled) = (reader.clone(), cancelled.clone());
        Ok(Self { reader, listed, trees, read: HashMap::new(), known: Mutex::new(None), cancelled })
    }

    /// Holds as little as can be until something is asked again.
    pub(crate) fn rest(&mut self) {
        *self.known.get_mut() = None;
    }

    /// The next items behind a place, as far as `mask` means them: at most `size`, of about `bytes`, and as many as there
    /// is room for. And whether there are more.
    ///
    /// # Errors
    /// `Busy` if there is no room for the first.
    pub(crate) fn take(
        &mut self,
        after: Option<Place>,
        size: usize,
        bytes: usize,
        mask: &ReadMask,
        has_room: HasRoom<'_>,
    ) -> Result<(Vec<Item>, bool), Error> {
        let mut items: Vec<Item> = Vec::new();
        let (mut taken, mut more) = (0, false);
        let schemas = self.reader.schemas.clone();
        let Listed { kind, days, .. } = self.listed;
        self.walk(after, size + 1, &mut |item| {
            if items.len() == size || taken >= bytes {
                more = true;
                return Ok(false);
            }
            let document = mask.answer(&schemas, kind, item.document, days, true);
            if !has_room(document.len()) {
                more = true;
                return Ok(false);
            }
            taken += document.len();
            items.push(Item { document, ..item });
            Ok(true)
        })?;
        if more && items.is_empty() { Err(Error::Busy) } else { Ok((items, more)) }
    }

    /// Hands the items behind a place to `each` until it says that it has enough. So many are looked up at once.
    pub(crate) fn walk(
        &mut self,
        mut after: Option<Place>,
        chunk: usize,
        each: &mut dyn FnMut(Item) -> Result<bool, Error>,
    ) -> Result<(), Error> {
        loop {
            let candidates = self.candidates(after.as_ref(), chunk)?;
            let complete = candidates.len() < chunk;
            for candidate in candidates {
                if let Some(document) = self.document(&candidate)?
                    && !each(Item { place: candidate.place.clone(), document })?
                {
                    return Ok(());
                }
                after = Some(candidate.place);
            }
            if complete {
                return Ok(());
            }
        }
    }

    /// The document of a candidate as of the revision of the listing, if it is an item.
    pub(crate) fn document(&self, candidate: &Candidate) -> Result<Option<Bytes>, Error> {
        match candidate.certain {
            true => self.stored(&candidate.place.name),
            false => self.selected(&candidate.place.name),
        }
    }

    /// The document of this name as of the revision of the listing, if it is one of an item.
    pub(crate) fn selected(&self, name: &str) -> Result<Option<Bytes>, Error> {
        Ok(self.stored(name)?.filter(|document| self.selects(document)))
    }

    fn stored(&self, name: &str) -> Result<Option<Bytes>, Error> {
        let name = Name::stored(self.listed.kind, name.into());
        Ok(self.reader.get(&name, self.listed.at)?.map(|(_, document)| document))
    }

    /// Where the resource of this name stands, if it was there; an item or not.
    pub(crate) fn place(&self, name: &str) -> Result<Option<Place>, Error> {
        let document = self.stored(name)?;
        Ok(document.map(|document| self.place_of(document, name)))
    }

    fn place_of(&self, document: Bytes, name: &str) -> Place {
        let order = &self.listed.order;
        order.place_of(&self.reader.schemas, &self.answered(document, order.needs()), name)
    }

    /// A stored document with what is asked of it that is computed.
    fn answered(&self, document: Bytes, needs: Needs) -> Bytes {
        needs.answered(&self.reader.schemas, self.listed.kind, document, self.listed.days)
    }

    fn selects(&self, document: &Bytes) -> bool {
        let filter = &self.listed.filter;
        (self.listed.show_deleted || !stamp::is_deleted(document))
            && filter.selects(&self.reader.schemas, &self.answered(document.clone(), filter.needs()), &self.trees)
    }

    /// Fails if it would read too much to find its items: a page may need all of that.
    pub(crate) fn check_costs(&self) -> Result<(), Error> {
        let Some(index) = self.reader.index.secondary().kind(self.listed.kind) else { return Ok(()) };
        let known = self.known(&index);
        let reads = known.found.open.len() + known.changed.len();
        if reads > reads_max() { Err(self.too_many_reads(&index, reads, &known.changed)) } else { Ok(()) }
    }

    /// How many items there are.
    pub(crate) fn count(&self) -> Result<usize, Error> {
        let mut number = Number(0);
        self.count_with(&mut number)?;
        Ok(number.0)
    }

    /// Hands all items to `counting`.
    ///
    /// # Errors
    /// Too many of them would have to be read.
    pub(crate) fn count_with(&self, counting: &mut dyn Counting) -> Result<(), Error> {
        let unread: Vec<Arc<str>> = {
            let Some(index) = self.reader.index.secondary().kind(self.listed.kind) else { return Ok(()) };
            let known = self.known(&index);
            let Known { found, changed } = &*known;
            let unknown = &counting.unknown(&index, &found.certain) & &found.certain;
            let unread = &found.open | changed | &unknown;
            if unread.len() > reads_max() {
                return Err(self.too_many_reads(&index, unread.len(), changed));
            }
            counting.count(&index, &(&found.certain - unknown))?;
            unread.iter().map(|row| index.name(row).clone()).collect()
        };
        for name in unread {
            if self.cancelled.is_cancelled() {
                return Err(Error::Cancelled);
            }
            if let Some(document) = self.selected(&name)? {
                counting.read(&self.answered(document, counting.needs()))?;
            }
        }
        Ok(())
    }

    /// How the listing is found, in pages of so many items; if none are asked for, in no order.
    pub(crate) fn explain(&self, size: usize) -> Plan {
        let Some(index) = self.reader.index.secondary().kind(self.listed.kind) else { return Plan::default() };
        let (all, changed) = self.all(&index);
        let planner = self.planner(&index);
        let tests = planner.explain(self.listed.filter.expression(), &all);
        let found = planner.find(self.listed.filter.expression(), all);
        let candidates = found.certain.len() + found.open.len() + changed.len();
        let order = &self.listed.order;
        let moved = order.moved(&index, self.listed.days).map(|(_, moved)| moved & (&found.certain | &found.open));
        let sorted = match order.unindexed(&index) {
            Some(_) => candidates,
            None => moved.map_or(0, |moved| moved.len()),
        };
        let cost = (found.open.len() + changed.len()).max(sorted);
        Plan {
            tests,
            found: found.certain.len(),
            open: found.open.len(),
            changed: changed.len(),
            order: if size == 0 { String::new() } else { self.listed.order.explain(&index, candidates, size) },
            cost,
            cost_max: if sorted > 0 { sorted_max() } else { reads_max() },
        }
    }

    /// The next candidates behind a place, at most `limit`.
    pub(crate) fn candidates(&mut self, after: Option<&Place>, limit: usize) -> Result<Vec<Candidate>, Error> {
        loop {
            if self.cancelled.is_cancelled() {
                return Err(Error::Cancelled);
            }
            let unread = match self.look_up(after, limit)? {
                Ok(candidates) => return Ok(candidates),
                Err(unread) => unread,
            };
            for (names_read, name) in unread.into_iter().enumerate() {
                if names_read % READS_AT_ONCE == 0 && self.cancelled.is_cancelled() {
                    return Err(Error::Cancelled);
                }
                let place = self.selected(&name)?.map(|document| self.place_of(document, &name));
                self.read.insert(name, place);
            }
        }
    }

    /// The next candidates, as far as the indexes know them; or else the names of those that have to be read before.
    fn look_up(&self, after: Option<&Place>, limit: usize) -> Result<Result<Vec<Candidate>, Vec<Arc<str>>>, Error> {
        let order = &self.listed.order;
        let Some(index) = self.reader.index.secondary().kind(self.listed.kind) else { return Ok(Ok(Vec::new())) };
        let known = self.known(&index);
        let Known { found: Found { certain, open }, changed } = &*known;
        let mut candidates = certain | open;
        let mut to_read = RoaringBitmap::new();
        if let Some(term) = order.unindexed(&index) {
            to_read = std::mem::take(&mut candidates) | changed;
            if to_read.len() > sorted_max() {
                let costs = Costs::Order { path: term.text.clone(), reads: to_read.len(), max: sorted_max() };
                return Err(Error::TooCostly(costs));
            }
        } else if order.is_by_name() {
            // Where they stand has not changed: they are read when it is their turn.
            candidates |= changed;
        } else {
            if changed.len() > changed_max() {
                let costs = Costs::Changes { revision: self.listed.at, reads: changed.len(), max: changed_max() };
                return Err(Error::TooCostly(costs));
            }
            to_read |= changed;
            if let Some((term, moved)) = order.moved(&index, self.listed.days) {
                // They stand elsewhere on the day that is asked about.
                let moved = moved & &candidates;
                if moved.len() > sorted_max() {
                    let costs = Costs::Day { path: term.text.clone(), reads: moved.len(), max: sorted_max() };
                    return Err(Error::TooCostly(costs));
                }
                candidates -= &moved;
                to_read |= moved;
            }
        }
        let unread = to_read.iter().map(|row| index.name(row)).filter(|name| !self.read.contains_key(*name));
        let unread: Vec<Arc<str>> = unread.cloned().collect();
        if !unread.is_empty() {
            return Ok(Err(unread));
        }
        let rows = order.next(&index, &candidates, after, limit);
        let of_index = rows
            .into_iter()
            .map(|row| Candidate { place: order.place_in(&index, row), certain: certain.contains(row) });
        let of_read = to_read.iter().filter_map(|row| self.read.get(index.name(row))).flatten();
        let of_read = of_read.filter(|place| after.is_none_or(|after| order.compare(place, after).is_gt()));
        let mut merged: Vec<Candidate> =
            of_index.chain(of_read.map(|place| Candidate { place: place.clone(), certain: true })).collect();
        if !to_read.is_empty() {
            merged.sort_unstable_by(|one, other| order.compare(&one.place, &other.place));
            merged.truncate(limit);
        }
        Ok(Ok(merged))
    }

    /// What the indexes know of the filter.
    fn known(&self, index: &KindIndex) -> Arc<Known> {
        let mut last = self.known.lock();
        if let Some((version, known)) = &*last
            && *version == index.version()
        {
            return known.clone();
        }
        let (all, changed) = self.all(index);
        let found = self.planner(index).find(self.listed.filter.expression(), all);
        let known = Arc::new(Known { found, changed });
        *last = Some((index.version(), known.clone()));
        known
    }

    fn planner<'a>(&'a self, index: &'a KindIndex) -> Planner<'a> {
        Planner { index, trees: &self.trees, days: self.listed.days }
    }

    /// The resources that are as they were, live ones or all; and those that are not.
    fn all(&self, index: &KindIndex) -> (RoaringBitmap, RoaringBitmap) {
        let count = index.count_at(self.listed.at);
        let mut all = match self.listed.show_deleted {
            true => (0..count).collect(),
            false => index.live().clone(),
        };
        all.remove_range(count..);
        let changed = index.changed_since(self.listed.at);
        if !changed.is_empty() {
            all -= &changed;
        }
        (all, changed)
    }

    fn too_many_reads(&self, index: &KindIndex, reads: u64, changed: &RoaringBitmap) -> Error {
        let max = reads_max();
        if changed.len() > reads / 2 {
            return Error::TooCostly(Costs::Changes { revision: self.listed.at, reads, max });
        }
        let planner = self.planner(index);
        let tests = planner.explain(self.listed.filter.expression(), &RoaringBitmap::new());
        // The first of them, each as far as an error has room for it.
        let tests = tests.iter().filter(|test| !test.indexed).take(TESTS_TOLD_MAX);
        let tests: Vec<_> = tests.map(|test| short(&test.text)).collect();
        Error::TooCostly(if tests.is_empty() {
            Costs::Count { reads, max }
        } else {
            Costs::Filter { tests, reads, max }
        })
    }
}
