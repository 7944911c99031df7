//! [`ListOptions`]: what a listing selects and how it is ordered. [`ListPage`]: a page of it.

use partnership_registry::v1::PartialDate;

use crate::paging::Page;
use crate::point::{Mask, Point};
use crate::service::{List, Listed};

/// What a listing selects, and in which order.
#[derive(Debug, Clone, Default)]
#[must_use]
pub struct ListOptions {
    pub(crate) request: List,
}

impl ListOptions {
    /// All live resources by name.
    pub fn new() -> Self {
        Self::default()
    }

    /// Only those that the filter selects (AIP-160), such as `state = IN_FORCE AND conclusion_date >= 1990`.
    pub fn filter(mut self, filter: impl Into<String>) -> Self {
        self.request.filter = filter.into();
        self
    }

    /// By fields, such as `conclusion_date desc, display_name`; by name if nothing is said.
    pub fn order_by(mut self, order: impl Into<String>) -> Self {
        self.request.order_by = order.into();
        self
    }

    /// Includes deleted resources.
    pub fn show_deleted(mut self, show: bool) -> Self {
        self.request.show_deleted = show;
        self
    }

    /// How many resources a call fetches, at most 1,000; 200 by default. It does not change the result.
    pub fn page_size(mut self, size: u16) -> Self {
        self.request.page_size = i32::from(size);
        self
    }

    /// As of a point in the past.
    pub fn at(mut self, point: impl Into<Point>) -> Self {
        (self.request.read_revision, self.request.read_time) = point.into().split();
        self
    }

    /// How they stand on this day, as far as what was recorded says so: `status` of agreements, in filters and orders too. A
    /// whole day.
    pub fn on(mut self, day: impl Into<Option<PartialDate>>) -> Self {
        self.request.valid_date = day.into();
        self
    }

    /// Only these fields of each, as paths such as `display_name` or `labels.programme`. All others are as if not set.
    pub fn fields(mut self, fields: impl Into<Mask>) -> Self {
        self.request.read_mask = fields.into().into();
        self
    }

    /// The request for a page.
    pub(crate) fn page(&self, token: String) -> List {
        let page_size = if self.request.page_size == 0 { 200 } else { self.request.page_size };
        List { page_size, page_token: token, ..self.request.clone() }
    }
}

/// A page of a listing. All pages of a listing show the same revision.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct ListPage<R> {
    /// The resources.
    pub resources: Vec<R>,
    /// For the next page. Empty: this was the last.
    pub next_page_token: String,
    /// The revision that the listing shows.
    pub revision: u64,
    /// How many resources the whole listing has.
    pub total_size: u64,
}

impl<R> ListPage<R> {
    pub(crate) fn map<T>(self, map: impl FnMut(R) -> T) -> ListPage<T> {
        let Self { resources, next_page_token, revision, total_size } = self;
        ListPage { resources: resources.into_iter().map(map).collect(), next_page_token, revision, total_size }
    }
}

impl<R> From<Listed<R>> for ListPage<R> {
    fn from(page: Listed<R>) -> Self {
        Self {
            resources: page.resources,
            next_page_token: page.next_page_token,
            revision: page.revision,
            total_size: u64::try_from(page.total_size).unwrap_or(0),
        }
    }
}

impl<R: Send + 'static> Page for ListPage<R> {
    type Item = R;

    fn next_page_token(&self) -> &str {
        &self.next_page_token
    }

    fn into_items(self) -> Vec<R> {
        self.resources
    }
}
