//! [`Connection`]: a channel to the server, and how calls are made through it. Every handle holds one. Cheap to clone.

use std::sync::Arc;
use std::time::Duration;

use partnership_registry::v1::registry_service_client::RegistryServiceClient;
use tonic::transport::Channel;

use crate::caller::Caller;
use crate::retry::RetryPolicy;

/// The largest response that is read. The server ends a page at 2 MiB plus one resource of at most 1 MiB; a commit that is
/// watched or listed holds up to 4 MiB of changes, each with the resource before and after.
pub(crate) const ANSWER_BYTES_MAX: usize = 16 * 1024 * 1024;

/// A channel to the server, and how calls are made through it.
#[derive(Clone, Debug)]
pub(crate) struct Connection {
    channel: Channel,
    settings: Arc<CallSettings>,
}

/// What all calls of a connection have in common.
#[derive(Clone, Debug)]
pub(crate) struct CallSettings {
    /// For errors; empty if the channel was made elsewhere.
    pub(crate) address: Arc<str>,
    pub(crate) caller: Caller,
    pub(crate) timeout: Duration,
    pub(crate) retry: RetryPolicy,
}

impl Connection {
    pub(crate) fn new(channel: Channel, settings: CallSettings) -> Self {
        Self { channel, settings: Arc::new(settings) }
    }

    /// The same channel, with other settings.
    pub(crate) fn with(&self, change: impl FnOnce(&mut CallSettings)) -> Self {
        let mut settings = (*self.settings).clone();
        change(&mut settings);
        Self::new(self.channel(), settings)
    }

    pub(crate) fn settings(&self) -> &CallSettings {
        &self.settings
    }

    pub(crate) fn channel(&self) -> Channel {
        self.channel.clone()
    }

    /// The stub of the methods that go across kinds.
    pub(crate) fn registry_service(&self) -> RegistryServiceClient<Channel> {
        RegistryServiceClient::new(self.channel()).max_decoding_message_size(ANSWER_BYTES_MAX)
    }
}
