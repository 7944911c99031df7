//! What every method answers to bad input: one line of intent each.
//!
//! Requests are canonical protobuf JSON. `{live}`, `{deleted}` and `{missing}` are names of a resource of the kind, and
//! `{other}` that of one of another kind; `{kind}` is the field of the kind, `{id}` the last part of `{live}`.

#![allow(clippy::wildcard_enum_match_arm, reason = "what a test did not expect fails it")]

use std::collections::HashSet;

use partnership_registry::descriptors;
use prost_reflect::{DynamicMessage, MethodDescriptor};
use tonic::Code::{self, Aborted, AlreadyExists, FailedPrecondition, InvalidArgument, NotFound, OutOfRange};

use crate::harness::dynamic::Caller;
use crate::harness::{Refusal, Server, refusal};

/// The method, the intent, the request, the code, the reason, and the field or subject that is named, if any.
type Line = (&'static str, &'static str, &'static str, Code, &'static str, &'static str);

const FIELDS: &str = "INVALID_FIELDS";

/// The methods that every kind has; the name of the kind is left out.
#[rustfmt::skip]
const STANDARD: &[Line] = &[
    ("Get", "no name", r#"{}"#, InvalidArgument, FIELDS, "name"),
    ("Get", "an id alone", r#"{"name": "{id}"}"#, InvalidArgument, FIELDS, "name"),
    ("Get", "another kind", r#"{"name": "{other}"}"#, InvalidArgument, FIELDS, "name"),
    ("Get", "no id", r#"{"name": "{collection}/"}"#, InvalidArgument, FIELDS, "name"),
    ("Get", "capitals", r#"{"name": "{collection}/KR"}"#, InvalidArgument, FIELDS, "name"),
    ("Get", "a part too many", r#"{"name": "{live}/x"}"#, InvalidArgument, FIELDS, "name"),
    ("Get", "a space", r#"{"name": " {live}"}"#, InvalidArgument, FIELDS, "name"),
    ("Get", "what is not there", r#"{"name": "{missing}"}"#, NotFound, "NOT_FOUND", ""),
    ("Get", "before it was", r#"{"name": "{live}", "readRevision": "1"}"#, NotFound, "NOT_FOUND", ""),
    ("Get", "the future", r#"{"name": "{live}", "readRevision": "99999999"}"#, OutOfRange, "REVISION_IN_FUTURE", ""),
    ("Get", "before all", r#"{"name": "{live}", "readTime": "1970-01-01T00:00:00Z"}"#, OutOfRange, "TIME_BEFORE_FIRST", ""),
    ("Get", "an etag without quotes", r#"{"name": "{live}", "ifNoneMatch": "x"}"#, InvalidArgument, FIELDS, "if_none_match"),
    ("Get", "any etag", r#"{"name": "{live}", "ifNoneMatch": "*"}"#, InvalidArgument, FIELDS, "if_none_match"),
    ("Get", "two points", r#"{"name": "{live}", "readRevision": "1", "readTime": "2000-01-01T00:00:00Z"}"#, InvalidArgument, FIELDS, "read_time"),
    ("Get", "a mask of an unknown field", r#"{"name": "{live}", "readMask": "name,colour"}"#, InvalidArgument, FIELDS, "read_mask"),
    ("Get", "a mask into a list", r#"{"name": "{live}", "readMask": "documents.title"}"#, InvalidArgument, FIELDS, "read_mask"),
    ("List", "a mask of an unknown field", r#"{"readMask": "colour"}"#, InvalidArgument, FIELDS, "read_mask"),
    ("List", "a negative page", r#"{"pageSize": -1}"#, InvalidArgument, FIELDS, "page_size"),
    ("List", "a token of nobody", r#"{"pageToken": "abc"}"#, InvalidArgument, "PAGE_TOKEN_INVALID", "page_token"),
    ("List", "a filter of an unknown field", r#"{"filter": "colour = \"red\""}"#, InvalidArgument, FIELDS, "filter"),
    ("List", "a filter that is not closed", r#"{"filter": "display_name = \"x"}"#, InvalidArgument, FIELDS, "filter"),
    ("List", "a filter of another type", r#"{"filter": "revision > many"}"#, InvalidArgument, FIELDS, "filter"),
    ("List", "a filter of a bare word", r#"{"filter": "labels:a OR labels"}"#, InvalidArgument, FIELDS, "filter"),
    ("List", "an unknown order", r#"{"orderBy": "colour"}"#, InvalidArgument, FIELDS, "order_by"),
    ("List", "an order twice", r#"{"orderBy": "name, display_name, name desc"}"#, InvalidArgument, FIELDS, "order_by"),
    ("List", "the future", r#"{"readRevision": "99999999"}"#, OutOfRange, "REVISION_IN_FUTURE", ""),
    ("List", "before all", r#"{"readTime": "1970-01-01T00:00:00Z"}"#, OutOfRange, "TIME_BEFORE_FIRST", ""),
    ("List", "two points", r#"{"readRevision": "1", "readTime": "2000-01-01T00:00:00Z"}"#, InvalidArgument, FIELDS, "read_time"),
    ("Create", "nothing", r#"{}"#, InvalidArgument, FIELDS, "{kind}"),
    ("Create", "what is empty", r#"{"{kind}": {}}"#, InvalidArgument, FIELDS, "{kind}.display_name"),
    ("Create", "an id with capitals", r#"{"{kind}_id": "KR", "{kind}": {least}}"#, InvalidArgument, FIELDS, "{kind}_id"),
    ("Create", "a name as an id", r#"{"{kind}_id": "{missing}", "{kind}": {least}}"#, InvalidArgument, FIELDS, "{kind}_id"),
    ("Create", "an id that is taken", r#"{"{kind}_id": "{id}", "{kind}": {least}}"#, AlreadyExists, "ALREADY_EXISTS", ""),
    ("Create", "an id that was taken", r#"{"{kind}_id": "{deleted_id}", "{kind}": {least}}"#, AlreadyExists, "ALREADY_EXISTS", ""),
    ("Create", "a bad label", r#"{"{kind}": {"labels": {"A": "b"}}}"#, InvalidArgument, FIELDS, "{kind}.labels[\"A\"]"),
    ("Create", "a document without a title", r#"{"{kind}": {"documents": [{}]}}"#, InvalidArgument, FIELDS, "{kind}.documents[0].title"),
    ("Create", "a bad hash", r#"{"{kind}": {"documents": [{"title": "a", "sha256": "b"}]}}"#, InvalidArgument, FIELDS, "{kind}.documents[0].sha256"),
    ("Create", "no UUID", r#"{"{kind}": {least}, "requestId": "1"}"#, InvalidArgument, FIELDS, "request_id"),
    ("Update", "nothing", r#"{}"#, InvalidArgument, FIELDS, "{kind}"),
    ("Update", "no name", r#"{"{kind}": {least}}"#, InvalidArgument, FIELDS, "{kind}.name"),
    ("Update", "another kind", r#"{"{kind}": {"name": "{other}"}}"#, InvalidArgument, FIELDS, "{kind}.name"),
    ("Update", "an unknown path", r#"{"{kind}": {"name": "{live}"}, "updateMask": "colour"}"#, InvalidArgument, FIELDS, "update_mask"),
    ("Update", "a path into a list", r#"{"{kind}": {"name": "{live}"}, "updateMask": "documents.title"}"#, InvalidArgument, FIELDS, "update_mask"),
    ("Update", "a path to a bad key", r#"{"{kind}": {"name": "{live}"}, "updateMask": "labels.`A b`"}"#, InvalidArgument, FIELDS, "update_mask"),
    ("Update", "another uid", r#"{"{kind}": {"name": "{live}", "uid": "x"}, "updateMask": "uid"}"#, InvalidArgument, FIELDS, "{kind}.uid"),
    ("Update", "no uid", r#"{"{kind}": {"name": "{live}"}, "updateMask": "uid"}"#, InvalidArgument, FIELDS, "{kind}.uid"),
    ("Update", "what is not there", r#"{"{kind}": {"name": "{missing}", "displayName": "x"}}"#, NotFound, "NOT_FOUND", ""),
    ("Update", "what is deleted", r#"{"{kind}": {"name": "{deleted}", "displayName": "x"}}"#, FailedPrecondition, "DELETED", "{deleted}"),
    ("Update", "a stale etag", r#"{"{kind}": {"name": "{live}", "displayName": "x", "etag": "\"x\""}}"#, Aborted, "ETAG_MISMATCH", "{live}"),
    ("Update", "a weak etag", r#"{"{kind}": {"name": "{live}", "displayName": "x", "etag": "W/\"x\""}}"#, InvalidArgument, FIELDS, "{kind}.etag"),
    ("Update", "to no display name", r#"{"{kind}": {"name": "{live}"}, "updateMask": "displayName"}"#, InvalidArgument, FIELDS, "{kind}.display_name"),
    ("Update", "all to nothing", r#"{"{kind}": {"name": "{live}"}, "updateMask": "*"}"#, InvalidArgument, FIELDS, "{kind}.display_name"),
    ("Update", "no UUID", r#"{"{kind}": {"name": "{live}", "displayName": "x"}, "requestId": "1"}"#, InvalidArgument, FIELDS, "request_id"),
    ("Delete", "no name", r#"{}"#, InvalidArgument, FIELDS, "name"),
    ("Delete", "another kind", r#"{"name": "{other}"}"#, InvalidArgument, FIELDS, "name"),
    ("Delete", "what is not there", r#"{"name": "{missing}"}"#, NotFound, "NOT_FOUND", ""),
    ("Delete", "what is deleted", r#"{"name": "{deleted}"}"#, NotFound, "DELETED", ""),
    ("Delete", "a stale etag", r#"{"name": "{live}", "etag": "\"x\""}"#, Aborted, "ETAG_MISMATCH", "{live}"),
    ("Delete", "two etags", r#"{"name": "{live}", "etag": "\"x\", \"y\""}"#, InvalidArgument, FIELDS, "etag"),
    ("Delete", "a bad name that may be missing", r#"{"name": "x", "allowMissing": true}"#, InvalidArgument, FIELDS, "name"),
    ("Delete", "no UUID", r#"{"name": "{live}", "requestId": "1"}"#, InvalidArgument, FIELDS, "request_id"),
    ("Undelete", "no name", r#"{}"#, InvalidArgument, FIELDS, "name"),
    ("Undelete", "another kind", r#"{"name": "{other}"}"#, InvalidArgument, FIELDS, "name"),
    ("Undelete", "what is not there", r#"{"name": "{missing}"}"#, NotFound, "NOT_FOUND", ""),
    ("Undelete", "what is live", r#"{"name": "{live}"}"#, AlreadyExists, "NOT_DELETED", ""),
    ("Undelete", "a stale etag", r#"{"name": "{deleted}", "etag": "\"x\""}"#, Aborted, "ETAG_MISMATCH", "{deleted}"),
    ("Undelete", "no UUID", r#"{"name": "{deleted}", "requestId": "1"}"#, InvalidArgument, FIELDS, "request_id"),
    ("Undelete", "an etag without quotes", r#"{"name": "{deleted}", "etag": "x"}"#, InvalidArgument, FIELDS, "etag"),
    ("Rollback", "no name", r#"{}"#, InvalidArgument, FIELDS, "name"),
    ("Rollback", "a resource", r#"{"name": "{live}"}"#, InvalidArgument, FIELDS, "name"),
    ("Rollback", "another kind", r#"{"name": "{other}/revisions/2"}"#, InvalidArgument, FIELDS, "name"),
    ("Rollback", "no number", r#"{"name": "{live}/revisions/x"}"#, InvalidArgument, FIELDS, "name"),
    ("Rollback", "another's revision", r#"{"name": "{live}/revisions/1"}"#, NotFound, "REVISION_NOT_FOUND", ""),
    ("Rollback", "the future", r#"{"name": "{live}/revisions/99999999"}"#, NotFound, "REVISION_NOT_FOUND", ""),
    ("Rollback", "what is not there", r#"{"name": "{missing}/revisions/1"}"#, NotFound, "NOT_FOUND", ""),
    ("Rollback", "an etag without quotes", r#"{"name": "{live}/revisions/1", "etag": "x"}"#, InvalidArgument, FIELDS, "etag"),
    ("Rollback", "no UUID", r#"{"name": "{live}/revisions/1", "requestId": "1"}"#, InvalidArgument, FIELDS, "request_id"),
    ("BatchGet", "no names", r#"{}"#, InvalidArgument, FIELDS, "names"),
    ("BatchGet", "an empty name", r#"{"names": ["{live}", ""]}"#, InvalidArgument, FIELDS, "names[1]"),
    ("BatchGet", "a mask of an unknown field", r#"{"names": ["{live}"], "readMask": "colour"}"#, InvalidArgument, FIELDS, "read_mask"),
    ("BatchGet", "another kind", r#"{"names": ["{live}", "{other}"]}"#, InvalidArgument, FIELDS, "names[1]"),
    ("BatchGet", "one that is not there", r#"{"names": ["{live}", "{missing}"]}"#, NotFound, "NOT_FOUND", ""),
    ("BatchGet", "the future", r#"{"names": ["{live}"], "readRevision": "99999999"}"#, OutOfRange, "REVISION_IN_FUTURE", ""),
    ("BatchGet", "before one was", r#"{"names": ["{live}"], "readRevision": "1"}"#, NotFound, "NOT_FOUND", ""),
    ("BatchGet", "two points", r#"{"names": ["{live}"], "readRevision": "1", "readTime": "2000-01-01T00:00:00Z"}"#, InvalidArgument, FIELDS, "read_time"),
];

/// The methods that only one kind has: the kind stands first.
#[rustfmt::skip]
const VERBS: &[(&str, Line)] = &[
    ("Agreement", ("RecordEvents", "no name", r#"{"events": [{"type": "AGREEMENT_EVENT_TYPE_SIGNATURE", "actDate": {"year": 1990}}]}"#, InvalidArgument, FIELDS, "name")),
    ("Agreement", ("RecordEvents", "another kind", r#"{"name": "{other}", "events": [{"type": "AGREEMENT_EVENT_TYPE_SIGNATURE", "actDate": {"year": 1990}}]}"#, InvalidArgument, FIELDS, "name")),
    ("Agreement", ("RecordEvents", "no events", r#"{"name": "{live}"}"#, InvalidArgument, FIELDS, "events")),
    ("Agreement", ("RecordEvents", "an event without a type", r#"{"name": "{live}", "events": [{"actDate": {"year": 1990}}]}"#, InvalidArgument, FIELDS, "events[0].type")),
    ("Agreement", ("RecordEvents", "an event without a date", r#"{"name": "{live}", "events": [{"type": "AGREEMENT_EVENT_TYPE_SIGNATURE"}]}"#, InvalidArgument, FIELDS, "events[0].act_date")),
    ("Agreement", ("RecordEvents", "an event of nobody", r#"{"name": "{live}", "events": [{"type": "AGREEMENT_EVENT_TYPE_SIGNATURE", "actDate": {"year": 1990}, "partyIds": ["kr"]}]}"#, InvalidArgument, FIELDS, "events[0].party_ids[0]")),
    ("Agreement", ("RecordEvents", "what is not there", r#"{"name": "{missing}", "events": [{"type": "AGREEMENT_EVENT_TYPE_SIGNATURE", "actDate": {"year": 1990}}]}"#, NotFound, "NOT_FOUND", "")),
    ("Agreement", ("RecordEvents", "what is deleted", r#"{"name": "{deleted}", "events": [{"type": "AGREEMENT_EVENT_TYPE_SIGNATURE", "actDate": {"year": 1990}}]}"#, FailedPrecondition, "DELETED", "{deleted}")),
    ("Agreement", ("RecordEvents", "a stale etag", r#"{"name": "{live}", "etag": "\"x\"", "events": [{"type": "AGREEMENT_EVENT_TYPE_SIGNATURE", "actDate": {"year": 1990}}]}"#, Aborted, "ETAG_MISMATCH", "{live}")),
    ("Agreement", ("RecordEvents", "an etag without quotes", r#"{"name": "{live}", "etag": "x", "events": [{"type": "AGREEMENT_EVENT_TYPE_SIGNATURE", "actDate": {"year": 1990}}]}"#, InvalidArgument, FIELDS, "etag")),
    ("Agreement", ("RecordEvents", "no UUID", r#"{"name": "{live}", "requestId": "1", "events": [{"type": "AGREEMENT_EVENT_TYPE_SIGNATURE", "actDate": {"year": 1990}}]}"#, InvalidArgument, FIELDS, "request_id")),
    ("Agreement", ("RecordEvents", "no event to void", r#"{"name": "{live}", "reason": "x", "voidedEventIds": ["e1"], "events": [{"type": "AGREEMENT_EVENT_TYPE_SIGNATURE", "actDate": {"year": 1990}}]}"#, InvalidArgument, FIELDS, "voided_event_ids[0]")),
    ("Agreement", ("RecordEvents", "no reason to void", r#"{"name": "{live}", "voidedEventIds": ["e1"], "events": [{"type": "AGREEMENT_EVENT_TYPE_SIGNATURE", "actDate": {"year": 1990}}]}"#, InvalidArgument, FIELDS, "voided_event_ids")),
    ("Agreement", ("RecordEvents", "a reference to nothing", r#"{"name": "{live}", "events": [{"type": "AGREEMENT_EVENT_TYPE_SIGNATURE", "actDate": {"year": 1990}, "agreement": "{missing}"}]}"#, FailedPrecondition, "REFERENCE_NOT_FOUND", "events[0].agreement")),
    ("Agreement", ("VoidEvent", "no name", r#"{"eventId": "e1", "reason": "x"}"#, InvalidArgument, FIELDS, "name")),
    ("Agreement", ("VoidEvent", "no event", r#"{"name": "{live}", "reason": "x"}"#, InvalidArgument, FIELDS, "event_id")),
    ("Agreement", ("VoidEvent", "no reason", r#"{"name": "{live}", "eventId": "e1"}"#, InvalidArgument, FIELDS, "reason")),
    ("Agreement", ("VoidEvent", "no such event", r#"{"name": "{live}", "eventId": "e1", "reason": "x"}"#, InvalidArgument, FIELDS, "event_id")),
    ("Agreement", ("VoidEvent", "what is not there", r#"{"name": "{missing}", "eventId": "e1", "reason": "x"}"#, NotFound, "NOT_FOUND", "")),
    ("Agreement", ("VoidEvent", "what is deleted", r#"{"name": "{deleted}", "eventId": "e1", "reason": "x"}"#, FailedPrecondition, "DELETED", "{deleted}")),
    ("Agreement", ("VoidEvent", "a stale etag", r#"{"name": "{live}", "eventId": "e1", "reason": "x", "etag": "\"x\""}"#, Aborted, "ETAG_MISMATCH", "{live}")),
    ("Agreement", ("VoidEvent", "no UUID", r#"{"name": "{live}", "eventId": "e1", "reason": "x", "requestId": "1"}"#, InvalidArgument, FIELDS, "request_id")),
];

/// The methods that go across kinds.
#[rustfmt::skip]
const ACROSS: &[Line] = &[
    ("Commit", "nothing", r#"{}"#, InvalidArgument, FIELDS, "mutations"),
    ("Commit", "an empty mutation", r#"{"mutations": [{}]}"#, InvalidArgument, FIELDS, "mutations[0]"),
    ("Commit", "a creation of nothing", r#"{"mutations": [{"create": {}}]}"#, InvalidArgument, FIELDS, "mutations[0].create.resource"),
    ("Commit", "an update of nothing", r#"{"mutations": [{"update": {}}]}"#, InvalidArgument, FIELDS, "mutations[0].update.resource"),
    ("Commit", "a creation of no kind", r#"{"mutations": [{"create": {"resource": {}}}]}"#, InvalidArgument, FIELDS, "mutations[0].create.resource"),
    ("Commit", "a creation of what is empty", r#"{"mutations": [{"create": {"resource": {"{kind}": {}}}}]}"#, InvalidArgument, FIELDS, "mutations[0].create.resource.{kind}.display_name"),
    ("Commit", "a creation by another kind's name", r#"{"mutations": [{"create": {"resource": {"{kind}": {"name": "{other}", "displayName": "x"}}}}]}"#, InvalidArgument, FIELDS, "mutations[0].create.resource.{kind}.name"),
    ("Commit", "a creation of what is there", r#"{"mutations": [{"create": {"resource": {"{kind}": {"name": "{live}", "displayName": "x"}}}}]}"#, AlreadyExists, "ALREADY_EXISTS", ""),
    ("Commit", "an update without a name", r#"{"mutations": [{"update": {"resource": {"{kind}": {"displayName": "x"}}}}]}"#, InvalidArgument, FIELDS, "mutations[0].update.resource.{kind}.name"),
    ("Commit", "an update by an unknown path", r#"{"mutations": [{"update": {"resource": {"{kind}": {"name": "{live}"}}, "updateMask": "colour"}}]}"#, InvalidArgument, FIELDS, "mutations[0].update.update_mask"),
    ("Commit", "an update of another state", r#"{"mutations": [{"update": {"resource": {"{kind}": {"name": "{live}", "state": "COUNTRY_STATE_ENDED"}}, "updateMask": "state"}}]}"#, InvalidArgument, FIELDS, "mutations[0].update.resource.{kind}.state"),
    ("Commit", "an update of what is not there", r#"{"mutations": [{"update": {"resource": {"{kind}": {"name": "{missing}", "displayName": "x"}}}}]}"#, NotFound, "NOT_FOUND", ""),
    ("Commit", "an update with a stale etag", r#"{"mutations": [{"update": {"resource": {"{kind}": {"name": "{live}", "displayName": "x", "etag": "\"x\""}}}}]}"#, Aborted, "ETAG_MISMATCH", "{live}"),
    ("Commit", "a reference to nothing", r#"{"mutations": [{"update": {"resource": {"{kind}": {"name": "{live}", "sovereign": "{missing}"}}}}]}"#, FailedPrecondition, "REFERENCE_NOT_FOUND", "mutations[0].update.resource.{kind}.sovereign"),
    ("Commit", "a reference to what is deleted", r#"{"mutations": [{"update": {"resource": {"{kind}": {"name": "{live}", "sovereign": "{deleted}"}}}}]}"#, FailedPrecondition, "REFERENCE_NOT_FOUND", "mutations[0].update.resource.{kind}.sovereign"),
    ("Commit", "a deletion without a name", r#"{"mutations": [{"delete": {}}]}"#, InvalidArgument, FIELDS, "mutations[0].delete.name"),
    ("Commit", "a deletion of no kind", r#"{"mutations": [{"delete": {"name": "ships/one"}}]}"#, InvalidArgument, FIELDS, "mutations[0].delete.name"),
    ("Commit", "a deletion of what is deleted", r#"{"mutations": [{"delete": {"name": "{deleted}"}}]}"#, NotFound, "DELETED", ""),
    ("Commit", "a deletion of what is not there", r#"{"mutations": [{"delete": {"name": "{missing}"}}]}"#, NotFound, "NOT_FOUND", ""),
    ("Commit", "an undeletion without a name", r#"{"mutations": [{"undelete": {}}]}"#, InvalidArgument, FIELDS, "mutations[0].undelete.name"),
    ("Commit", "an undeletion of what is live", r#"{"mutations": [{"undelete": {"name": "{live}"}}]}"#, AlreadyExists, "NOT_DELETED", ""),
    ("Commit", "an etag of anything", r#"{"mutations": [{"undelete": {"name": "{deleted}", "etag": "*"}}]}"#, InvalidArgument, FIELDS, "mutations[0].undelete.etag"),
    ("Commit", "a rollback without a name", r#"{"mutations": [{"rollback": {}}]}"#, InvalidArgument, FIELDS, "mutations[0].rollback.name"),
    ("Commit", "a rollback to a resource", r#"{"mutations": [{"rollback": {"name": "{live}"}}]}"#, InvalidArgument, FIELDS, "mutations[0].rollback.name"),
    ("Commit", "a rollback to another's revision", r#"{"mutations": [{"rollback": {"name": "{live}/revisions/1"}}]}"#, NotFound, "REVISION_NOT_FOUND", ""),
    ("Commit", "a rollback and another change of one", r#"{"mutations": [{"delete": {"name": "{live}"}}, {"rollback": {"name": "{live}/revisions/2"}}]}"#, InvalidArgument, FIELDS, "mutations[1]"),
    ("Commit", "a recording without a name", r#"{"mutations": [{"recordEvents": {"events": [{"type": "AGREEMENT_EVENT_TYPE_SIGNATURE", "actDate": {"year": 1990}}]}}]}"#, InvalidArgument, FIELDS, "mutations[0].record_events.name"),
    ("Commit", "a recording of nothing", r#"{"mutations": [{"recordEvents": {"name": "agreements/live"}}]}"#, InvalidArgument, FIELDS, "mutations[0].record_events.events"),
    ("Commit", "a recording of another kind", r#"{"mutations": [{"recordEvents": {"name": "{live}", "events": [{"type": "AGREEMENT_EVENT_TYPE_SIGNATURE", "actDate": {"year": 1990}}]}}]}"#, InvalidArgument, FIELDS, "mutations[0].record_events.name"),
    ("Commit", "a voiding without a reason", r#"{"mutations": [{"voidEvent": {"name": "agreements/live", "eventId": "e1"}}]}"#, InvalidArgument, FIELDS, "mutations[0].void_event.reason"),
    ("Commit", "a voiding of no event", r#"{"mutations": [{"voidEvent": {"name": "agreements/live", "eventId": "e1", "reason": "x"}}]}"#, InvalidArgument, FIELDS, "mutations[0].void_event.event_id"),
    ("Commit", "an unknown reconciliation", r#"{"mutations": [{"update": {"resource": {"{kind}": {"name": "{live}"}}, "reconciliation": 9}}]}"#, InvalidArgument, FIELDS, "mutations[0].update.reconciliation"),
    ("Commit", "a precondition of an etag without quotes", r#"{"mutations": [{"delete": {"name": "{live}"}}], "preconditions": [{"name": "{live}", "etag": "x"}]}"#, InvalidArgument, FIELDS, "preconditions[0].etag"),
    ("Commit", "two changes of one", r#"{"mutations": [{"delete": {"name": "{live}"}}, {"undelete": {"name": "{live}"}}]}"#, InvalidArgument, FIELDS, "mutations[1]"),
    ("Commit", "a precondition without a condition", r#"{"mutations": [{"delete": {"name": "{live}"}}], "preconditions": [{"name": "{live}"}]}"#, InvalidArgument, FIELDS, "preconditions[0]"),
    ("Commit", "a precondition without a name", r#"{"mutations": [{"delete": {"name": "{live}"}}], "preconditions": [{"exists": true}]}"#, InvalidArgument, FIELDS, "preconditions[0].name"),
    ("Commit", "a precondition that does not hold", r#"{"mutations": [{"delete": {"name": "{live}"}}], "preconditions": [{"name": "{missing}", "exists": true}]}"#, Aborted, "PRECONDITION_FAILED", "preconditions[0]"),
    ("Commit", "no UUID", r#"{"mutations": [{"delete": {"name": "{live}"}}], "requestId": "1"}"#, InvalidArgument, FIELDS, "request_id"),
    ("Watch", "no start", r#"{}"#, InvalidArgument, FIELDS, "start"),
    ("Watch", "not now", r#"{"now": false}"#, InvalidArgument, FIELDS, "now"),
    ("Watch", "an unknown kind", r#"{"now": true, "collections": ["ships"]}"#, InvalidArgument, FIELDS, "collections[0]"),
    ("Watch", "a filter of all kinds", r#"{"now": true, "filter": "labels:a"}"#, InvalidArgument, FIELDS, "filter"),
    ("Watch", "a bad filter", r#"{"now": true, "collections": ["{collection}"], "filter": "?"}"#, InvalidArgument, FIELDS, "filter"),
    ("Watch", "the future", r#"{"afterRevision": "99999999"}"#, OutOfRange, "REVISION_IN_FUTURE", ""),
    ("ListRevisions", "no parent", r#"{}"#, InvalidArgument, FIELDS, "parent"),
    ("ListRevisions", "no kind", r#"{"parent": "ships/one"}"#, InvalidArgument, FIELDS, "parent"),
    ("ListRevisions", "what is not there", r#"{"parent": "{missing}"}"#, NotFound, "NOT_FOUND", ""),
    ("ListRevisions", "a negative page", r#"{"parent": "{live}", "pageSize": -1}"#, InvalidArgument, FIELDS, "page_size"),
    ("ListRevisions", "a token of nobody", r#"{"parent": "{live}", "pageToken": "abc"}"#, InvalidArgument, "PAGE_TOKEN_INVALID", "page_token"),
    ("GetRevision", "no name", r#"{}"#, InvalidArgument, FIELDS, "name"),
    ("GetRevision", "a resource", r#"{"name": "{live}"}"#, InvalidArgument, FIELDS, "name"),
    ("GetRevision", "no number", r#"{"name": "{live}/revisions/x"}"#, InvalidArgument, FIELDS, "name"),
    ("GetRevision", "another's revision", r#"{"name": "{live}/revisions/1"}"#, NotFound, "REVISION_NOT_FOUND", ""),
    ("GetRevision", "the future", r#"{"name": "{live}/revisions/99999999"}"#, NotFound, "REVISION_NOT_FOUND", ""),
    ("GetRevision", "of what is not there", r#"{"name": "{missing}/revisions/1"}"#, NotFound, "NOT_FOUND", ""),
    ("ListCommits", "a negative page", r#"{"pageSize": -1}"#, InvalidArgument, FIELDS, "page_size"),
    ("ListCommits", "a token of nobody", r#"{"pageToken": "abc"}"#, InvalidArgument, "PAGE_TOKEN_INVALID", "page_token"),
    ("ListCommits", "an unknown order", r#"{"orderBy": "name"}"#, InvalidArgument, FIELDS, "order_by"),
    ("ListCommits", "the future", r#"{"afterRevision": "99999999"}"#, OutOfRange, "REVISION_IN_FUTURE", ""),
    ("Export", "an unknown kind", r#"{"collections": ["{collection}", "ships"]}"#, InvalidArgument, FIELDS, "collections[1]"),
    ("Export", "a filter of all kinds", r#"{"filter": "labels:a"}"#, InvalidArgument, FIELDS, "filter"),
    ("Export", "a bad filter", r#"{"collections": ["{collection}"], "filter": "?"}"#, InvalidArgument, FIELDS, "filter"),
    ("Export", "the future", r#"{"readRevision": "99999999"}"#, OutOfRange, "REVISION_IN_FUTURE", ""),
    ("Export", "before all", r#"{"readTime": "1970-01-01T00:00:00Z"}"#, OutOfRange, "TIME_BEFORE_FIRST", ""),
    ("CountResources", "nothing", r#"{}"#, InvalidArgument, FIELDS, "collection"),
    ("CountResources", "an unknown kind", r#"{"collection": "ships"}"#, InvalidArgument, FIELDS, "collection"),
    ("CountResources", "a bad filter", r#"{"collection": "{collection}", "filter": "?"}"#, InvalidArgument, FIELDS, "filter"),
    ("CountResources", "an unknown field", r#"{"collection": "{collection}", "groupBy": ["capital", "colour"]}"#, InvalidArgument, FIELDS, "group_by[1]"),
    ("CountResources", "the year of a text", r#"{"collection": "{collection}", "groupBy": ["year(capital)"]}"#, InvalidArgument, FIELDS, "group_by[0]"),
    ("CountResources", "three groups", r#"{"collection": "{collection}", "groupBy": ["name", "name", "name"]}"#, InvalidArgument, FIELDS, "group_by"),
    ("CountResources", "a sum of texts", r#"{"collection": "{collection}", "sum": "capital"}"#, InvalidArgument, FIELDS, "sum"),
    ("CountResources", "negative groups", r#"{"collection": "{collection}", "groupsMax": -1}"#, InvalidArgument, FIELDS, "groups_max"),
    ("CountResources", "the future", r#"{"collection": "{collection}", "readRevision": "99999999"}"#, OutOfRange, "REVISION_IN_FUTURE", ""),
    ("CountResources", "before all", r#"{"collection": "{collection}", "readTime": "1970-01-01T00:00:00Z"}"#, OutOfRange, "TIME_BEFORE_FIRST", ""),
    ("CountResources", "two points", r#"{"collection": "{collection}", "readRevision": "1", "readTime": "2000-01-01T00:00:00Z"}"#, InvalidArgument, FIELDS, "read_time"),
    ("ListTimeline", "nothing", r#"{}"#, InvalidArgument, FIELDS, "country"),
    ("ListTimeline", "an unknown kind", r#"{"country": "{live}", "collections": ["ships"]}"#, InvalidArgument, FIELDS, "collections[0]"),
    ("ListTimeline", "what is not there", r#"{"country": "countries/missing"}"#, NotFound, "NOT_FOUND", ""),
    ("ListTimeline", "the future", r#"{"country": "{live}", "readRevision": "99999999"}"#, OutOfRange, "REVISION_IN_FUTURE", ""),
    ("Export", "two points", r#"{"readRevision": "1", "readTime": "2000-01-01T00:00:00Z"}"#, InvalidArgument, FIELDS, "read_time"),
];

/// The kinds' rows of the table that the contract hands out.
macro_rules! kinds {
    ($({ $Kind:ident $singular:ident $plural:ident $collection:literal $tag:literal })*) => {
        const KINDS: &[(&str, &str, &str)] = &[$((stringify!($Kind), stringify!($singular), $collection)),*];
    };
}

partnership_registry::for_each_kind!(kinds);

/// Puts what the server holds into the text of a line.
fn filled(text: &str, singular: &str, collection: &str, least: &str) -> String {
    let (_, _, other) = KINDS.iter().find(|(_, _, other)| *other != collection).unwrap();
    text.replace("{kind}", singular)
        .replace("{collection}", collection)
        .replace("{least}", least)
        .replace("{deleted_id}", "deleted")
        .replace("{id}", "live")
        .replace("{live}", &format!("{collection}/live"))
        .replace("{deleted}", &format!("{collection}/deleted"))
        .replace("{missing}", &format!("{collection}/missing"))
        .replace("{other}", &format!("{other}/live"))
}

fn request(method: &MethodDescriptor, json: &str) -> DynamicMessage {
    let mut json = serde_json::Deserializer::from_str(json);
    DynamicMessage::deserialize(method.input(), &mut json).unwrap_or_else(|error| panic!("{}: {error}", method.name()))
}

/// The method that a line names, for a kind.
fn method(name: &str, kind: &str) -> MethodDescriptor {
    let across = if ["CountResources", "ListTimeline"].contains(&name) { "InsightService" } else { "RegistryService" };
    let (service, methods) = match ACROSS.iter().any(|line| line.0 == name) {
        true => (format!("partnership.registry.v1.{across}"), vec![name.to_owned()]),
        false => {
            let service = format!("partnership.registry.v1.{kind}Service");
            // The plural is that of the one method whose name begins so.
            let found = descriptors().get_service_by_name(&service).unwrap();
            let plural = matches!(name, "List" | "BatchGet");
            let names = found.methods().map(|method| method.name().to_owned());
            (
                service,
                names
                    .filter(|method| if plural { method.starts_with(name) } else { *method == format!("{name}{kind}") })
                    .collect(),
            )
        }
    };
    let service = descriptors().get_service_by_name(&service).unwrap();
    let [name] = methods.as_slice() else { panic!("{name} of {kind} is not one method: {methods:?}") };
    service.methods().find(|method| method.name() == name).unwrap()
}

/// The least resource of a kind, as JSON: every field that is required, at the top.
fn least(kind: &str) -> String {
    let message = descriptors().get_message_by_name(&format!("partnership.registry.v1.{kind}")).unwrap();
    let extension = descriptors().get_extension_by_name("google.api.field_behavior").unwrap();
    let required = message.fields().filter(|field| {
        let options = field.options();
        let behaviors = options.get_extension(&extension);
        behaviors.as_list().unwrap().iter().any(|value| value.as_enum_number() == Some(2))
    });
    let fields: Vec<String> = required.map(|field| format!("{:?}: \"text\"", field.json_name())).collect();
    format!("{{{}}}", fields.join(", "))
}

/// A server on which every kind has a resource `live` and a resource `deleted`, none of them in the first commit.
async fn stocked() -> (Server, Caller) {
    let server = Server::start().await;
    let caller = Caller::new(server.channel().await);
    let create = async |kind: &str, singular: &str, id: &str| {
        let method = method("Create", kind);
        let json = format!(r#"{{"{singular}_id": {id:?}, "{singular}": {}}}"#, least(kind));
        caller.call(&method, request(&method, &json)).await.unwrap();
    };
    create("Country", "country", "first").await;
    for (kind, singular, collection) in KINDS {
        create(kind, singular, "live").await;
        create(kind, singular, "deleted").await;
        let method = method("Delete", kind);
        let json = format!(r#"{{"name": "{collection}/deleted"}}"#);
        caller.call(&method, request(&method, &json)).await.unwrap();
    }
    (server, caller)
}

/// Calls a method and reads the refusal that it must answer with.
async fn told(caller: &Caller, method: &MethodDescriptor, json: &str) -> Refusal {
    let message = request(method, json);
    let answer = match method.is_server_streaming() {
        false => caller.call(method, message).await.map(|answer| answer.to_string()),
        true => caller.first_of_stream(method, message).await.map(|answer| format!("{answer:?}")),
    };
    match answer {
        Ok(answer) => panic!("{} {json} is accepted: {answer}", method.name()),
        Err(status) => refusal(&status),
    }
}

fn check(line: &Line, told: &Refusal, what: &str, field: &str) {
    let (_, _, _, code, reason, _) = *line;
    assert_eq!((told.code, told.reason.as_str()), (code, reason), "{what}: {told:?}");
    assert!(field.is_empty() || told.names(field), "{what}: {field} is not named: {told:?}");
    // What goes with each code, besides the ErrorInfo that all have.
    let fits = match code {
        InvalidArgument => !told.fields.is_empty(),
        NotFound | AlreadyExists => told.resource.is_some(),
        FailedPrecondition | Aborted => !told.preconditions.is_empty(),
        Code::OutOfRange => true,
        other => panic!("{what}: no line answers with {other:?}"),
    };
    assert!(fits, "{what}: the details that belong to {code:?} are missing: {told:?}");
    assert!(told.fields.iter().all(|(field, why)| !field.is_empty() && !why.is_empty()), "{what}: {told:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_standard_method_of_every_kind_answers_bad_input_as_its_line_says() {
    let (_server, caller) = stocked().await;
    for (kind, singular, collection) in KINDS {
        for line in STANDARD {
            let method = method(line.0, kind);
            let json = filled(line.2, singular, collection, &least(kind));
            let told = told(&caller, &method, &json).await;
            check(line, &told, &format!("{}: {}", method.name(), line.1), &filled(line.5, singular, collection, ""));
        }
    }
}

/// The method of a verb: `RecordEvents` of agreements is `RecordAgreementEvents`.
fn verb(name: &str, kind: &str) -> MethodDescriptor {
    let service = descriptors().get_service_by_name(&format!("partnership.registry.v1.{kind}Service")).unwrap();
    service.methods().find(|method| method.name().replace(kind, "") == name).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_verb_answers_bad_input_as_its_line_says() {
    let (_server, caller) = stocked().await;
    for (kind, line) in VERBS {
        let (_, singular, collection) = KINDS.iter().find(|(one, _, _)| one == kind).unwrap();
        let method = verb(line.0, kind);
        let told = told(&caller, &method, &filled(line.2, singular, collection, "")).await;
        check(line, &told, &format!("{}: {}", method.name(), line.1), &filled(line.5, singular, collection, ""));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_method_across_kinds_answers_bad_input_as_its_line_says() {
    let (_server, caller) = stocked().await;
    for line in ACROSS {
        let method = method(line.0, "");
        let told = told(&caller, &method, &filled(line.2, "country", "countries", "")).await;
        check(line, &told, &format!("{}: {}", line.0, line.1), &filled(line.5, "country", "countries", ""));
    }
}

#[test]
fn every_method_of_the_contract_has_its_lines() {
    let mut covered: HashSet<String> = ACROSS.iter().map(|line| method(line.0, "").full_name().to_owned()).collect();
    for (kind, _, _) in KINDS {
        covered.extend(STANDARD.iter().map(|line| method(line.0, kind).full_name().to_owned()));
    }
    covered.extend(VERBS.iter().map(|(kind, line)| verb(line.0, kind).full_name().to_owned()));
    for service in
        descriptors().services().filter(|service| service.parent_file().package_name() == "partnership.registry.v1")
    {
        for method in service.methods() {
            assert!(covered.contains(method.full_name()), "{} has no line in the tables", method.full_name());
        }
    }
}
