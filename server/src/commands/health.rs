//! `partnership-server health`: asks a running server whether it serves, as a container's health check does.

use std::io::Write as _;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::process::ExitCode;
use std::time::Duration;

use tonic::transport::Endpoint;
use tonic::{Code, Status};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

use crate::config::{Address, EXIT_UNAVAILABLE, HealthCommand};
use crate::serve::HEALTH_OF_WRITES;

/// How long it may take. A server that does not answer for so long does not serve.
const ANSWER_WAIT_MAX: Duration = Duration::from_secs(3);

/// What came of asking.
enum Answer {
    Serving,
    NotServing(String),
    Unavailable(String),
}

/// Asks the server at the address of the command, or at the one that a server with the same configuration listens on, and
/// prints what it says. The code is 0 if it serves, 1 if it says that it does not, and `EXIT_UNAVAILABLE` if it could not
/// be asked.
#[must_use]
pub fn run(listen: &Address, command: &HealthCommand) -> ExitCode {
    let named = command.address.as_ref().unwrap_or(listen);
    let address = match named.resolve() {
        Ok(address) if command.address.is_none() => reachable(address),
        Ok(address) => address,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "{named}: could not be asked: {error}");
            return ExitCode::from(EXIT_UNAVAILABLE);
        }
    };
    let service = if command.writes { HEALTH_OF_WRITES } else { "" };
    let asked = tokio::runtime::Builder::new_current_thread().enable_all().build().map(|runtime| {
        runtime.block_on(async {
            let answer = tokio::time::timeout(ANSWER_WAIT_MAX, ask(address, service)).await;
            answer.unwrap_or_else(|_| Answer::Unavailable(format!("no answer in {} s", ANSWER_WAIT_MAX.as_secs())))
        })
    });
    let what = if command.writes { "writes" } else { "reads" };
    match asked {
        Ok(Answer::Serving) => {
            let _ = writeln!(std::io::stdout(), "{address}: {what} are served");
            ExitCode::SUCCESS
        }
        Ok(Answer::NotServing(why)) => {
            let _ = writeln!(std::io::stderr(), "{address}: {what} are not served: {why}");
            ExitCode::FAILURE
        }
        Ok(Answer::Unavailable(why)) => {
            let _ = writeln!(std::io::stderr(), "{address}: could not be asked: {why}");
            ExitCode::from(EXIT_UNAVAILABLE)
        }
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "error: {error}");
            ExitCode::from(EXIT_UNAVAILABLE)
        }
    }
}

/// Where a server that listens on `listen` is reached from this machine.
fn reachable(listen: SocketAddr) -> SocketAddr {
    let ip = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip @ (IpAddr::V4(_) | IpAddr::V6(_)) => ip,
    };
    SocketAddr::new(ip, listen.port())
}

async fn ask(address: SocketAddr, service: &str) -> Answer {
    let endpoint = match Endpoint::from_shared(format!("http://{address}")) {
        Ok(endpoint) => endpoint,
        Err(error) => return Answer::Unavailable(error.to_string()),
    };
    let channel = match endpoint.connect().await {
        Ok(channel) => channel,
        Err(error) => return Answer::Unavailable(with_causes(&error)),
    };
    let request = HealthCheckRequest { service: service.to_owned() };
    match HealthClient::new(channel).check(request).await.map(|response| response.into_inner().status()) {
        Ok(ServingStatus::Serving) => Answer::Serving,
        Ok(ServingStatus::NotServing | ServingStatus::Unknown | ServingStatus::ServiceUnknown) => {
            Answer::NotServing("the server says so, and its log says why".to_owned())
        }
        Err(status) => refused(&status),
    }
}

fn refused(status: &Status) -> Answer {
    if status.code() == Code::NotFound {
        // It knows no names any more once it goes down, and an older one never knew of writes.
        return Answer::NotServing(
            "the server does not know; it is going down, or is older than this command".to_owned(),
        );
    }
    Answer::Unavailable(status.to_string())
}

fn with_causes(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}
