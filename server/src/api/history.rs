//! The history of resources and the commits of all: `ListRevisions`, `GetRevision`, `ListCommits`.

use partnership_registry::v1::{
    GetRevisionRequest, ListCommitsRequest, ListCommitsResponse, ListRevisionsRequest, ListRevisionsResponse,
    ResourceRevision,
};
use tonic::Status;

use super::blocking::blocking;
use super::call::{Api, Handle};
use super::caller::Caller;
use super::convert::{commit, revision};
use super::room::PAGE_ROOM_BYTES;
use crate::registry::DOCUMENT_BYTES_MAX;

impl Handle<ListRevisionsRequest> for Api {
    type Answer = ListRevisionsResponse;

    fn room(&self, _: &ListRevisionsRequest) -> usize {
        PAGE_ROOM_BYTES
    }

    async fn handle(&self, caller: &Caller, request: ListRevisionsRequest) -> Result<ListRevisionsResponse, Status> {
        let ListRevisionsRequest { parent, page_size, page_token } = request;
        let (registry, room) = (self.registry.clone(), caller.room.clone());
        let page =
            blocking(&caller.room, move |_| registry.revisions(&parent, page_size, &page_token, &mut room.growing()))
                .await?;
        Ok(ListRevisionsResponse {
            revisions: page.versions.into_iter().map(revision).collect::<Result<_, _>>()?,
            next_page_token: page.next_page_token,
        })
    }
}

impl Handle<GetRevisionRequest> for Api {
    type Answer = ResourceRevision;

    fn room(&self, _: &GetRevisionRequest) -> usize {
        // As it was before, and after.
        2 * DOCUMENT_BYTES_MAX
    }

    async fn handle(&self, _: &Caller, request: GetRevisionRequest) -> Result<ResourceRevision, Status> {
        revision(self.registry.revision(&request.name)?)
    }
}

impl Handle<ListCommitsRequest> for Api {
    type Answer = ListCommitsResponse;

    fn room(&self, _: &ListCommitsRequest) -> usize {
        PAGE_ROOM_BYTES
    }

    async fn handle(&self, caller: &Caller, request: ListCommitsRequest) -> Result<ListCommitsResponse, Status> {
        let ListCommitsRequest { page_size, page_token, after_revision, order_by } = request;
        let (registry, room) = (self.registry.clone(), caller.room.clone());
        let page = blocking(&caller.room, move |_| {
            let mut has_room = room.growing();
            registry.commits(after_revision, page_size, &page_token, &order_by, &mut has_room)
        })
        .await?;
        Ok(ListCommitsResponse {
            commits: page.records.into_iter().map(commit).collect::<Result<_, _>>()?,
            next_page_token: page.next_page_token,
            revision: page.revision,
        })
    }
}
