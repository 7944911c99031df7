//! [`CountCall`]: how many resources there are, in groups, and what they have together.

use std::future::{Future, IntoFuture};
use std::pin::Pin;

use partnership_registry::v1::{CountResourcesRequest, CountResourcesResponse, PartialDate, QueryPlan};

use crate::connection::{ANSWER_BYTES_MAX, Connection};
use crate::error::Error;
use crate::point::Point;

/// A call that counts resources of one kind. Await it for the counts.
///
/// ```no_run
/// # use partnership_registry_client::{Error, Registry};
/// # async fn example(registry: Registry) -> Result<(), Error> {
/// let counted = registry
///     .agreements()
///     .count()
///     .filter(r#"parties.country = "countries/kr""#)
///     .group_by(["type", "year(conclusion_date)"])
///     .await?;
/// for group in &counted.groups {
///     println!("{}: {}", group.keys.join(", "), group.count);
/// }
/// println!("{} in all, {} of them in groups that are not told", counted.total_size, counted.other_count);
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// When it is awaited. `INVALID_ARGUMENT`: a bad filter, or a path that leads to nothing that can be counted by or added up.
/// `OUT_OF_RANGE`: a revision that does not exist yet, a time before the first commit, or a sum beyond what an amount can
/// hold. `FAILED_PRECONDITION`: more than 100,000 groups, or a question that costs too much.
#[derive(Debug, Clone)]
#[must_use = "nothing is sent before it is awaited"]
pub struct CountCall {
    connection: Connection,
    request: CountResourcesRequest,
}

impl CountCall {
    pub(crate) fn new(connection: Connection, collection: &str) -> Self {
        let request = CountResourcesRequest { collection: collection.to_owned(), ..CountResourcesRequest::default() };
        Self { connection, request }
    }

    /// Only resources that the filter selects (AIP-160), such as `state = IN_FORCE`.
    pub fn filter(mut self, filter: impl Into<String>) -> Self {
        self.request.filter = filter.into();
        self
    }

    /// By the values of at most two fields: their paths, or `year(path)` or `decade(path)` of a date or a time.
    pub fn group_by<P: Into<String>>(mut self, paths: impl IntoIterator<Item = P>) -> Self {
        self.request.group_by = paths.into_iter().map(Into::into).collect();
        self
    }

    /// Adds up amounts of money, by currency, such as `budgets.amount`.
    pub fn sum(mut self, path: impl Into<String>) -> Self {
        self.request.sum = path.into();
        self
    }

    /// The most groups that are answered, at most 10,000; 100 by default.
    pub fn groups_max(mut self, most: u16) -> Self {
        self.request.groups_max = i32::from(most);
        self
    }

    /// Includes deleted resources.
    pub fn show_deleted(mut self, show: bool) -> Self {
        self.request.show_deleted = show;
        self
    }

    /// As of a point in the past.
    pub fn at(mut self, point: impl Into<Point>) -> Self {
        (self.request.read_revision, self.request.read_time) = point.into().split();
        self
    }

    /// How they stand on this day, as far as what was recorded says so: `status` of agreements, in filters and groups. A whole
    /// day.
    pub fn on(mut self, day: impl Into<Option<PartialDate>>) -> Self {
        self.request.valid_date = day.into();
        self
    }

    /// How the resources would be found, and what that costs; nothing is counted.
    ///
    /// # Errors
    /// As when it is awaited.
    pub async fn explain(mut self) -> Result<QueryPlan, Error> {
        self.request.explain = true;
        Ok(self.await?.plan.unwrap_or_default())
    }
}

impl IntoFuture for CountCall {
    type Output = Result<CountResourcesResponse, Error>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let Self { connection, request } = self;
            let send = |request| partnership_registry::call(connection.channel(), request, ANSWER_BYTES_MAX);
            connection.unary(request, send).await
        })
    }
}
