//! What the registry knows, as the contract tells it, and back.

use bytes::Bytes;
use partnership_registry::v1::{
    self, Commit, MutationResult, QueryPlan, QueryTest, QueryTestSource, Resource, ResourceRevision,
};
use prost::Message;
use prost_types::{FieldMask, Timestamp};
use tonic::Status;

use crate::faults;
use crate::registry::{Action, AnsweredFrom, Error, Plan, PlannedTest, Point, Record, Version, WrittenOne};
use crate::values::{Broken, timestamp};

/// As of when a request wants to read.
pub(crate) fn point(revision: u64, time: Option<Timestamp>) -> Result<Point, Error> {
    match (revision, time) {
        (0, None) => Ok(Point::Head),
        (revision, None) => Ok(Point::Revision(revision)),
        (0, Some(time)) => match timestamp::check(&time).filter(|_| faults::planted("any-read-time").is_none()) {
            Some(Broken { field: "nanos", rule }) => {
                Err(Error::invalid("read_time.nanos", format!("{rule}, and is {}", time.nanos)))
            }
            Some(Broken { rule, .. }) => {
                Err(Error::invalid("read_time", format!("{rule}, and has {} seconds since 1970", time.seconds)))
            }
            None => Ok(Point::Time(time.into())),
        },
        (_, Some(_)) => Err(Error::invalid("read_time", "is not given together with read_revision")),
    }
}

/// Both parts of a request, or all that is wrong with either.
pub(crate) fn both<A, B>(one: Result<A, Error>, other: Result<B, Error>) -> Result<(A, B), Error> {
    match (one, other) {
        (Ok(one), Ok(other)) => Ok((one, other)),
        (Err(Error::Invalid(mut violations)), Err(Error::Invalid(more))) => {
            violations.add_all("", more);
            Err(Error::Invalid(violations))
        }
        (Err(error), _) | (_, Err(error)) => Err(error),
    }
}

/// A message of the registry's own bytes.
pub(crate) fn decode<M: Message + Default>(bytes: impl bytes::Buf) -> Result<M, Status> {
    M::decode(bytes).map_err(|error| {
        tracing::error!(%error, "a stored resource cannot be decoded");
        Status::from(Error::Damaged { revision: 0 })
    })
}

/// A resource of stored bytes; `None` for none.
pub(crate) fn envelope(bytes: Bytes) -> Result<Option<Resource>, Status> {
    if bytes.is_empty() { Ok(None) } else { decode(bytes).map(Some) }
}

/// What came of a mutation.
pub(crate) fn mutation_result(one: WrittenOne) -> MutationResult {
    MutationResult {
        etag: one.etag().to_owned(),
        revision: one.revision(),
        name: one.name.to_string(),
        action: one.action.map_or(v1::ChangeAction::Unchanged as i32, Action::number),
        findings: one.findings(),
    }
}

/// One revision of a resource.
pub(crate) fn revision(version: Version) -> Result<ResourceRevision, Status> {
    Ok(ResourceRevision {
        name: format!("{}/revisions/{}", version.name, version.record.revision),
        revision: version.record.revision,
        create_time: Some(version.record.commit_time.into()),
        actor: version.record.actor,
        reason: version.record.reason,
        action: version.action.number(),
        changed_fields: Some(FieldMask { paths: version.changed }),
        previous_snapshot: envelope(version.before)?,
        snapshot: envelope(version.after)?,
    })
}

/// How a question is answered.
pub(crate) fn query_plan(plan: Plan) -> QueryPlan {
    QueryPlan {
        tests: plan.tests.into_iter().map(query_test).collect(),
        found: number(plan.found),
        open: number(plan.open),
        changed: number(plan.changed),
        order: plan.order,
        cost: number(plan.cost),
        cost_max: number(plan.cost_max),
    }
}

fn query_test(test: PlannedTest) -> QueryTest {
    let source = match test.source {
        AnsweredFrom::Columns => QueryTestSource::Index,
        AnsweredFrom::ColumnsAndDocuments => QueryTestSource::IndexAndDocuments,
        AnsweredFrom::Timelines => QueryTestSource::Timelines,
        AnsweredFrom::Documents => QueryTestSource::Documents,
    };
    QueryTest { text: test.text, indexed: test.indexed, matches: number(test.matches), source: source.into() }
}

/// How many there are, as the contract writes it.
pub(crate) fn number(count: impl TryInto<i64>) -> i64 {
    count.try_into().unwrap_or(i64::MAX)
}

/// A commit as the journal holds it.
pub(crate) fn commit(record: Record) -> Result<Commit, Status> {
    let mut changes = Vec::with_capacity(record.changes.len());
    for change in record.changes {
        changes.push(v1::Change {
            action: change.action.number(),
            name: change.name.to_string(),
            previous_revision: change.previous_revision,
            before: None,
            after: envelope(change.document)?,
        });
    }
    Ok(Commit {
        revision: record.revision,
        commit_time: Some(record.commit_time.into()),
        actor: record.actor,
        reason: record.reason,
        request_id: record.request.map(|mark| uuid::Uuid::from_bytes(mark.id).to_string()).unwrap_or_default(),
        request_hash: record.request.map(|mark| mark.hash.to_vec()).unwrap_or_default(),
        parent_hash: record.parent_hash.to_vec(),
        hash: record.hash.to_vec(),
        changes,
    })
}
