//! One listing as of one revision: its items in their order, and how many there are.

use std::sync::Arc;

use bytes::Bytes;
use tokio_util::sync::CancellationToken;

use crate::registry::error::Error;
use crate::registry::index::{Order, OrderKey};
use crate::registry::query::filter::Filter;
use crate::registry::query::page::{HasRoom, PAGE_SIZE_MAX};
use crate::registry::read::read_mask::ReadMask;
use crate::registry::read::reader::Reader;
use crate::registry::resource::name::Name;
use crate::registry::resource::stamp;
use crate::registry::schema::KindId;
use crate::store::Revision;

/// One listing, as of one revision.
pub(crate) struct Listing<'a> {
    pub(crate) reader: &'a Reader,
    pub(crate) kind: KindId,
    pub(crate) at: Revision,
    pub(crate) filter: Filter,
    pub(crate) show_deleted: bool,
    pub(crate) order: Order,
    pub(crate) descending: bool,
    /// Cancelled once nobody waits for the items any more.
    pub(crate) cancelled: &'a CancellationToken,
}

/// An item of a listing.
pub(crate) struct Item {
    pub(crate) key: OrderKey,
    pub(crate) document: Bytes,
}

impl Listing<'_> {
    /// The next items after `after`, as far as `mask` means them: at most `size`, of about `bytes`, and as many as there is
    /// room for. And whether there are more.
    ///
    /// # Errors
    /// `Busy` if there is no room for the first.
    pub(crate) fn take(
        &self,
        after: Option<&OrderKey>,
        size: usize,
        bytes: usize,
        mask: &ReadMask,
        has_room: HasRoom<'_>,
    ) -> Result<(Vec<Item>, bool), Error> {
        let mut items: Vec<Item> = Vec::new();
        let mut taken = 0;
        let mut more = false;
        self.walk(after, size + 1, &mut |item| {
            if items.len() == size || taken >= bytes {
                more = true;
                return false;
            }
            let document = mask.apply(&self.reader.schemas, item.document);
            if !has_room(document.len()) {
                more = true;
                return false;
            }
            taken += document.len();
            items.push(Item { document, ..item });
            true
        })?;
        if more && items.is_empty() { Err(Error::Busy) } else { Ok((items, more)) }
    }

    /// How many items there are.
    pub(crate) fn count(&self) -> Result<usize, Error> {
        if self.filter.is_empty() {
            let tables = self.reader.index.read();
            if tables.head() == self.at {
                return Ok(tables.count(self.kind, self.show_deleted));
            }
        }
        let mut count = 0;
        let by_name = Listing { order: Order::Name, descending: false, filter: self.filter.clone(), ..*self };
        by_name.walk(None, PAGE_SIZE_MAX, &mut |_| {
            count += 1;
            true
        })?;
        Ok(count)
    }

    /// Hands the items after `after` to `each` until it says that it has enough.
    pub(crate) fn walk(
        &self,
        after: Option<&OrderKey>,
        chunk: usize,
        each: &mut dyn FnMut(Item) -> bool,
    ) -> Result<(), Error> {
        if self.order != Order::Name && !self.reader.index.read().orders_know(self.at) {
            return self.walk_sorted(after, each);
        }
        let mut last = after.cloned();
        loop {
            if self.cancelled.is_cancelled() {
                return Err(Error::Cancelled);
            }
            let keys = self.next_keys(last.as_ref(), chunk);
            let Some(end) = keys.last() else { return Ok(()) };
            last = Some(end.clone());
            let complete = keys.len() < chunk;
            for key in keys {
                if let Some(document) = self.read(&key.name)?
                    && !each(Item { key, document })
                {
                    return Ok(());
                }
            }
            if complete {
                return Ok(());
            }
        }
    }

    /// The next keys after `after`, in the order of the listing. The listing need not have all that they name.
    pub(crate) fn next_keys(&self, after: Option<&OrderKey>, chunk: usize) -> Vec<OrderKey> {
        self.reader.index.read().keys_after(self.kind, self.order, after, self.descending, self.at, chunk)
    }

    /// The document of `name` as of the revision of the listing, if the listing has it.
    pub(crate) fn read(&self, name: &Arc<str>) -> Result<Option<Bytes>, Error> {
        let name = Name::stored(self.kind, name.clone());
        let Some((_, document)) = self.reader.get(&name, self.at)? else { return Ok(None) };
        let shown = self.show_deleted || !stamp::is_deleted(&document);
        Ok((shown && self.filter.selects(&self.reader.schemas, &document, &*self.reader.index)).then_some(document))
    }

    /// The order of a past that the index does not know any more: everything is read and sorted.
    fn walk_sorted(&self, after: Option<&OrderKey>, each: &mut dyn FnMut(Item) -> bool) -> Result<(), Error> {
        let by_name = Listing { order: Order::Name, descending: false, filter: self.filter.clone(), ..*self };
        let mut keys = Vec::new();
        by_name.walk(None, PAGE_SIZE_MAX, &mut |item| {
            let value: Vec<u8> = match self.order {
                Order::Name => Vec::new(),
                Order::DisplayName => stamp::display_name_key(&item.document).as_bytes().into(),
                Order::CreateTime => stamp::create_time(&item.document).sort_key().into(),
                Order::UpdateTime => stamp::revision(&item.document).to_be_bytes().into(),
            };
            keys.push(OrderKey::new(&value, &item.key.name));
            true
        })?;
        keys.sort_unstable();
        if self.descending {
            keys.reverse();
        }
        let begin = after
            .map_or(0, |after| keys.partition_point(|key| if self.descending { key >= after } else { key <= after }));
        for key in keys.into_iter().skip(begin) {
            if let Some(document) = self.read(&key.name)?
                && !each(Item { key, document })
            {
                break;
            }
        }
        Ok(())
    }
}
