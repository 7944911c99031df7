//! A timeline: the dated events of one resource, or of all in which a partner takes part, in the order of their dates, as of
//! one revision. Each page reads them anew; what is read is bounded.

use partnership_registry::v1::{DateInterval, PartialDate};
use tokio_util::sync::CancellationToken;

use crate::kinds::timeline::DatedEvent;
use crate::registry::error::{Costs, Error};
use crate::registry::query::dates::dates;
use crate::registry::query::filter::Filter;
use crate::registry::query::listing::{Listed, Listing};
use crate::registry::query::order::Order;
use crate::registry::query::page::{HasRoom, page_size};
use crate::registry::query::page_token::{PageTokens, Position};
use crate::registry::query::plan::costs::sorted_max;
use crate::registry::query::selection::Selection;
use crate::registry::read::reader::{Point, Reader};
use crate::registry::resource::name::Name;
use crate::registry::resource::wire;
use crate::registry::schema::{KindId, Schemas};
use crate::store::Revision;
use crate::time::Day;
use crate::values::partial_date::{day_numbers, of_day};
use crate::violations::Violations;

/// So many resources are looked up at once.
const CHUNK: usize = 256;
/// About what an entry takes beside its texts.
const ENTRY_BYTES: usize = 256;
/// The number of `display_name` in every kind.
const DISPLAY_NAME: u32 = 3;

/// What is asked for.
#[derive(Debug, Clone)]
pub struct TimelineRequest {
    /// The kind of the resource.
    pub kind: KindId,
    /// The resource.
    pub name: String,
    /// The field of the request that has the name.
    pub field: &'static str,
    /// All in which it takes part, too.
    pub as_party: bool,
    /// Only what may have happened in these days.
    pub window: Option<DateInterval>,
    /// Only of these kinds. None: of all.
    pub collections: Vec<String>,
    /// `date` or `date desc`. Empty: `date`.
    pub order_by: String,
    /// The most entries. 0: the default.
    pub page_size: i32,
    /// Where to go on. Empty: at the beginning.
    pub page_token: String,
    /// As of when.
    pub point: Point,
}

/// A page.
#[derive(Debug)]
pub struct TimelinePage {
    /// The entries.
    pub entries: Vec<TimelineEntry>,
    /// Where to go on. Empty: nowhere.
    pub next_page_token: String,
    /// The revision that all pages show.
    pub revision: Revision,
    /// How many entries there are in all.
    pub total: usize,
}

/// Something with a date.
#[derive(Debug, Clone, PartialEq)]
pub struct TimelineEntry {
    /// The first and the last day on which it may be. `None`: nobody knows.
    pub days: Option<(Day, Day)>,
    /// The resource.
    pub name: String,
    /// What it is called.
    pub display_name: String,
    /// What it is: an event of the resource, or the date of a field.
    pub what: DatedEvent,
}

impl TimelineEntry {
    fn bytes(&self) -> usize {
        ENTRY_BYTES
            + self.name.len()
            + self.display_name.len()
            + self.what.parties.iter().map(String::len).sum::<usize>()
    }
}

/// A page, as of `at` if it is the first. `Busy` if there is no room for what is read.
pub(crate) fn page(
    reader: &Reader,
    tokens: &PageTokens,
    request: &TimelineRequest,
    at: Revision,
    has_room: HasRoom<'_>,
    cancelled: &CancellationToken,
) -> Result<TimelinePage, Error> {
    let schemas = &reader.schemas;
    let asked = Asked::check(schemas, request)?;
    let size = page_size(request.page_size)?;
    let bound = format!(
        "{request:?}",
        request = TimelineRequest { page_size: 0, page_token: String::new(), ..request.clone() }
    );
    let arguments: [&[u8]; 2] = [b"timeline", bound.as_bytes()];
    let position = match request.page_token.as_str() {
        "" => None,
        token => Some(tokens.open(token, &arguments)?),
    };
    let at = position.as_ref().map_or(at, |position| position.revision);
    // `total` is how many entries have been answered: at one revision the entries are always the same.
    let answered = position.map_or(0, |position| usize::try_from(position.total).unwrap_or(usize::MAX));
    let mut entries = asked.entries(reader, at, has_room, cancelled)?;
    asked.sort(&mut entries);
    let total = entries.len();
    let entries: Vec<_> = entries.into_iter().skip(answered).take(size).collect();
    let so_far = answered.saturating_add(entries.len());
    let next_page_token = if so_far < total {
        tokens.seal(&Position { revision: at, total: so_far as u64, ..Position::default() }, &arguments)?
    } else {
        String::new()
    };
    Ok(TimelinePage { entries, next_page_token, revision: at, total })
}

/// A request that was checked.
struct Asked {
    name: Name,
    as_party: bool,
    /// The first and the last day of the window, if there is one.
    window: Option<(i32, i32)>,
    selection: Selection,
    descending: bool,
    /// Whether its own kind is among those that are asked for.
    itself: bool,
    field: &'static str,
    at_head: bool,
}

impl Asked {
    fn check(schemas: &Schemas, request: &TimelineRequest) -> Result<Self, Error> {
        let mut violations = Violations::new();
        let name = Name::parse_as(schemas, request.kind, &request.name);
        let name = name.map_err(|rule| violations.add(request.field, rule)).ok();
        let window = match &request.window {
            None => None,
            Some(window) => match days_of(window) {
                Ok(days) => Some(days),
                Err((field, rule)) => {
                    violations.add(field, rule);
                    None
                }
            },
        };
        let selection = match Selection::parse(schemas, &request.collections, "") {
            Ok(selection) => Some(selection),
            Err(Error::Invalid(more)) => {
                violations.add_all("", more);
                None
            }
            Err(error) => return Err(error),
        };
        let descending = match request.order_by.split_whitespace().collect::<Vec<_>>().as_slice() {
            [] | ["date"] | ["date", "asc"] => false,
            ["date", "desc"] => true,
            _ => {
                violations.add("order_by", "must be 'date' or 'date desc'");
                false
            }
        };
        match (name, selection) {
            (Some(name), Some(selection)) if violations.is_empty() => Ok(Self {
                itself: selection.kinds().contains(&name.kind()),
                name,
                as_party: request.as_party,
                window,
                selection,
                descending,
                field: request.field,
                at_head: request.point == Point::Head,
            }),
            _ => Err(Error::Invalid(violations)),
        }
    }

    /// All entries, in no order.
    fn entries(
        &self,
        reader: &Reader,
        at: Revision,
        has_room: HasRoom<'_>,
        cancelled: &CancellationToken,
    ) -> Result<Vec<TimelineEntry>, Error> {
        let schemas = &reader.schemas;
        let mut entries = Vec::new();
        let mut add = |kind: KindId, document: &[u8]| {
            for entry in entries_of(schemas, kind, document).into_iter().filter(|entry| self.is_wanted(entry)) {
                if !has_room(entry.bytes()) {
                    return Err(Error::Busy);
                }
                entries.push(entry);
            }
            Ok(true)
        };
        let Some((_, document)) = reader.get(&self.name, at)? else {
            let name = self.name.to_string();
            return Err(if self.at_head { Error::NotFound(name) } else { Error::NotFoundAt { name, revision: at } });
        };
        if self.itself {
            add(self.name.kind(), &document)?;
        }
        if self.as_party {
            let mut listings = Vec::new();
            for kind in self.selection.kinds() {
                // A kind in which nobody takes part has no such function.
                let Ok(filter) = Filter::parse(schemas, *kind, &format!("party(\"{}\")", self.name)) else { continue };
                let (days, order) = (reader.days(at, None), Order::default());
                let listed = Listed { kind: *kind, at, filter, show_deleted: false, order, days };
                listings.push((*kind, Listing::new(reader, listed, cancelled)?));
            }
            let mut reads = 0;
            for (_, listing) in &listings {
                reads += listing.count()? as u64;
            }
            if reads > sorted_max() {
                return Err(Error::TooCostly(Costs::Timeline { field: self.field, reads, max: sorted_max() }));
            }
            for (kind, mut listing) in listings {
                listing.walk(None, CHUNK, &mut |item| add(kind, &item.document))?;
            }
        }
        Ok(entries)
    }

    fn is_wanted(&self, entry: &TimelineEntry) -> bool {
        match (self.window, entry.days) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some((first, last)), Some((earliest, latest))) => earliest.0 <= last && latest.0 >= first,
        }
    }

    /// By date; of one date by name, and as they stand in the resource. What nobody knows the date of comes last.
    fn sort(&self, entries: &mut [TimelineEntry]) {
        entries.sort_by(|one, other| {
            let dated = match (one.days, other.days) {
                (Some(one), Some(other)) if self.descending => (other.1, other.0).cmp(&(one.1, one.0)),
                (Some(one), Some(other)) => one.cmp(&other),
                (one, other) => one.is_none().cmp(&other.is_none()),
            };
            dated.then_with(|| one.name.cmp(&other.name))
        });
    }
}

/// The first and the last day of a window; an end that is not given is open. Else the field that is wrong, and the rule.
fn days_of(window: &DateInterval) -> Result<(i32, i32), (&'static str, String)> {
    let end = |field, date: Option<&PartialDate>, open: i32| match date {
        None => Ok((open, open)),
        Some(date) => {
            day_numbers(date).ok_or_else(|| (field, format!("must be a day, a month or a year, and is {date}")))
        }
    };
    let (first, _) = end("window.start_date", window.start_date.as_ref(), i32::MIN)?;
    let (_, last) = end("window.end_date", window.end_date.as_ref(), i32::MAX)?;
    if last < first {
        return Err(("window.end_date", "must not be before the start".to_owned()));
    }
    Ok((first, last))
}

/// What has a date in one resource: its events, then the dates of its fields.
fn entries_of(schemas: &Schemas, kind: KindId, document: &[u8]) -> Vec<TimelineEntry> {
    let rules = &schemas.kind(kind).rules;
    let events = rules.dated.and_then(|dated| Some((dated.events)(&(rules.decode)(document).ok()?)));
    let fields = dates(schemas, kind, document).into_iter().map(|field| DatedEvent {
        event_id: String::new(),
        event_type: field.path,
        date: field.date,
        of_effect: false,
        parties: Vec::new(),
    });
    let text = |number| wire::field(document, number).map_or("", |field| field.text()).to_owned();
    let (name, display_name) = (text(1), text(DISPLAY_NAME));
    let entry = |what: DatedEvent| TimelineEntry {
        days: day_numbers(&what.date).map(|(first, last)| (Day(first), Day(last))),
        name: name.clone(),
        display_name: display_name.clone(),
        what,
    };
    events.into_iter().flatten().chain(fields).map(entry).collect()
}

impl TimelineEntry {
    /// The first day on which it may be, as a date.
    #[must_use]
    pub fn earliest_date(&self) -> Option<PartialDate> {
        self.days.and_then(|(first, _)| of_day(first))
    }

    /// The last day on which it may be, as a date.
    #[must_use]
    pub fn latest_date(&self) -> Option<PartialDate> {
        self.days.and_then(|(_, last)| of_day(last))
    }
}
