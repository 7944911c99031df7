//! Listing: pages of one kind, in an order, as of one revision.
//!
//! A listing is pinned to the revision of its first page, and a page goes on after the key of the last item, so pages
//! neither skip nor repeat anything, whatever is written meanwhile, and each costs the same.

use std::sync::Arc;

use bytes::Bytes;

use crate::registry::error::Error;
use crate::registry::index::{Order, OrderKey, key};
use crate::registry::query::filter::Filter;
use crate::registry::query::page_token::{PageTokens, Position};
use crate::registry::read::reader::{Point, Reader};
use crate::registry::resource::document;
use crate::registry::resource::name::Name;
use crate::registry::schema::KindId;
use crate::store::Revision;
use crate::time::Time;

/// The page size if none is asked for.
pub(crate) const PAGE_SIZE_DEFAULT: usize = 50;
/// The largest page: more is taken as this.
pub(crate) const PAGE_SIZE_MAX: usize = 1_000;
/// A page ends when it has this many bytes: with one more resource it stays below the 4 MiB that clients take.
pub(crate) const PAGE_BYTES_MAX: usize = 2 << 20;

/// How many resources are asked of sled at once.
const READ_AT_ONCE: usize = 100;

/// What to list.
#[derive(Debug, Clone)]
pub struct ListRequest {
    /// The kind.
    pub kind: KindId,
    /// The most items. 0: the default.
    pub page_size: i32,
    /// Where to go on. Empty: at the beginning.
    pub page_token: String,
    /// Which items.
    pub filter: String,
    /// In which order.
    pub order_by: String,
    /// Deleted ones too.
    pub show_deleted: bool,
    /// As of when.
    pub point: Point,
}

impl ListRequest {
    /// All live resources of a kind, by name, at the head.
    #[must_use]
    pub fn all(kind: KindId) -> Self {
        Self {
            kind,
            page_size: 0,
            page_token: String::new(),
            filter: String::new(),
            order_by: String::new(),
            show_deleted: false,
            point: Point::Head,
        }
    }
}

/// A page.
#[derive(Debug)]
pub struct Page {
    /// The documents.
    pub documents: Vec<Bytes>,
    /// Where to go on. Empty: nowhere.
    pub next_page_token: String,
    /// The revision that all pages show.
    pub revision: Revision,
    /// How many items the whole listing has.
    pub total: usize,
}

/// The page size that a request means.
pub(crate) fn page_size(asked: i32) -> Result<usize, Error> {
    match usize::try_from(asked) {
        Err(_) => Err(Error::invalid("page_size", format!("must not be negative, and is {asked}"))),
        Ok(0) => Ok(PAGE_SIZE_DEFAULT),
        Ok(size) => Ok(size.min(PAGE_SIZE_MAX)),
    }
}

/// The order that a request means, and whether it descends.
fn order(text: &str) -> Result<(Order, bool), Error> {
    let mut words = text.split_whitespace();
    let order = match words.next() {
        None | Some("name") => Order::Name,
        Some("display_name") => Order::DisplayName,
        Some("create_time") => Order::CreateTime,
        Some("update_time") => Order::UpdateTime,
        Some(_) => return Err(order_rule(text)),
    };
    match (words.next(), words.next()) {
        (None, _) => Ok((order, false)),
        (Some("asc"), None) => Ok((order, false)),
        (Some("desc"), None) => Ok((order, true)),
        _ => Err(order_rule(text)),
    }
}

fn order_rule(text: &str) -> Error {
    let rule = "is one of name, display_name, create_time, update_time, with ' desc' for descending";
    Error::invalid("order_by", format!("{rule}; {:?} is not", crate::registry::resource::name::short(text)))
}

/// A point as bytes, for binding a page token to it.
fn point_bytes(point: Point) -> Vec<u8> {
    match point {
        Point::Head => vec![0],
        Point::Revision(revision) => [&[1][..], &revision.to_be_bytes()].concat(),
        Point::Time(time) => [&[2][..], &time.sort_key()].concat(),
    }
}

/// One listing, as of one revision.
pub(crate) struct Listing<'a> {
    pub(crate) reader: &'a Reader,
    pub(crate) kind: KindId,
    pub(crate) at: Revision,
    pub(crate) filter: Filter,
    pub(crate) show_deleted: bool,
    pub(crate) order: Order,
    pub(crate) descending: bool,
}

/// An item of a listing.
pub(crate) struct Item {
    pub(crate) key: OrderKey,
    pub(crate) document: Bytes,
}

/// Answers a page.
pub(crate) fn page(reader: &Reader, tokens: &PageTokens, request: &ListRequest) -> Result<Page, Error> {
    let size = page_size(request.page_size)?;
    let (order, descending) = order(&request.order_by)?;
    let filter =
        Filter::parse(&reader.schemas, request.kind, &request.filter).map_err(|rule| Error::invalid("filter", rule))?;
    let arguments: [&[u8]; 6] = [
        b"list",
        reader.schemas.kind(request.kind).collection.as_bytes(),
        request.filter.as_bytes(),
        request.order_by.as_bytes(),
        &[u8::from(request.show_deleted)],
        &point_bytes(request.point),
    ];
    let position = match request.page_token.as_str() {
        "" => None,
        token => Some(tokens.open(token, &arguments)?),
    };
    let at = match &position {
        Some(position) => position.revision,
        None => reader.resolve(request.point)?,
    };
    let after = position.as_ref().map(|position| decode_key(&position.key));
    let listing =
        Listing { reader, kind: request.kind, at, filter, show_deleted: request.show_deleted, order, descending };
    let (items, more) = listing.take(after.as_ref(), size, PAGE_BYTES_MAX)?;
    let total = match &position {
        Some(position) => usize::try_from(position.total).unwrap_or(usize::MAX),
        None if !more => items.len(),
        None => listing.count()?,
    };
    let next_page_token = match items.last() {
        Some(last) if more => {
            let position = Position { revision: at, key: encode_key(&last.key), total: total as u64 };
            tokens.seal(&position, &arguments)?
        }
        _ => String::new(),
    };
    let documents = items.into_iter().map(|item| item.document).collect();
    Ok(Page { documents, next_page_token, revision: at, total })
}

fn encode_key(key: &OrderKey) -> Vec<u8> {
    [&(key.value.len() as u64).to_be_bytes()[..], &key.value, key.name.as_bytes()].concat()
}

fn decode_key(bytes: &[u8]) -> OrderKey {
    let (length, rest) =
        bytes.split_first_chunk::<8>().map_or((0, &[][..]), |(length, rest)| (u64::from_be_bytes(*length), rest));
    let (value, name) = rest.split_at_checked(usize::try_from(length).unwrap_or(0)).unwrap_or_default();
    key(value, &Arc::from(String::from_utf8_lossy(name).as_ref()))
}

impl Listing<'_> {
    /// The next items after `after`: at most `size`, and of about `bytes`. And whether there are more.
    pub(crate) fn take(&self, after: Option<&OrderKey>, size: usize, bytes: usize) -> Result<(Vec<Item>, bool), Error> {
        let mut items: Vec<Item> = Vec::new();
        let mut taken = 0;
        let mut more = false;
        self.walk(after, size + 1, &mut |item| {
            if items.len() == size || taken >= bytes {
                more = true;
                return false;
            }
            taken += item.document.len();
            items.push(item);
            true
        })?;
        Ok((items, more))
    }

    /// How many items there are.
    fn count(&self) -> Result<usize, Error> {
        if self.filter.is_empty() {
            let index = self.reader.index.read();
            if index.head == self.at {
                return Ok(index.count(self.kind, self.show_deleted));
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
            let keys = self.next_keys(last.as_ref(), chunk);
            let Some(end) = keys.last() else { return Ok(()) };
            last = Some(end.clone());
            let complete = keys.len() < chunk;
            for keys in keys.chunks(READ_AT_ONCE) {
                let names: Vec<Arc<str>> = keys.iter().map(|key| key.name.clone()).collect();
                for (key, found) in keys.iter().zip(self.reader.get_many(self.kind, &names, self.at)?) {
                    if let Some(document) = found.and_then(|(_, document)| self.shown(document))
                        && !each(Item { key: key.clone(), document })
                    {
                        return Ok(());
                    }
                }
            }
            if complete {
                return Ok(());
            }
        }
    }

    fn next_keys(&self, after: Option<&OrderKey>, chunk: usize) -> Vec<OrderKey> {
        let index = self.reader.index.read();
        match self.order {
            Order::Name => {
                let after = after.map(|key| key.name.as_ref());
                let names = index.names_after(self.kind, after, self.descending, chunk);
                names.iter().map(|name| key(&[], name)).collect()
            }
            order @ (Order::DisplayName | Order::CreateTime | Order::UpdateTime) => {
                index.keys_after(self.kind, order, after, self.descending, self.at, chunk)
            }
        }
    }

    /// The document of `name` as of the revision of the listing, if the listing has it.
    fn read(&self, name: &Arc<str>) -> Result<Option<Bytes>, Error> {
        let name = Name::stored(self.kind, name.clone());
        let Some((_, document)) = self.reader.get(&name, self.at)? else { return Ok(None) };
        Ok(self.shown(document))
    }

    fn shown(&self, document: Bytes) -> Option<Bytes> {
        let shown = self.show_deleted || !document::is_deleted(&document);
        (shown && self.filter.selects(&document)).then_some(document)
    }

    /// The order of a past that the index does not know any more: everything is read and sorted.
    fn walk_sorted(&self, after: Option<&OrderKey>, each: &mut dyn FnMut(Item) -> bool) -> Result<(), Error> {
        let by_name = Listing { order: Order::Name, descending: false, filter: self.filter.clone(), ..*self };
        let mut keys = Vec::new();
        by_name.walk(None, PAGE_SIZE_MAX, &mut |item| {
            let value: Vec<u8> = match self.order {
                Order::Name => Vec::new(),
                Order::DisplayName => document::display_name(&item.document).into(),
                Order::CreateTime => create_time(&item.document).sort_key().into(),
                Order::UpdateTime => document::revision(&item.document).to_be_bytes().into(),
            };
            keys.push(key(&value, &item.key.name));
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

pub(crate) fn create_time(document: &[u8]) -> Time {
    document::create_time(document)
}
