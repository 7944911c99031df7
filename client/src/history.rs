//! The revisions of a resource, and the commits of the registry.

use partnership_registry::v1::{
    Commit, GetRevisionRequest, ListCommitsRequest, ListCommitsResponse, ListRevisionsRequest, ListRevisionsResponse,
    ResourceRevision,
};

use crate::connection::Connection;
use crate::error::Error;
use crate::items::Items;
use crate::paging::{self, Page};
use crate::point::revision_name;
use crate::registry::Registry;

/// How many items a call fetches.
const PAGE_SIZE: i32 = 100;

impl Registry {
    /// How a resource changed, newest first: who, when, why, and the resource before and after.
    pub fn list_revisions(&self, name: impl Into<String>) -> Items<ResourceRevision> {
        let (connection, name) = (self.connection().clone(), name.into());
        paging::items(paging::pages(move |page_token| {
            let (connection, name) = (connection.clone(), name.clone());
            async move {
                let request = ListRevisionsRequest { parent: name, page_size: PAGE_SIZE, page_token };
                let send = |request| {
                    let mut service = connection.registry_service();
                    async move { service.list_revisions(request).await }
                };
                connection.unary(request, send).await
            }
        }))
    }

    /// One revision of a resource, by names such as `countries/kr` and 12.
    ///
    /// # Errors
    /// `NOT_FOUND`: there is no such resource, or it did not change in that revision.
    pub async fn get_revision(&self, name: &str, revision: u64) -> Result<ResourceRevision, Error> {
        let request = GetRevisionRequest { name: revision_name(name, revision) };
        let send = |request| {
            let mut service = self.connection().registry_service();
            async move { service.get_revision(request).await }
        };
        self.connection().unary(request, send).await
    }

    /// The commits after a revision up to the head, oldest first. Changes are without the resource before.
    pub fn list_commits(&self, after_revision: u64) -> Items<Commit> {
        self.commits(after_revision, "revision")
    }

    /// All commits, newest first. Changes are without the resource before.
    pub fn list_commits_newest_first(&self) -> Items<Commit> {
        self.commits(0, "revision desc")
    }

    /// The revision of the last commit; 0 if there is none yet.
    ///
    /// # Errors
    /// Those that any call may have.
    pub async fn head(&self) -> Result<u64, Error> {
        head(self.connection()).await
    }

    fn commits(&self, after_revision: u64, order_by: &'static str) -> Items<Commit> {
        let connection = self.connection().clone();
        paging::items(paging::pages(move |page_token| {
            let (connection, order_by) = (connection.clone(), order_by.to_owned());
            async move {
                let page_size = PAGE_SIZE;
                let request = ListCommitsRequest { page_size, page_token, after_revision, order_by };
                list_commits(&connection, request).await
            }
        }))
    }
}

/// The revision of the last commit; 0 if there is none yet.
pub(crate) async fn head(connection: &Connection) -> Result<u64, Error> {
    let order_by = "revision desc".to_owned();
    let request = ListCommitsRequest { page_size: 1, order_by, ..ListCommitsRequest::default() };
    Ok(list_commits(connection, request).await?.revision)
}

async fn list_commits(connection: &Connection, request: ListCommitsRequest) -> Result<ListCommitsResponse, Error> {
    let send = |request| {
        let mut service = connection.registry_service();
        async move { service.list_commits(request).await }
    };
    connection.unary(request, send).await
}

impl Page for ListRevisionsResponse {
    type Item = ResourceRevision;

    fn next_page_token(&self) -> &str {
        &self.next_page_token
    }

    fn into_items(self) -> Vec<ResourceRevision> {
        self.revisions
    }
}

impl Page for ListCommitsResponse {
    type Item = Commit;

    fn next_page_token(&self) -> &str {
        &self.next_page_token
    }

    fn into_items(self) -> Vec<Commit> {
        self.commits
    }
}
