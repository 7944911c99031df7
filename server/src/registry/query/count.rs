//! Counting: how many resources of a kind there are, in all and in groups, and what they have together, as of one
//! revision. Here the request is read and the answer is put together; `tally` adds up.

use partnership_registry::Money;
use partnership_registry::v1::PartialDate;
use roaring::RoaringBitmap;
use tokio_util::sync::CancellationToken;

use crate::registry::error::Error;
use crate::registry::index::secondary::KindIndex;
use crate::registry::query::columns::{self, By};
use crate::registry::query::computed::Needs;
use crate::registry::query::counting::Counting;
use crate::registry::query::explain::Plan;
use crate::registry::query::filter::Filter;
use crate::registry::query::group::{Group, Sum};
use crate::registry::query::listing::{Listed, Listing};
use crate::registry::query::order::Order;
use crate::registry::query::page::HasRoom;
use crate::registry::query::tally::{CountedGroup, Tally};
use crate::registry::read::read_mask::Days;
use crate::registry::read::reader::Reader;
use crate::registry::resource::ANSWER_BYTES_MAX;
use crate::registry::resource::name::short;
use crate::registry::resource::standing;
use crate::registry::schema::{KindId, Schemas};
use crate::store::Revision;
use crate::time::Day;
use crate::violations::Violations;

/// The most fields to count by.
const GROUP_BY_MAX: usize = 2;
/// The groups that are answered if nothing is said.
const GROUPS_DEFAULT: usize = 100;
/// The most groups that are answered: more is taken as this.
pub(crate) const GROUPS_MAX: usize = 10_000;

/// What to count.
#[derive(Debug, Clone)]
pub struct CountRequest {
    /// The collection of the kind.
    pub collection: String,
    /// Which resources.
    pub filter: String,
    /// By what.
    pub group_by: Vec<String>,
    /// The path of what to add up. Empty: nothing.
    pub sum: String,
    /// The most groups. 0: the default.
    pub groups_max: i32,
    /// Deleted ones too.
    pub show_deleted: bool,
    /// The day that is meant where something follows from days. `None`: the settled day of the revision.
    pub valid_date: Option<PartialDate>,
    /// Only how the resources would be found.
    pub explain: bool,
}

/// A request that is understood.
#[derive(Debug)]
pub struct Count {
    kind: KindId,
    filter: Filter,
    groups: Vec<Group>,
    sum: Option<Sum>,
    groups_max: usize,
    show_deleted: bool,
    valid: Option<Day>,
    explain: bool,
}

impl Count {
    /// Reads a request. Fails with all that is wrong with it.
    pub(crate) fn read(schemas: &Schemas, request: CountRequest) -> Result<Self, Error> {
        let mut violations = Violations::new();
        let groups_max = match usize::try_from(request.groups_max) {
            Ok(0) => GROUPS_DEFAULT,
            Ok(most) => most.min(GROUPS_MAX),
            Err(_) => {
                violations.add("groups_max", format!("must not be negative, and is {}", request.groups_max));
                0
            }
        };
        if request.group_by.len() > GROUP_BY_MAX {
            let rule = format!("must have at most {GROUP_BY_MAX} items, and has {}", request.group_by.len());
            violations.add("group_by", rule);
        }
        let Some(kind) = schemas.by_collection(&request.collection) else {
            // Without it nothing is known of paths.
            let rule = format!("must be one of {}, and {:?} is not", schemas.collections(), short(&request.collection));
            violations.add("collection", rule);
            return Err(Error::Invalid(violations));
        };
        let mut understood = |field: String, rule| violations.add(field, rule);
        let filter = Filter::parse(schemas, kind, &request.filter);
        let filter = filter.unwrap_or_else(|rule| {
            understood("filter".to_owned(), rule);
            Filter::default()
        });
        let mut groups = Vec::new();
        for (index, text) in request.group_by.iter().enumerate().take(GROUP_BY_MAX) {
            match Group::parse(schemas, kind, text) {
                Ok(group) => groups.push(group),
                Err(rule) => understood(format!("group_by[{index}]"), rule),
            }
        }
        let sum = match request.sum.as_str() {
            "" => None,
            path => Sum::parse(schemas, kind, path).map_err(|rule| understood("sum".to_owned(), rule)).ok(),
        };
        let valid = match standing::valid_day(schemas, kind, request.valid_date.as_ref()) {
            Ok(valid) => valid,
            Err(Error::Invalid(rules)) => {
                violations.add_all("", rules);
                None
            }
            Err(other) => return Err(other),
        };
        if !violations.is_empty() {
            return Err(Error::Invalid(violations));
        }
        let CountRequest { show_deleted, explain, .. } = request;
        Ok(Self { kind, filter, groups, sum, groups_max, show_deleted, valid, explain })
    }

    /// The answer as of `at`, which the indexes hold. Blocks; ends early with `Cancelled` once nobody waits for it any more.
    ///
    /// # Errors
    /// `Busy` if there is no room for what has to be held.
    pub(crate) fn answer(
        &self,
        reader: &Reader,
        at: Revision,
        has_room: HasRoom<'_>,
        cancelled: &CancellationToken,
    ) -> Result<Counted, Error> {
        let Self { kind, show_deleted, .. } = *self;
        let days = reader.days(at, self.valid);
        let listed = Listed { kind, at, filter: self.filter.clone(), show_deleted, order: Order::default(), days };
        let listing = Listing::new(reader, listed, cancelled)?;
        let mut counted = Counted { revision: at, ..Counted::default() };
        if self.explain {
            counted.plan = Some(listing.explain(0));
        } else if self.groups.is_empty() && self.sum.is_none() {
            counted.total = listing.count()?;
        } else {
            let schemas = &reader.schemas;
            let mut tallying = Tallying { schemas, count: self, days, tally: Tally::default(), has_room };
            listing.count_with(&mut tallying)?;
            let tally = tallying.tally;
            (counted.total, counted.sums) = (tally.count(), tally.sums()?);
            (counted.groups, counted.other) = tally.largest(self.groups_max)?;
            if counted.bytes() > ANSWER_BYTES_MAX {
                return Err(Error::AnswerTooLarge { max: ANSWER_BYTES_MAX });
            }
        }
        Ok(counted)
    }
}

/// A count under way.
struct Tallying<'a> {
    schemas: &'a Schemas,
    count: &'a Count,
    days: Days,
    tally: Tally,
    has_room: HasRoom<'a>,
}

impl<'a> Tallying<'a> {
    fn by(&self) -> By<'a> {
        By { groups: &self.count.groups, sum: self.count.sum.as_ref(), days: self.days }
    }
}

impl Counting for Tallying<'_> {
    fn unknown(&self, index: &KindIndex, rows: &RoaringBitmap) -> RoaringBitmap {
        columns::unknown(index, rows, self.by())
    }

    fn count(&mut self, index: &KindIndex, rows: &RoaringBitmap) -> Result<(), Error> {
        if rows.is_empty() {
            return Ok(());
        }
        let by = self.by();
        columns::count(self.schemas, index, rows, by, &mut self.tally, self.has_room)
    }

    fn needs(&self) -> Needs {
        let sum = self.count.sum.iter().map(|sum| sum.path.needs);
        Needs::all(self.count.groups.iter().map(|group| group.path.needs).chain(sum))
    }

    fn read(&mut self, document: &[u8]) -> Result<(), Error> {
        let Self { schemas, count, tally, has_room, .. } = self;
        let keys: Vec<_> = count.groups.iter().map(|group| group.keys(schemas, document)).collect();
        let amounts = count.sum.as_ref().map(|sum| sum.amounts(schemas, document)).unwrap_or_default();
        tally.add(&keys, &amounts, has_room)
    }
}

/// What a count comes to.
#[derive(Debug, Default)]
pub struct Counted {
    /// The largest groups.
    pub groups: Vec<CountedGroup>,
    /// The counts of the other groups, added up.
    pub other: usize,
    /// How many resources there are.
    pub total: usize,
    /// As of when.
    pub revision: Revision,
    /// What they have together, by currency.
    pub sums: Vec<Money>,
    /// How the resources would be found: then nothing is counted.
    pub plan: Option<Plan>,
}

impl Counted {
    /// How many bytes the groups have as they are answered, at most.
    fn bytes(&self) -> usize {
        let group = |group: &CountedGroup| {
            group.keys.iter().map(|key| key.len() + 8).sum::<usize>() + group.sums.len() * 32 + 20
        };
        self.groups.iter().map(group).sum()
    }
}
