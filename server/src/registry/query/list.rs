//! Listing: a page of one kind, in an order, as of one revision. Here the request is read and the answer is put together;
//! `listing` finds the items.
//!
//! A listing is pinned to the revision of its first page, and a page goes on after the key of the last item, so pages
//! neither skip nor repeat anything, whatever is written meanwhile. Without a filter each page costs the same; with one,
//! a page reads until it is full, and the first reads everything once for `total_size`.

use std::sync::Arc;

use bytes::Bytes;
use tokio_util::sync::CancellationToken;

use crate::registry::error::Error;
use crate::registry::index::{Order, OrderKey};
use crate::registry::query::filter::Filter;
use crate::registry::query::listing::Listing;
use crate::registry::query::order_by::{self, OrderTerm};
use crate::registry::query::page::{HasRoom, PAGE_BYTES_MAX, page_size};
use crate::registry::query::page_token::{PageTokens, Position};
use crate::registry::read::read_mask::ReadMask;
use crate::registry::read::reader::{Point, Reader};
use crate::registry::resource::name::short;
use crate::registry::schema::{KindId, Schemas};
use crate::store::Revision;

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
    /// The paths of the fields to answer. None: all.
    pub read_mask: Vec<String>,
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
            read_mask: Vec::new(),
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

/// A point as bytes, for binding a page token to it.
fn point_bytes(point: Point) -> Vec<u8> {
    match point {
        Point::Head => vec![0],
        Point::Revision(revision) => [&[1][..], &revision.to_be_bytes()].concat(),
        Point::Time(time) => [&[2][..], &time.sort_key()].concat(),
    }
}

/// The paths of a mask as bytes, for binding a page token to it. No path has a control character.
fn mask_bytes(mask: &ReadMask, paths: &[String]) -> Vec<u8> {
    if mask.is_of_all() { Vec::new() } else { paths.join("\0").into_bytes() }
}

/// A page. `Cancelled` once nobody waits for it any more, `Busy` if there is no room for a single item.
pub(crate) fn page(
    reader: &Reader,
    tokens: &PageTokens,
    request: &ListRequest,
    has_room: HasRoom<'_>,
    cancelled: &CancellationToken,
) -> Result<Page, Error> {
    let size = page_size(request.page_size)?;
    let terms = order_by::parse(&reader.schemas, request.kind, &request.order_by);
    let terms = terms.map_err(|rule| Error::invalid("order_by", rule))?;
    let rule = "must be one of name, display_name, create_time, update_time, with ' desc' for descending";
    let refused = || Error::invalid("order_by", format!("{rule}; {:?} is not", short(&request.order_by)));
    let (order, descending) = known_order(&reader.schemas, &terms).ok_or_else(refused)?;
    let filter =
        Filter::parse(&reader.schemas, request.kind, &request.filter).map_err(|rule| Error::invalid("filter", rule))?;
    let mask = ReadMask::parse(&reader.schemas, request.kind, &request.read_mask)?;
    let arguments: [&[u8]; 7] = [
        b"list",
        reader.schemas.kind(request.kind).collection.as_bytes(),
        request.filter.as_bytes(),
        request.order_by.as_bytes(),
        &[u8::from(request.show_deleted)],
        &point_bytes(request.point),
        &mask_bytes(&mask, &request.read_mask),
    ];
    let position = match request.page_token.as_str() {
        "" => None,
        token => Some(tokens.open(token, &arguments)?),
    };
    let (at, counted) = match &position {
        Some(position) => (position.revision, None),
        None if request.point == Point::Head && filter.is_empty() => {
            // At once: if a commit came between, all would have to be read for the count.
            let tables = reader.index.read();
            (tables.head(), Some(tables.count(request.kind, request.show_deleted)))
        }
        None => (reader.resolve(request.point)?, None),
    };
    let after = position.as_ref().map(|position| decode_key(&position.key));
    let listing = Listing {
        reader,
        kind: request.kind,
        at,
        filter,
        show_deleted: request.show_deleted,
        order,
        descending,
        cancelled,
    };
    let (items, more) = listing.take(after.as_ref(), size, PAGE_BYTES_MAX, &mask, has_room)?;
    let total = match &position {
        Some(position) => usize::try_from(position.total).unwrap_or(usize::MAX),
        None if !more => items.len(),
        None => counted.map_or_else(|| listing.count(), Ok)?,
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

/// The order of the index that the terms mean.
fn known_order(schemas: &Schemas, terms: &[OrderTerm]) -> Option<(Order, bool)> {
    match terms {
        [] => Some((Order::Name, false)),
        [only] if only.path.len() == 1 => match only.field(schemas).map(|field| field.name.as_str()) {
            Some("name") => Some(Order::Name),
            Some("display_name") => Some(Order::DisplayName),
            Some("create_time") => Some(Order::CreateTime),
            Some("update_time") => Some(Order::UpdateTime),
            Some(_) | None => None,
        }
        .map(|order| (order, only.descending)),
        [..] => None,
    }
}

fn encode_key(key: &OrderKey) -> Vec<u8> {
    [&(key.value.len() as u64).to_be_bytes()[..], &key.value, key.name.as_bytes()].concat()
}

fn decode_key(bytes: &[u8]) -> OrderKey {
    let (length, rest) =
        bytes.split_first_chunk::<8>().map_or((0, &[][..]), |(length, rest)| (u64::from_be_bytes(*length), rest));
    let (value, name) = rest.split_at_checked(usize::try_from(length).unwrap_or(0)).unwrap_or_default();
    OrderKey::new(value, &Arc::from(String::from_utf8_lossy(name).as_ref()))
}
