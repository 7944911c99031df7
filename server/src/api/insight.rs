//! What is asked about many resources at once: `CountResources`, `ListTimeline`.

use partnership_registry::v1::{
    Agreement, CountResourcesRequest, CountResourcesResponse, Country, ListTimelineRequest, ListTimelineResponse,
    ResourceCount, TimelineEntry,
};
use tonic::Status;

use super::blocking::blocking;
use super::call::{Api, Handle};
use super::caller::Caller;
use super::convert::{both, number, point, query_plan};
use super::room::PAGE_ROOM_BYTES;
use crate::registry::{self, CountRequest, CountedGroup, Error, TimelineRequest};

impl Handle<CountResourcesRequest> for Api {
    type Answer = CountResourcesResponse;

    fn room(&self, _: &CountResourcesRequest) -> usize {
        PAGE_ROOM_BYTES
    }

    async fn handle(&self, caller: &Caller, request: CountResourcesRequest) -> Result<CountResourcesResponse, Status> {
        let point = point(request.read_revision, request.read_time);
        let count = self.registry.count_of(CountRequest {
            collection: request.collection,
            filter: request.filter,
            group_by: request.group_by,
            sum: request.sum,
            groups_max: request.groups_max,
            show_deleted: request.show_deleted,
            valid_date: request.valid_date,
            explain: request.explain,
        });
        let (count, point) = both(count, point)?;
        let at = self.registry.indexed_at(point).await?;
        let (registry, room) = (self.registry.clone(), caller.room.clone());
        let counted =
            blocking(&caller.room, move |cancelled| registry.count(&count, at, &mut room.growing(), cancelled)).await?;
        Ok(CountResourcesResponse {
            groups: counted.groups.into_iter().map(group).collect(),
            other_count: number(counted.other),
            total_size: number(counted.total),
            revision: counted.revision,
            sums: counted.sums,
            plan: counted.plan.map(query_plan),
        })
    }
}

impl Handle<ListTimelineRequest> for Api {
    type Answer = ListTimelineResponse;

    fn room(&self, _: &ListTimelineRequest) -> usize {
        PAGE_ROOM_BYTES
    }

    async fn handle(&self, caller: &Caller, request: ListTimelineRequest) -> Result<ListTimelineResponse, Status> {
        let (kind, name, field, as_party) = match (request.country.is_empty(), request.agreement.is_empty()) {
            (false, true) => (self.kind::<Country>()?, request.country, "country", true),
            (true, false) => (self.kind::<Agreement>()?, request.agreement, "agreement", false),
            (true, true) => return Err(Error::invalid("country", "must be given, or else agreement").into()),
            (false, false) => return Err(Error::invalid("agreement", "is not given together with country").into()),
        };
        let point = point(request.read_revision, request.read_time)?;
        let request = TimelineRequest {
            kind,
            name,
            field,
            as_party,
            window: request.window,
            collections: request.collections,
            order_by: request.order_by,
            page_size: request.page_size,
            page_token: request.page_token,
            point,
        };
        let at = self.registry.indexed_at(point).await?;
        let (registry, room) = (self.registry.clone(), caller.room.clone());
        let page =
            blocking(&caller.room, move |cancelled| registry.timeline(&request, at, &mut room.growing(), cancelled));
        let page = page.await?;
        Ok(ListTimelineResponse {
            entries: page.entries.into_iter().map(entry).collect(),
            next_page_token: page.next_page_token,
            revision: page.revision,
            total_size: i32::try_from(page.total).unwrap_or(i32::MAX),
        })
    }
}

fn entry(entry: registry::TimelineEntry) -> TimelineEntry {
    TimelineEntry {
        earliest_date: entry.earliest_date(),
        latest_date: entry.latest_date(),
        r#type: entry.what.event_type,
        name: entry.name,
        display_name: entry.display_name,
        event_id: entry.what.event_id,
        recorded_date: Some(entry.what.date),
        of_effect: entry.what.of_effect,
        parties: entry.what.parties,
    }
}

fn group(group: CountedGroup) -> ResourceCount {
    ResourceCount { keys: group.keys, count: number(group.count), sums: group.sums }
}
