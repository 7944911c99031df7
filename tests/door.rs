//! One door: whatever the method, a call comes in and is answered by the same place, which refuses who may not call and
//! leaves a line in the log.
//!
//! The methods are those of the descriptors, so that one that is new is called too.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

use partnership_registry::descriptors;
use partnership_registry::v1::country_service_client::CountryServiceClient;
use partnership_registry::v1::registry_service_client::RegistryServiceClient;
use partnership_registry::v1::watch_request::Start;
use partnership_registry::v1::{CommitRequest, ExportRequest, GetCountryRequest, WatchRequest};
use prost_reflect::{DynamicMessage, MethodDescriptor};
use tonic::metadata::MetadataMap;
use tonic::{Code, Status};

use crate::harness::dynamic::Caller;
use crate::harness::process::{Process, server_binary};
use crate::harness::{Refusal, connect, refusal, within};

/// The lines of the log that are about requests, and nothing else.
const REQUESTS: &str = "info,partnership_registry_server::request=debug";

fn start() -> (Process, tempfile::TempDir) {
    let data = tempfile::tempdir().unwrap();
    let server = Process::start_with(data.path(), |command| {
        command.env("PARTNERSHIP_LOG", REQUESTS);
    });
    (server, data)
}

/// Every method of every service of the contract.
fn methods() -> Vec<MethodDescriptor> {
    let services = descriptors().services().filter(|service| service.package_name() == "partnership.registry.v1");
    services.flat_map(|service| service.methods().collect::<Vec<_>>()).collect()
}

fn full_name(method: &MethodDescriptor) -> String {
    format!("{}/{}", method.parent_service().full_name(), method.name())
}

/// Calls a method with an empty request, and answers how it was refused, if it was.
async fn call(caller: &Caller, method: &MethodDescriptor, actor: &str) -> Option<Status> {
    let mut metadata = MetadataMap::new();
    metadata.insert("partnership-actor", actor.parse().unwrap());
    let request = DynamicMessage::new(method.input());
    if method.is_server_streaming() {
        within(caller.first_of_stream_with(method, request, metadata)).await.err()
    } else {
        within(caller.call_with(method, request, metadata)).await.err()
    }
}

/// The lines that the requests left, once the server has stopped.
fn lines(server: Process) -> Vec<String> {
    let log = server.stop().log;
    let lines = log.lines().filter(|line| line.contains("partnership_registry_server::request: "));
    lines.map(str::to_owned).collect()
}

/// The lines about one method.
fn about<'a>(lines: &'a [String], method: &str) -> Vec<&'a str> {
    let field = format!("method=\"{method}\"");
    lines.iter().map(String::as_str).filter(|line| line.contains(&field)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_method_of_every_service_passes_the_door() {
    let (server, _data) = start();
    let caller = Caller::new(server.channel().await);
    let methods = methods();
    assert!(methods.len() > 80, "the methods are found: {}", methods.len());
    let told = |status: &Status| {
        let Refusal { code, reason, fields, message, .. } = refusal(status);
        (code, reason, fields, message)
    };
    let mut refusals = Vec::new();
    for method in &methods {
        let status = call(&caller, method, "system/x").await;
        let status = status.unwrap_or_else(|| panic!("{} lets system/x in", full_name(method)));
        refusals.push((full_name(method), told(&status)));
        // Whatever an empty request is answered, the door is where it comes in and goes out.
        call(&caller, method, "jane").await;
    }
    let rule = "must not begin with system/, which is how the registry names itself";
    for (method, (code, reason, fields, message)) in refusals {
        assert_eq!((code, reason.as_str()), (Code::InvalidArgument, "INVALID_FIELDS"), "{method}: {message}");
        assert_eq!(fields, [("partnership-actor".to_owned(), rule.to_owned())], "{method}");
    }
    let lines = lines(server);
    for method in &methods {
        let method = full_name(method);
        let [refused, answered] = about(&lines, &method)[..] else {
            panic!("{method} left other lines than its two: {lines:#?}");
        };
        assert!(refused.contains("actor=\"system/x\"") && refused.contains("code=\"INVALID_ARGUMENT\""), "{refused}");
        assert!(refused.contains(" INFO ") && refused.contains(rule), "{refused}");
        assert!(answered.contains("actor=\"jane\"") && answered.contains("duration_us="), "{answered}");
    }
    assert_eq!(lines.len(), 2 * methods.len(), "one line for each call");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_of_the_log_tells_who_called_and_how_it_ended() {
    let (server, _data) = start();
    let mut registry = RegistryServiceClient::new(server.channel().await);
    let service = "partnership.registry.v1.RegistryService";
    // A stream that is read to its end, and one whose caller goes away before.
    let mut export = within(registry.export(ExportRequest::default())).await.unwrap().into_inner();
    while within(export.message()).await.unwrap().is_some() {}
    let watch = WatchRequest { start: Some(Start::Now(true)), ..WatchRequest::default() };
    drop(within(registry.watch(watch)).await.unwrap());
    // A write with a request id, refused; a read of what is not there; a stream that is refused.
    let id = "123e4567-e89b-42d3-a456-426614174000";
    let request = CommitRequest { request_id: id.into(), ..CommitRequest::default() };
    within(registry.commit(request)).await.unwrap_err();
    let mut countries = CountryServiceClient::new(server.channel().await);
    within(countries.get_country(GetCountryRequest { name: "countries/xx".into(), ..GetCountryRequest::default() }))
        .await
        .unwrap_err();
    within(registry.watch(WatchRequest::default())).await.unwrap_err();
    drop((registry, countries));
    let lines = lines(server);
    let line = |method: &str, code: &str| {
        let found = about(&lines, method).into_iter().find(|line| line.contains(&format!("code=\"{code}\"")));
        found.unwrap_or_else(|| panic!("no line about {method} {code}: {lines:#?}")).to_owned()
    };
    assert!(line(&format!("{service}/Export"), "OK").contains(" DEBUG "));
    assert!(line(&format!("{service}/Watch"), "CANCELLED").contains(" DEBUG "));
    let commit = line(&format!("{service}/Commit"), "INVALID_ARGUMENT");
    assert!(commit.contains(" INFO ") && commit.contains("actor=\"anonymous\""), "{commit}");
    assert!(commit.contains(&format!("request_id=\"{id}\"")), "{commit}");
    assert!(commit.contains("reason=\"INVALID_FIELDS\" rule=\"mutations: is required\""), "{commit}");
    let get = line("partnership.registry.v1.CountryService/GetCountry", "NOT_FOUND");
    assert!(get.contains("reason=\"NOT_FOUND\" rule=\"countries/xx does not exist\""), "{get}");
    assert!(line(&format!("{service}/Watch"), "INVALID_ARGUMENT").contains("rule=\"start: is required"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_nobody_reads_holds_no_request_up() {
    let data = tempfile::tempdir().unwrap();
    let mut server = Command::new(server_binary())
        .arg("--data")
        .arg(data.path())
        .args(["--listen", "127.0.0.1:0"])
        .envs([("PARTNERSHIP_LOG", REQUESTS), ("NO_COLOR", "1")])
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // Read as far as the address, and no further.
    let mut log = BufReader::new(server.stderr.take().unwrap());
    let mut line = String::new();
    while !line.contains("serving address=") {
        line.clear();
        assert!(log.read_line(&mut line).unwrap() > 0, "the server serves");
    }
    let address = line.split("address=").nth(1).and_then(|rest| rest.split_whitespace().next()).unwrap();
    let mut countries = CountryServiceClient::new(connect(&format!("http://{address}")).await);
    // Each leaves a line; all of them are many times what a pipe holds.
    for _ in 0..2_000 {
        let name = "countries/xx".to_owned();
        let request = GetCountryRequest { name, ..GetCountryRequest::default() };
        assert_eq!(within(countries.get_country(request)).await.unwrap_err().code(), Code::NotFound);
    }
    server.kill().unwrap();
    server.wait().unwrap();
}
