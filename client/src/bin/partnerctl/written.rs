//! [`Written`]: a resource to create or to change. It is sent as a commit, whose answer also tells of what was asked for and
//! not done.

use partnership_registry_client::v1::{
    CreateMutation, Mutation, MutationResult, Resource, UpdateMutation, mutation::Operation,
};
use partnership_registry_client::{Mask, Registry, WriteOptions};

use crate::change::Change;
use crate::failure::Failure;
use crate::kinds::handle_of;

/// A resource to create or to change.
pub(crate) enum Written {
    /// A new one, under its name.
    New {
        /// The resource.
        resource: Resource,
        /// Where it was found; empty if the command line has it.
        place: String,
    },
    /// One whose fields are changed.
    Changed {
        /// The new values.
        resource: Resource,
        /// The fields to change.
        mask: Mask,
        /// Create it if it does not exist.
        allow_missing: bool,
        /// Where it was found.
        place: String,
    },
}

impl Written {
    /// Writes it, or only checks whether it could be written.
    pub(crate) async fn send(&self, registry: &Registry, validate_only: bool) -> Result<MutationResult, Failure> {
        let done = registry.commit().mutation(self.mutation()).validate_only(validate_only).await;
        let results = done.map_err(|error| Failure::write(error, vec![self.change()], validate_only))?.results;
        results.into_iter().next().ok_or_else(|| Failure::Local("the server did not say what it did".to_owned()))
    }

    /// The resource as it would be, with nothing written.
    pub(crate) async fn preview(self, registry: &Registry) -> Result<Resource, Failure> {
        let options = WriteOptions { validate_only: true, ..WriteOptions::default() };
        Ok(match self {
            Self::New { resource, .. } => {
                let id = resource.name().split_once('/').map_or("", |(_, id)| id).to_owned();
                handle_of(registry, resource.collection().unwrap_or_default())?.create(&id, resource, options).await?
            }
            Self::Changed { resource, mask, allow_missing, .. } => {
                let handle = handle_of(registry, resource.collection().unwrap_or_default())?;
                handle.update(resource, mask, WriteOptions { allow_missing, ..options }).await?
            }
        })
    }

    fn change(&self) -> Change {
        let (Self::New { resource, place } | Self::Changed { resource, place, .. }) = self;
        let name = if resource.name().is_empty() { resource.collection().unwrap_or_default() } else { resource.name() };
        Change { place: place.clone(), name: name.to_owned() }
    }

    fn mutation(&self) -> Mutation {
        let operation = match self {
            Self::New { resource, .. } => Operation::Create(CreateMutation { resource: Some(resource.clone()) }),
            Self::Changed { resource, mask, allow_missing, .. } => Operation::Update(UpdateMutation {
                resource: Some(resource.clone()),
                update_mask: mask.clone().into(),
                allow_missing: *allow_missing,
                ..UpdateMutation::default()
            }),
        };
        Mutation { operation: Some(operation) }
    }
}
