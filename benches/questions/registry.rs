//! The registry, asked.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use partnership_registry::v1::insight_service_client::InsightServiceClient;
use partnership_registry::v1::project_service_client::ProjectServiceClient;
use partnership_registry::v1::registry_service_client::RegistryServiceClient;
use partnership_registry::v1::{
    CommitRequest, CountResourcesRequest, CreateMutation, CreateProjectRequest, ListProjectsRequest,
    ListProjectsResponse, Mutation, Resource, mutation,
};
use tonic::transport::Channel;

use super::data::{self, Question, Selection};
use super::{Answer, BATCH, PAGE};
use crate::load::{self, Turn};

const BY_DISPLAY_NAME: &str = "display_name";

/// Connections to a registry.
#[derive(Clone)]
pub(crate) struct Registry {
    channels: Vec<Channel>,
    /// The token of the last page of all by display name.
    last_page: String,
}

impl Registry {
    pub(crate) async fn connect(address: &str) -> Registry {
        Registry { channels: load::connect(address).await, last_page: String::new() }
    }

    /// Creates what the projects refer to, and so many projects.
    pub(crate) async fn fill(&mut self, size: u64) {
        commit(self.channels[0].clone(), data::others()).await;
        let mut filling = tokio::task::JoinSet::new();
        for first in (0..size).step_by(BATCH as usize) {
            let channel = self.channels[(first / BATCH) as usize % self.channels.len()].clone();
            let projects = (first..size.min(first + BATCH)).map(|number| data::named(number).into()).collect();
            filling.spawn(commit(channel, projects));
            if filling.len() >= self.channels.len() {
                filling.join_next().await.unwrap().unwrap();
            }
        }
        filling.join_all().await;
    }

    /// Finds the last page. A page says where the next one begins, so all are taken, as large as they may be.
    pub(crate) async fn find_last_page(&mut self, size: u64) {
        let mut token = String::new();
        let mut left = size - PAGE as u64;
        while left > 0 {
            let page_size = left.min(1_000);
            let page = self.list("", BY_DISPLAY_NAME, page_size as i32, token).await;
            assert_eq!(page.projects.len() as u64, page_size);
            token = page.next_page_token;
            left -= page_size;
        }
        self.last_page = token;
    }

    async fn list(&self, filter: &str, order_by: &str, page_size: i32, page_token: String) -> ListProjectsResponse {
        let (filter, order_by) = (filter.to_owned(), order_by.to_owned());
        let request = ListProjectsRequest { filter, order_by, page_size, page_token, ..ListProjectsRequest::default() };
        ProjectServiceClient::new(self.channels[0].clone()).list_projects(request).await.unwrap().into_inner()
    }

    pub(crate) async fn ask(&self, question: Question, call: u64) -> Answer {
        let page = match question {
            Question::Few | Question::Many => {
                let Selection { organization, focus_area, state } = Selection::new(question, call);
                let filter = format!(
                    "participants.organization = \"{organization}\" AND focus_areas = \"{focus_area}\" AND state = {}",
                    state.as_str_name()
                );
                self.list(&filter, "", PAGE, String::new()).await
            }
            Question::Latest => {
                let (country, first, last) = data::country_and_years(call);
                let filter =
                    format!("countries = \"{country}\" AND approval_date >= {first} AND approval_date <= {last}");
                self.list(&filter, "approval_date desc", PAGE, String::new()).await
            }
            Question::First => self.list("", BY_DISPLAY_NAME, PAGE, String::new()).await,
            Question::Last => self.list("", BY_DISPLAY_NAME, PAGE, self.last_page.clone()).await,
            Question::Count => return self.count().await,
        };
        let names = page.projects.into_iter().map(|project| project.name).collect();
        Answer { names, total: Some(page.total_size.into()) }
    }

    async fn count(&self) -> Answer {
        let request = CountResourcesRequest {
            collection: "projects".into(),
            group_by: vec!["state".into(), "year(approval_date)".into()],
            groups_max: 10_000,
            ..CountResourcesRequest::default()
        };
        let answer = InsightServiceClient::new(self.channels[0].clone()).count_resources(request).await.unwrap();
        let answer = answer.into_inner();
        let state =
            |key: &str| partnership_registry::v1::ProjectState::from_str_name(key).map_or(0, |state| state as i32);
        let mut names: Vec<_> = answer
            .groups
            .iter()
            .map(|group| format!("{} {} {}", state(&group.keys[0]), group.keys[1], group.count))
            .collect();
        names.sort();
        Answer { names, total: Some(answer.total_size) }
    }

    /// Creates projects, so many in flight, with the numbers from this one on.
    pub(crate) async fn create(&self, next: Arc<AtomicU64>, in_flight: usize, time: Duration) -> Turn {
        let clients: Arc<Vec<_>> = Arc::new(self.channels.iter().cloned().map(ProjectServiceClient::new).collect());
        load::run(in_flight, time, move |caller, _| {
            let mut client = clients[caller % clients.len()].clone();
            let project = Some(data::project(next.fetch_add(1, Ordering::Relaxed)));
            let request = CreateProjectRequest { project, ..CreateProjectRequest::default() };
            async move {
                client.create_project(request).await.unwrap();
            }
        })
        .await
    }
}

pub(crate) async fn commit(channel: Channel, resources: Vec<Resource>) {
    let create = |resource| {
        let create = CreateMutation { resource: Some(resource) };
        Mutation { operation: Some(mutation::Operation::Create(create)) }
    };
    let request = CommitRequest { mutations: resources.into_iter().map(create).collect(), ..CommitRequest::default() };
    RegistryServiceClient::new(channel).commit(request).await.unwrap();
}
