//! What is asked about many resources at once: `CountResources`.

use partnership_registry::v1::{CountResourcesRequest, CountResourcesResponse, ResourceCount};
use tonic::Status;

use super::blocking::blocking;
use super::call::{Api, Handle};
use super::caller::Caller;
use super::convert::{both, number, point, query_plan};
use super::room::PAGE_ROOM_BYTES;
use crate::registry::{CountRequest, CountedGroup};

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

fn group(group: CountedGroup) -> ResourceCount {
    ResourceCount { keys: group.keys, count: number(group.count), sums: group.sums }
}
