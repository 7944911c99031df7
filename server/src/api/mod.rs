//! Speaks gRPC: turns requests into what the registry takes and answers into messages, and decides nothing.
//!
//! Every call comes in by `call`, the one door, and goes to the handler of its method: those of `standard` are for all
//! kinds, the others for one method each. `convert` and `status` are how answers and errors are told.

mod answer;
mod blocking;
mod call;
mod caller;
mod commit;
mod convert;
mod drain;
mod export;
mod history;
mod insight;
mod request_log;
mod room;
mod standard;
mod status;
mod verbs;
mod watch;

use tonic::server::NamedService;
use tonic::service::RoutesBuilder;

use crate::config::MESSAGE_BYTES_MAX;

/// The bytes of an answer that is encoded already.
pub(crate) use answer::EncodedAnswer;
pub(crate) use call::Api;
/// Commits what the registry itself wants to.
pub(crate) use commit::commit_as_system;
/// A commit as the contract tells it.
pub(crate) use convert::commit as commit_message;
/// The room of a call, which comes with an answer that is large.
pub(crate) use room::Room;
/// Completes the answers of tonic's own making: see `status`.
pub(crate) use status::complete;

macro_rules! services {
    ($({ $module:ident $Server:ident })*) => {
        /// Adds all services of the contract, and answers their names.
        pub(crate) fn add_services(routes: &mut RoutesBuilder, api: &Api) -> Vec<&'static str> {
            vec![$({
                use partnership_registry::v1::$module::$Server;
                routes.add_service($Server::new(api.clone()).max_decoding_message_size(MESSAGE_BYTES_MAX));
                <$Server<Api> as NamedService>::NAME
            }),*]
        }
    };
}

partnership_registry::for_each_service!(services);
