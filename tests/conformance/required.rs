//! What a request must have: each REQUIRED field that is left out is named, before anything else of the request is
//! looked at.

use partnership_registry::descriptors;
use prost_reflect::{DynamicMessage, FieldDescriptor, Kind as Type, MessageDescriptor, MethodDescriptor, Value};
use tonic::Code;

use super::coverage::Coverage;
use super::kind::{PACKAGE, rules};
use super::suite::Suite;
use crate::harness::dynamic::string;
use crate::harness::{Refusal, refusal};

/// Every method of the contract.
fn methods() -> Vec<MethodDescriptor> {
    let services = descriptors().services().filter(|service| service.package_name() == PACKAGE);
    services.flat_map(|service| service.methods().collect::<Vec<_>>()).collect()
}

fn required(message: &MessageDescriptor) -> Vec<FieldDescriptor> {
    message.fields().filter(|field| rules(field).required).collect()
}

/// Something in a field, whatever it is good for.
fn something(field: &FieldDescriptor) -> Value {
    let one = match field.kind() {
        Type::Message(message) => Value::Message(DynamicMessage::new(message)),
        Type::String => string("x"),
        Type::Enum(_) => Value::EnumNumber(1),
        Type::Int32 => Value::I32(1),
        Type::Int64 => Value::I64(1),
        Type::Uint64 => Value::U64(1),
        other => panic!("{} is required, and nobody can tell whether a {other:?} is given", field.full_name()),
    };
    if field.is_list() { Value::List(vec![one]) } else { one }
}

async fn told(suite: &Suite, method: &MethodDescriptor, request: DynamicMessage) -> Refusal {
    let status = if method.is_server_streaming() {
        suite.caller.first_of_stream(method, request).await.err()
    } else {
        suite.caller.call(method, request).await.err()
    };
    refusal(&status.unwrap_or_else(|| panic!("{} takes a request that lacks something", method.full_name())))
}

fn is_required(names: impl IntoIterator<Item = String>) -> Vec<(String, String)> {
    names.into_iter().map(|name| (name, "is required".to_owned())).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_lacks_what_it_must_have_is_refused_for_exactly_that() {
    let suite = Suite::start().await;
    let all = methods();
    let fields = || all.iter().flat_map(|method| required(&method.input()));
    let mut coverage =
        Coverage::of("203 REQUIRED in requests", "fields", fields().map(|field| field.full_name().to_owned()));
    for method in &all {
        let required = required(&method.input());
        if required.is_empty() {
            continue;
        }
        let empty = told(&suite, method, DynamicMessage::new(method.input())).await;
        assert_eq!((empty.code, empty.reason.as_str()), (Code::InvalidArgument, "INVALID_FIELDS"), "{}", method.name());
        let every = is_required(required.iter().map(|field| field.name().to_owned()));
        assert_eq!(empty.fields, every, "{}: all of them are told at once", method.full_name());
        for left_out in &required {
            let mut request = DynamicMessage::new(method.input());
            for field in required.iter().filter(|field| *field != left_out) {
                request.set_field(field, something(field));
            }
            let told = told(&suite, method, request).await;
            assert_eq!(told.fields, is_required([left_out.name().to_owned()]), "{}", left_out.full_name());
            coverage.held(left_out.full_name());
        }
    }
    coverage.complete();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mutation_or_a_precondition_that_lacks_what_it_must_have_is_refused_by_its_place() {
    let suite = Suite::start().await;
    let commit = suite.across("Commit");
    let inner = |message: &MessageDescriptor, field: &str| {
        message.get_field_by_name(field).unwrap().kind().as_message().unwrap().clone()
    };
    let (mutation, precondition) = (inner(&commit.input(), "mutations"), inner(&commit.input(), "preconditions"));
    let operations: Vec<(String, MessageDescriptor)> =
        mutation.fields().map(|field| (field.name().to_owned(), inner(&mutation, field.name()))).collect();
    let wanted = operations.iter().flat_map(|(_, message)| required(message)).chain(required(&precondition));
    let mut coverage =
        Coverage::of("203 REQUIRED in mutations", "fields", wanted.map(|field| field.full_name().to_owned()));
    for (operation, message) in &operations {
        let told = suite.commit(vec![suite.mutation(operation, [])]).await.unwrap_err();
        let told = refusal(&told);
        for field in required(message) {
            let path = format!("mutations[0].{operation}.{}", field.name());
            assert!(told.code == Code::InvalidArgument && told.names(&path), "{path}: {told:?}");
            coverage.held(field.full_name());
        }
    }
    let exists = Value::Message(crate::harness::dynamic::message(&precondition, [("exists", Value::Bool(true))]));
    let kind = &suite.kinds[0];
    let deletion = suite.mutation("delete", [("name", string(suite.sampler.name(&kind.resource_type, 0)))]);
    let fields = [("mutations", Value::List(vec![deletion])), ("preconditions", Value::List(vec![exists]))];
    let told = refusal(&suite.call(&commit, fields).await.unwrap_err());
    for field in required(&precondition) {
        let path = format!("preconditions[0].{}", field.name());
        assert!(told.code == Code::InvalidArgument && told.names(&path), "{path}: {told:?}");
        coverage.held(field.full_name());
    }
    coverage.complete();
}
