//! Trees (AIP-121): for every field that leads to a parent, no resource is its own ancestor, and none has too many.

use prost_reflect::{DynamicMessage, FieldDescriptor, Value};
use tonic::{Code, Status};

use super::coverage::Coverage;
use super::kind::{Kind, rules};
use super::sample::Fill;
use super::suite::{Suite, envelope};
use crate::harness::dynamic::{message, number, set, string, text};
use crate::harness::refused;

/// A field that leads to a parent, and its kind.
struct Tree<'a> {
    suite: &'a Suite,
    kind: &'a Kind,
    field: FieldDescriptor,
    max: usize,
}

/// Every such field.
fn trees(suite: &Suite) -> Vec<Tree<'_>> {
    let mut found = Vec::new();
    for kind in &suite.kinds {
        for field in kind.settable() {
            let max = rules(&field).ancestors_max;
            if max > 0 {
                found.push(Tree { suite, kind, field, max });
            }
        }
    }
    assert!(found.len() >= 3, "few trees: {}", found.len());
    found
}

impl Tree<'_> {
    fn name(&self) -> String {
        format!("{}/{}", self.kind.collection, self.suite.id())
    }

    fn creation(&self, name: &str, parent: &str) -> Value {
        let mut resource = self.suite.sampler.resource(self.kind, Fill::Least, 0);
        set(&mut resource, self.field.name(), string(parent));
        self.suite.creation(self.kind, name, resource)
    }

    fn change(&self, name: &str, parent: &str) -> DynamicMessage {
        message(&self.kind.message, [("name", string(name)), (self.field.name(), string(parent))])
    }

    fn moving(&self, name: &str, parent: &str) -> Value {
        let kind = self.kind;
        let paths = super::suite::mask(kind, &[self.field.name()]);
        self.suite.mutation("update", [("resource", envelope(kind, self.change(name, parent))), ("update_mask", paths)])
    }

    async fn put(&self, name: &str, parent: &str) -> Result<DynamicMessage, Status> {
        self.suite.update(self.kind, self.change(name, parent), &[self.field.name()]).await
    }

    /// A chain of resources, the first of which has no parent: made in one commit, the last one first.
    async fn chain(&self, count: usize) -> Vec<String> {
        let names: Vec<String> = (0..count).map(|_| self.name()).collect();
        let creations = (0..count).rev().map(|n| {
            let parent = n.checked_sub(1).map_or("", |above| names[above].as_str());
            self.creation(&names[n], parent)
        });
        self.suite.commit(creations.collect()).await.unwrap_or_else(|status| panic!("{}: {status}", self.kind.name()));
        names
    }

    fn refused<T: std::fmt::Debug>(&self, answer: Result<T, Status>, reason: &str, path: &str) {
        let told = refused(answer);
        let what = format!("{}: {told:?}", self.field.full_name());
        assert_eq!((told.code, told.reason.as_str()), (Code::FailedPrecondition, reason), "{what}");
        assert!(told.names(path) && told.metadata["field"] == path, "{path} is not named: {what}");
        assert!(!told.metadata["chain"].is_empty(), "{what}");
        if reason == "TOO_MANY_ANCESTORS" {
            assert_eq!(told.metadata["ancestorsMax"], self.max.to_string(), "{what}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chain_of_parents_is_as_long_as_it_may_be_and_no_longer() {
    let suite = Suite::start().await;
    let every = trees(&suite);
    let wanted = every.iter().map(|tree| tree.field.full_name());
    let mut coverage = Coverage::of("121 parents lead in no circle", "fields", wanted);
    for tree in &every {
        let (kind, field) = (tree.kind, tree.field.name());
        coverage.held(tree.field.full_name());
        let names = tree.chain(tree.max + 1).await;
        let (top, last) = (&names[0], &names[tree.max]);
        let mut resource = suite.sampler.resource(kind, Fill::Least, 0);
        set(&mut resource, field, string(last));
        tree.refused(
            suite.create(kind, &suite.id(), resource).await,
            "TOO_MANY_ANCESTORS",
            &format!("{}.{field}", kind.singular),
        );
        let path = format!("mutations[0].create.resource.{}.{field}", kind.singular);
        tree.refused(suite.commit(vec![tree.creation(&tree.name(), last)]).await, "TOO_MANY_ANCESTORS", &path);

        // What moves takes its descendants along.
        let above = tree.chain(1).await.remove(0);
        tree.refused(tree.put(top, &above).await, "TOO_MANY_ANCESTORS", &format!("{}.{field}", kind.singular));
        // Without the last one there is room, and then no more for the last one, however it comes back.
        let deleted = suite.delete(kind, last).await.unwrap();
        tree.put(top, &above).await.unwrap();
        tree.refused(suite.undelete(kind, last).await, "TOO_MANY_ANCESTORS", field);
        let undelete = suite.mutation("undelete", [("name", string(last))]);
        tree.refused(
            suite.commit(vec![undelete]).await,
            "TOO_MANY_ANCESTORS",
            &format!("mutations[0].undelete.{field}"),
        );
        let made = number(suite.revisions(last).await.last().unwrap(), "revision");
        tree.refused(suite.rollback(kind, last, made).await, "TOO_MANY_ANCESTORS", field);
        // One commit may make the room and take it.
        let undelete = suite.mutation("undelete", [("name", string(last)), ("etag", string(text(&deleted, "etag")))]);
        suite.commit(vec![undelete, tree.moving(top, "")]).await.unwrap();
    }
    coverage.complete();
}

#[tokio::test(flavor = "multi_thread")]
async fn no_resource_becomes_its_own_ancestor() {
    let suite = Suite::start().await;
    for tree in trees(&suite) {
        let (kind, field) = (tree.kind, tree.field.name());
        let single = format!("{}.{field}", kind.singular);
        let path = |n: usize| format!("mutations[{n}].update.resource.{}.{field}", kind.singular);
        let names = tree.chain(3).await;
        let [a, b, c] = names.as_slice() else { panic!("{names:?}") };
        tree.refused(tree.put(a, a).await, "PARENT_CYCLE", &single);
        tree.refused(tree.put(a, b).await, "PARENT_CYCLE", &single);
        tree.refused(tree.put(a, c).await, "PARENT_CYCLE", &single);
        let itself = tree.name();
        let mine = format!("mutations[0].create.resource.{}.{field}", kind.singular);
        tree.refused(suite.commit(vec![tree.creation(&itself, &itself)]).await, "PARENT_CYCLE", &mine);

        // Two changes that are good each by itself.
        let others = tree.chain(2).await;
        let both = vec![tree.moving(a, &others[1]), tree.moving(&others[0], c)];
        tree.refused(suite.commit(both).await, "PARENT_CYCLE", &path(0));
        // And changes that are good only together: the chain turns around.
        suite.commit(vec![tree.moving(c, ""), tree.moving(b, c), tree.moving(a, b)]).await.unwrap();
        tree.refused(tree.put(c, a).await, "PARENT_CYCLE", &single);

        // Back to when the chain was the other way: all of them, or none.
        let first = |name: &str| {
            let name = name.to_owned();
            let suite = &suite;
            async move {
                let made = number(suite.revisions(&name).await.last().unwrap(), "revision");
                suite.mutation("rollback", [("name", string(format!("{name}/revisions/{made}")))])
            }
        };
        tree.refused(
            suite.commit(vec![first(c).await]).await,
            "PARENT_CYCLE",
            &format!("mutations[0].rollback.{field}"),
        );
        suite.commit(vec![first(c).await, first(a).await, first(b).await]).await.unwrap();
        tree.refused(tree.put(a, c).await, "PARENT_CYCLE", &single);
    }
}
