//! The bare echo: a tonic server that speaks the contract's own messages, and does nothing with them. It answers what
//! the registry would, so that both have the same to read and to write on the wire, and the same client.

use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use partnership_registry::v1::project_service_server::{ProjectService, ProjectServiceServer};
use partnership_registry::v1::registry_service_server::{RegistryService, RegistryServiceServer};
use partnership_registry::v1::{
    BatchGetProjectsRequest, BatchGetProjectsResponse, ChangeAction, CommitRequest, CommitResponse,
    CreateProjectRequest, DeleteProjectRequest, ExportRequest, ExportResponse, GetProjectRequest, GetRevisionRequest,
    ListCommitsRequest, ListCommitsResponse, ListProjectsRequest, ListProjectsResponse, ListRevisionsRequest,
    ListRevisionsResponse, MutationResult, Project, ResourceRevision, RollbackProjectRequest, UndeleteProjectRequest,
    UpdateProjectRequest, WatchRequest, WatchResponse,
};
use partnership_registry_server::config;
use prost::Message as _;
use tokio::net::TcpListener;
use tokio_stream::Empty;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;
use tonic::{Request, Response, Status};

use crate::sample;

/// The name under which the echo answers a message of the same size with a single text in it.
pub(crate) const ONE_TEXT: &str = "projects/one-text";

#[derive(Clone)]
struct Echo {
    project: Arc<Project>,
    one_text: Arc<Project>,
    revision: Arc<AtomicU64>,
}

/// Serves on a free port, tells it on standard output, and never ends.
pub(crate) async fn serve() {
    let project = sample::stamped(sample::project(1), 1);
    let one_text = Project { description: "x".repeat(project.encoded_len() - 4), ..Project::default() };
    let echo = Echo { project: Arc::new(project), one_text: Arc::new(one_text), revision: Arc::default() };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    println!("address={}", listener.local_addr().unwrap());
    std::io::stdout().flush().unwrap();
    // With the windows of the server, so that large requests come no slower or faster.
    Server::builder()
        .initial_stream_window_size(config::STREAM_WINDOW_BYTES)
        .initial_connection_window_size(config::CONNECTION_WINDOW_BYTES)
        .add_service(ProjectServiceServer::new(echo.clone()))
        .add_service(RegistryServiceServer::new(echo))
        .serve_with_incoming(TcpIncoming::from(listener).with_nodelay(Some(true)))
        .await
        .unwrap();
}

fn not_here<T>() -> Result<Response<T>, Status> {
    Err(Status::unimplemented("the echo does not do this"))
}

#[tonic::async_trait]
impl ProjectService for Echo {
    async fn get_project(&self, request: Request<GetProjectRequest>) -> Result<Response<Project>, Status> {
        let project = if request.into_inner().name == ONE_TEXT { &self.one_text } else { &self.project };
        Ok(Response::new(Project::clone(project)))
    }

    async fn create_project(&self, request: Request<CreateProjectRequest>) -> Result<Response<Project>, Status> {
        let revision = self.revision.fetch_add(1, Ordering::Relaxed);
        Ok(Response::new(sample::stamped(request.into_inner().project.unwrap_or_default(), revision)))
    }

    async fn list_projects(&self, _: Request<ListProjectsRequest>) -> Result<Response<ListProjectsResponse>, Status> {
        not_here()
    }

    async fn update_project(&self, _: Request<UpdateProjectRequest>) -> Result<Response<Project>, Status> {
        not_here()
    }

    async fn delete_project(&self, _: Request<DeleteProjectRequest>) -> Result<Response<Project>, Status> {
        not_here()
    }

    async fn undelete_project(&self, _: Request<UndeleteProjectRequest>) -> Result<Response<Project>, Status> {
        not_here()
    }

    async fn rollback_project(&self, _: Request<RollbackProjectRequest>) -> Result<Response<Project>, Status> {
        not_here()
    }

    async fn batch_get_projects(
        &self,
        _: Request<BatchGetProjectsRequest>,
    ) -> Result<Response<BatchGetProjectsResponse>, Status> {
        not_here()
    }
}

#[tonic::async_trait]
impl RegistryService for Echo {
    async fn commit(&self, request: Request<CommitRequest>) -> Result<Response<CommitResponse>, Status> {
        let stamped = &self.project;
        let result = |_| MutationResult {
            name: stamped.name.clone(),
            action: ChangeAction::Create.into(),
            etag: stamped.etag.clone(),
            revision: stamped.revision,
            findings: Vec::new(),
        };
        Ok(Response::new(CommitResponse {
            revision: 1,
            commit_time: stamped.create_time,
            results: request.into_inner().mutations.into_iter().map(result).collect(),
        }))
    }

    type WatchStream = Empty<Result<WatchResponse, Status>>;

    async fn watch(&self, _: Request<WatchRequest>) -> Result<Response<Self::WatchStream>, Status> {
        not_here()
    }

    async fn list_revisions(
        &self,
        _: Request<ListRevisionsRequest>,
    ) -> Result<Response<ListRevisionsResponse>, Status> {
        not_here()
    }

    async fn get_revision(&self, _: Request<GetRevisionRequest>) -> Result<Response<ResourceRevision>, Status> {
        not_here()
    }

    async fn list_commits(&self, _: Request<ListCommitsRequest>) -> Result<Response<ListCommitsResponse>, Status> {
        not_here()
    }

    type ExportStream = Empty<Result<ExportResponse, Status>>;

    async fn export(&self, _: Request<ExportRequest>) -> Result<Response<Self::ExportStream>, Status> {
        not_here()
    }
}
