//! Listing: a page of one kind, in an order, as of one revision. Here the request is read and the answer is put together;
//! `listing` finds the items.
//!
//! A listing is pinned to the revision of its first page, and a page goes on after the key of the last item, so pages
//! neither skip nor repeat anything, whatever is written meanwhile. What the indexes cover costs the same on each page; what
//! they leave open is read, until the page is full, and once for `total_size`.

use bytes::Bytes;
use partnership_registry::v1::PartialDate;
use tokio_util::sync::CancellationToken;

use crate::registry::error::Error;
use crate::registry::query::explain::Plan;
use crate::registry::query::filter::Filter;
use crate::registry::query::listing::{Listed, Listing};
use crate::registry::query::order::Order;
use crate::registry::query::order_by;
use crate::registry::query::page::{HasRoom, PAGE_BYTES_MAX, page_size};
use crate::registry::query::page_token::{PageTokens, Position};
use crate::registry::read::read_mask::ReadMask;
use crate::registry::read::reader::{Point, Reader};
use crate::registry::resource::standing;
use crate::registry::schema::KindId;
use crate::store::Revision;
use crate::time::Day;
use crate::violations::Violations;

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
    /// The day for which it is told how resources stand, and which is meant where something follows from days. `None`: the
    /// settled day of the revision.
    pub valid_date: Option<PartialDate>,
    /// The paths of the fields to answer. None: all.
    pub read_mask: Vec<String>,
    /// Only how the listing would be found.
    pub explain: bool,
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
            valid_date: None,
            read_mask: Vec::new(),
            explain: false,
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
    /// How the listing would be found: then nothing is listed.
    pub plan: Option<Plan>,
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

/// A page, as of `at` if it is the first. `Cancelled` once nobody waits for it any more, `Busy` if there is no room for a
/// single item.
pub(crate) fn page(
    reader: &Reader,
    tokens: &PageTokens,
    request: &ListRequest,
    at: Revision,
    has_room: HasRoom<'_>,
    cancelled: &CancellationToken,
) -> Result<Page, Error> {
    let schemas = &reader.schemas;
    let mut violations = Violations::new();
    let size = page_size(request.page_size)?;
    let order = order_by::parse(schemas, request.kind, &request.order_by);
    let order = order.map_err(|rule| violations.add("order_by", rule)).ok();
    let filter = Filter::parse(schemas, request.kind, &request.filter);
    let filter = filter.map_err(|rule| violations.add("filter", rule)).ok();
    let (Some(order), Some(filter)) = (order, filter) else { return Err(Error::Invalid(violations)) };
    let mask = ReadMask::parse(schemas, request.kind, &request.read_mask)?;
    let valid = standing::valid_day(schemas, request.kind, request.valid_date.as_ref())?;
    let arguments: [&[u8]; 8] = [
        b"list",
        schemas.kind(request.kind).collection.as_bytes(),
        request.filter.as_bytes(),
        request.order_by.as_bytes(),
        &[u8::from(request.show_deleted)],
        &point_bytes(request.point),
        &mask_bytes(&mask, &request.read_mask),
        &valid.map(|Day(day)| day.to_be_bytes().to_vec()).unwrap_or_default(),
    ];
    let position = match request.page_token.as_str() {
        "" => None,
        token => Some(tokens.open(token, &arguments)?),
    };
    let at = position.as_ref().map_or(at, |position| position.revision);
    let ListRequest { kind, show_deleted, .. } = *request;
    let listed = Listed { kind, at, filter, show_deleted, order: Order::new(order), days: reader.days(at, valid) };
    let mut listing = Listing::new(reader, listed, cancelled)?;
    if request.explain {
        let plan = Some(listing.explain(size));
        return Ok(Page { documents: Vec::new(), next_page_token: String::new(), revision: at, total: 0, plan });
    }
    let after = match &position {
        None => {
            listing.check_costs()?;
            None
        }
        Some(position) => listing.place(&position.name)?,
    };
    let (items, more) = listing.take(after, size, PAGE_BYTES_MAX, &mask, has_room)?;
    let total = match &position {
        Some(position) => usize::try_from(position.total).unwrap_or(usize::MAX),
        None if !more => items.len(),
        None => listing.count()?,
    };
    let next_page_token = match items.last() {
        Some(last) if more => {
            let position = Position { revision: at, name: last.place.name.clone(), total: total as u64 };
            tokens.seal(&position, &arguments)?
        }
        _ => String::new(),
    };
    let documents = items.into_iter().map(|item| item.document).collect();
    Ok(Page { documents, next_page_token, revision: at, total, plan: None })
}
