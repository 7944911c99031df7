//! [`TimelineCall`]: what happened when, in a partnership or to one agreement.

use partnership_registry::v1::{DateInterval, ListTimelineRequest, ListTimelineResponse, PartialDate, TimelineEntry};

use crate::connection::{ANSWER_BYTES_MAX, Connection};
use crate::items::Items;
use crate::paging::{self, Page};
use crate::point::Point;
use crate::registry::Registry;

/// How many entries a call fetches.
const PAGE_SIZE: i32 = 200;

impl Registry {
    /// The dated events of all resources in which a country takes part. Say more on the returned call, then take its
    /// [`entries`](TimelineCall::entries).
    ///
    /// ```no_run
    /// # use partnership_registry_client::{Error, Registry};
    /// # async fn example(registry: Registry) -> Result<(), Error> {
    /// let mut entries = registry.timeline_of_country("countries/kr").collections(["agreements"]).entries();
    /// while let Some(entry) = entries.next().await.transpose()? {
    ///     let date = entry.recorded_date.unwrap_or_default();
    ///     println!("{date} {} {}", entry.r#type, entry.display_name);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn timeline_of_country(&self, name: impl Into<String>) -> TimelineCall {
        TimelineCall::new(self, ListTimelineRequest { country: name.into(), ..ListTimelineRequest::default() })
    }

    /// The dated events of one agreement.
    pub fn timeline_of_agreement(&self, name: impl Into<String>) -> TimelineCall {
        TimelineCall::new(self, ListTimelineRequest { agreement: name.into(), ..ListTimelineRequest::default() })
    }
}

/// A call that lists dated events.
#[derive(Debug, Clone)]
#[must_use = "nothing is sent before its entries are taken"]
pub struct TimelineCall {
    connection: Connection,
    request: ListTimelineRequest,
}

impl TimelineCall {
    fn new(registry: &Registry, request: ListTimelineRequest) -> Self {
        Self { connection: registry.connection().clone(), request }
    }

    /// Only what may have happened from this day, month or year on; not what nobody knows the date of.
    pub fn from(mut self, date: PartialDate) -> Self {
        self.window().start_date = Some(date);
        self
    }

    /// Only what may have happened up to this day, month or year; not what nobody knows the date of.
    pub fn to(mut self, date: PartialDate) -> Self {
        self.window().end_date = Some(date);
        self
    }

    /// Only resources of these kinds, as collections such as `agreements`.
    pub fn collections<C: Into<String>>(mut self, collections: impl IntoIterator<Item = C>) -> Self {
        self.request.collections = collections.into_iter().map(Into::into).collect();
        self
    }

    /// The latest first. Undated last, as ever.
    pub fn newest_first(mut self, newest_first: bool) -> Self {
        self.request.order_by = if newest_first { "date desc".to_owned() } else { String::new() };
        self
    }

    /// As of a point in the past.
    pub fn at(mut self, point: impl Into<Point>) -> Self {
        (self.request.read_revision, self.request.read_time) = point.into().split();
        self
    }

    /// The entries, fetched on demand; all as of one revision.
    ///
    /// Their errors: `NOT_FOUND`: there is no such country or agreement. `INVALID_ARGUMENT`: a window that ends before it
    /// begins, or an unknown collection. `FAILED_PRECONDITION`: the country takes part in too much.
    pub fn entries(self) -> Items<TimelineEntry> {
        let Self { connection, request } = self;
        paging::items(paging::pages(move |page_token| {
            let connection = connection.clone();
            let request = ListTimelineRequest { page_size: PAGE_SIZE, page_token, ..request.clone() };
            async move {
                let send = |request| partnership_registry::call(connection.channel(), request, ANSWER_BYTES_MAX);
                connection.unary(request, send).await
            }
        }))
    }

    fn window(&mut self) -> &mut DateInterval {
        self.request.window.get_or_insert_default()
    }
}

impl Page for ListTimelineResponse {
    type Item = TimelineEntry;

    fn next_page_token(&self) -> &str {
        &self.next_page_token
    }

    fn into_items(self) -> Vec<TimelineEntry> {
        self.entries
    }
}
