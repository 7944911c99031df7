//! [`Resources`]: the typed handle of one kind, with the standard methods. The same code for every kind.

use std::marker::PhantomData;

use partnership_registry::v1::QueryPlan;

use crate::call::new_request_id;
use crate::connection::Connection;
use crate::count::CountCall;
use crate::error::Error;
use crate::items::Items;
use crate::list::{ListOptions, ListPage};
use crate::paging;
use crate::point::{Mask, revision_name};
use crate::read::{BatchGetCall, GetCall};
use crate::service::{BatchGet, Create, Delete, Get, List, Rollback, Service, Undelete, Update, check_dated};
use crate::write::{CreateCall, DeleteCall, RollbackCall, UndeleteCall, UpdateCall};

/// The resources of one kind. Cheap to clone.
///
/// Names may be given in full, `countries/kr`, or as the id alone, `kr`.
#[derive(Debug)]
pub struct Resources<K> {
    connection: Connection,
    kind: PhantomData<fn() -> K>,
}

impl<K> Clone for Resources<K> {
    fn clone(&self) -> Self {
        Self { connection: self.connection.clone(), kind: PhantomData }
    }
}

impl<K: Service> Resources<K> {
    pub(crate) fn new(connection: Connection) -> Self {
        Self { connection, kind: PhantomData }
    }

    pub(crate) fn connection(&self) -> &Connection {
        &self.connection
    }

    /// Reads one, also if it is deleted: set options on the returned call, then await it.
    ///
    /// ```no_run
    /// # use partnership_registry_client::{Error, Registry};
    /// # async fn example(registry: Registry) -> Result<(), Error> {
    /// let korea = registry.countries().get("countries/kr").await?;
    /// let capital = registry.countries().get("kr").at(12).fields(["capital"]).await?.capital;
    /// # Ok(())
    /// # }
    /// ```
    pub fn get(&self, name: &str) -> GetCall<K> {
        GetCall::new(self.connection.clone(), Get { name: full_name::<K>(name), ..Get::default() })
    }

    /// Reads one unless its etag is the one that the caller has. `None`: it has not changed.
    ///
    /// # Errors
    /// `NOT_FOUND`: there is no such resource.
    pub async fn get_if_changed(&self, name: &str, etag: &str) -> Result<Option<K>, Error> {
        let get = Get { name: full_name::<K>(name), if_none_match: etag.to_owned(), ..Get::default() };
        let resource = GetCall::<K>::new(self.connection.clone(), get).await?;
        // A response with the caller's etag is abridged: the caller has the resource.
        Ok(Some(resource).filter(|resource| etag.is_empty() || resource.etag() != etag))
    }

    /// Reads many at one revision, in the order of the names: all or none. At most 1,000.
    pub fn batch_get<N: AsRef<str>>(&self, names: impl IntoIterator<Item = N>) -> BatchGetCall<K> {
        let names = names.into_iter().map(|name| full_name::<K>(name.as_ref())).collect();
        BatchGetCall::new(self.connection.clone(), BatchGet { names, ..BatchGet::default() })
    }

    /// Lists resources, fetching pages on demand. The listing is one consistent snapshot, however long reading it takes.
    pub fn list(&self, options: ListOptions) -> Items<K> {
        paging::items(self.pages(options))
    }

    /// Lists resources page by page, each with the revision and the size of the whole.
    pub fn pages(&self, options: ListOptions) -> Items<ListPage<K>> {
        let connection = self.connection.clone();
        paging::pages(move |token| {
            let (connection, page) = (connection.clone(), options.page(token));
            async move {
                check_dated::<K>(page.valid_date.as_ref())?;
                let page = connection.unary(page, |request| K::list(connection.channel(), request)).await?;
                Ok(ListPage::from(page))
            }
        })
    }

    /// How a listing would be found, and what that costs; nothing is listed.
    ///
    /// # Errors
    /// As listing itself. `INVALID_ARGUMENT`: a bad filter or order.
    pub async fn explain(&self, options: ListOptions) -> Result<QueryPlan, Error> {
        let list = List { explain: true, ..options.page(String::new()) };
        check_dated::<K>(list.valid_date.as_ref())?;
        let listed = self.connection.unary(list, |request| K::list(self.connection.channel(), request)).await?;
        Ok(listed.plan.unwrap_or_default())
    }

    /// Counts resources: set what to count by on the returned call, then await it.
    ///
    /// ```no_run
    /// # use partnership_registry_client::{Error, Registry};
    /// # async fn example(registry: Registry) -> Result<(), Error> {
    /// let counted = registry.projects().count().group_by(["state"]).sum("budgets.amount").await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn count(&self) -> CountCall {
        CountCall::new(self.connection.clone(), K::COLLECTION)
    }

    /// Creates one: set options on the returned call, then await it.
    ///
    /// ```no_run
    /// # use partnership_registry_client::{Error, Registry, v1::FocusArea};
    /// # async fn example(registry: Registry) -> Result<(), Error> {
    /// let area = FocusArea { display_name: "Artificial intelligence".into(), ..FocusArea::default() };
    /// let area = registry.focus_areas().create(area).id("artificial-intelligence").await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn create(&self, resource: K) -> CreateCall<K> {
        let request_id = new_request_id();
        let request = Create { resource: Some(resource), request_id, ..Create::default() };
        CreateCall::new(self.connection.clone(), request)
    }

    /// Updates the fields of one that the mask names. The resource has its `name`, and if its `etag` is set, it must be
    /// the current one.
    ///
    /// ```no_run
    /// # use partnership_registry_client::{Error, Registry};
    /// # async fn example(registry: Registry) -> Result<(), Error> {
    /// let mut korea = registry.countries().get("kr").await?;
    /// korea.capital = "Seoul".into();
    /// // Refused if it was changed since it was read: it contains the etag.
    /// registry.countries().update(korea, ["capital"]).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn update(&self, resource: K, mask: impl Into<Mask>) -> UpdateCall<K> {
        let (request_id, update_mask) = (new_request_id(), mask.into().into());
        let request = Update { resource: Some(resource), update_mask, request_id, ..Update::default() };
        UpdateCall::new(self.connection.clone(), request)
    }

    /// Marks one as deleted. It can still be read, and undeleted.
    pub fn delete(&self, name: &str) -> DeleteCall<K> {
        let (name, request_id) = (full_name::<K>(name), new_request_id());
        DeleteCall::new(self.connection.clone(), Delete { name, request_id, ..Delete::default() })
    }

    /// Undeletes one.
    pub fn undelete(&self, name: &str) -> UndeleteCall<K> {
        let (name, request_id) = (full_name::<K>(name), new_request_id());
        UndeleteCall::new(self.connection.clone(), Undelete { name, request_id, ..Undelete::default() })
    }

    /// Makes one what it was in an earlier revision, as a new revision. One that is deleted is brought back. It must have
    /// changed in that revision: [`Registry::list_revisions`](crate::Registry::list_revisions) tells in which it did.
    ///
    /// ```no_run
    /// # use partnership_registry_client::{Error, Registry};
    /// # async fn example(registry: Registry) -> Result<(), Error> {
    /// let korea = registry.countries().rollback("kr", 12).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn rollback(&self, name: &str, revision: u64) -> RollbackCall<K> {
        let (name, request_id) = (revision_name(&full_name::<K>(name), revision), new_request_id());
        RollbackCall::new(self.connection.clone(), Rollback { name, request_id, ..Rollback::default() })
    }
}

/// Completes an id. What has a slash is sent as it is.
fn full_name<K: Service>(name: &str) -> String {
    if name.contains('/') { name.to_owned() } else { format!("{}/{name}", K::COLLECTION) }
}

#[cfg(test)]
mod tests {
    use partnership_registry::v1::FocusArea;

    use super::*;

    #[test]
    fn an_id_alone_is_completed() {
        assert_eq!(full_name::<FocusArea>("ai"), "focusAreas/ai");
        assert_eq!(full_name::<FocusArea>("countries/kr"), "countries/kr");
    }
}
