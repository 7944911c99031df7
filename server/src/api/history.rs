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

impl Handle<ListRevisionsRequest> for Api {
    type Answer = ListRevisionsResponse;

    async fn handle(&self, _: &Caller, request: ListRevisionsRequest) -> Result<ListRevisionsResponse, Status> {
        let ListRevisionsRequest { parent, page_size, page_token } = request;
        let registry = self.registry.clone();
        let page = blocking(move |_| registry.revisions(&parent, page_size, &page_token)).await?;
        Ok(ListRevisionsResponse {
            revisions: page.versions.into_iter().map(revision).collect::<Result<_, _>>()?,
            next_page_token: page.next_page_token,
        })
    }
}

impl Handle<GetRevisionRequest> for Api {
    type Answer = ResourceRevision;

    async fn handle(&self, _: &Caller, request: GetRevisionRequest) -> Result<ResourceRevision, Status> {
        revision(self.registry.revision(&request.name)?)
    }
}

impl Handle<ListCommitsRequest> for Api {
    type Answer = ListCommitsResponse;

    async fn handle(&self, _: &Caller, request: ListCommitsRequest) -> Result<ListCommitsResponse, Status> {
        let ListCommitsRequest { page_size, page_token, after_revision, order_by } = request;
        let registry = self.registry.clone();
        let page = blocking(move |_| registry.commits(after_revision, page_size, &page_token, &order_by)).await?;
        Ok(ListCommitsResponse {
            commits: page.records.into_iter().map(commit).collect::<Result<_, _>>()?,
            next_page_token: page.next_page_token,
            revision: page.revision,
        })
    }
}
