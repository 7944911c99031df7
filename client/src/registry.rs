//! [`Registry`]: the front door. It makes the connection and hands out the handles. Cheap to clone; all clones share the
//! connection.

use std::sync::Arc;
use std::time::Duration;

use tonic::transport::{Channel, Endpoint};

use crate::any::AnyResources;
use crate::caller::Caller;
use crate::commit::CommitBuilder;
use crate::connection::{CallSettings, Connection};
use crate::error::Error;
use crate::resources::Resources;
use crate::retry::RetryPolicy;
use crate::service::Service;

/// The largest header list that is read: the trailers of a refused commit may name a thousand mutations.
const HEADERS_BYTES_MAX: u32 = 4 * 1024 * 1024;

/// How long making a connection may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// How often an active connection is pinged, and how long a response may take: a watch notices a lost server within the
/// sum of both.
const KEEP_ALIVE: (Duration, Duration) = (Duration::from_secs(20), Duration::from_secs(10));

/// A connection to the registry.
///
/// ```no_run
/// use partnership_registry_client::{ListOptions, Registry, v1::Country};
///
/// # async fn example() -> Result<(), partnership_registry_client::Error> {
/// let registry = Registry::builder("http://127.0.0.1:50051").actor("jane@ministry.example").connect().await?;
///
/// let korea = Country { display_name: "Republic of Korea".into(), region_code: "KR".into(), ..Country::default() };
/// let korea = registry.countries().create(korea).id("kr").await?;
/// println!("{} is of revision {}", korea.name, korea.revision);
///
/// let mut agreements = registry.agreements().list(ListOptions::new().order_by("display_name"));
/// while let Some(agreement) = agreements.next().await {
///     println!("{}", agreement?.display_name);
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Registry {
    connection: Connection,
}

impl Registry {
    /// Connects to the registry at an address such as `http://127.0.0.1:50051`, with all defaults.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT`: the address is malformed, or begins with `https://`: there is no TLS yet. `UNAVAILABLE`: no server responds there.
    pub async fn connect(address: impl Into<String>) -> Result<Self, Error> {
        Self::builder(address).connect().await
    }

    /// Configures a connection.
    pub fn builder(address: impl Into<String>) -> RegistryBuilder {
        RegistryBuilder {
            address: address.into(),
            settings: CallSettings {
                address: Arc::default(),
                caller: Caller::default(),
                // Long enough for a commit of a thousand resources on a busy disk.
                timeout: Duration::from_secs(30),
                retry: RetryPolicy::default(),
            },
            configure: Box::new(|endpoint| endpoint),
        }
    }

    /// The same connection with another reason, which is stored with every commit that is made through it.
    #[must_use]
    pub fn with_reason(&self, reason: impl Into<String>) -> Self {
        let reason = reason.into();
        Self { connection: self.connection.with(|settings| settings.caller.reason = reason) }
    }

    /// The same connection with another actor.
    #[must_use]
    pub fn with_actor(&self, actor: impl Into<String>) -> Self {
        let actor = actor.into();
        Self { connection: self.connection.with(|settings| settings.caller.actor = actor) }
    }

    /// The same connection with another timeout for each call.
    #[must_use]
    pub fn with_timeout(&self, timeout: Duration) -> Self {
        Self { connection: self.connection.with(|settings| settings.timeout = timeout) }
    }

    /// The resources of one kind, by its type: `registry.resources::<v1::Country>()` is `registry.countries()`.
    pub fn resources<K: Service>(&self) -> Resources<K> {
        Resources::new(self.connection.clone())
    }

    /// The resources of a kind that is known only when the program runs, by its collection, such as `agreements`.
    /// `None`: there is no such collection.
    pub fn collection(&self, collection: &str) -> Option<AnyResources> {
        AnyResources::new(self.connection.clone(), collection)
    }

    /// Starts a commit: changes to resources of any kinds, all or none.
    pub fn commit(&self) -> CommitBuilder {
        CommitBuilder::new(self.connection.clone())
    }

    /// The channel itself, for the generated stubs of `partnership_registry`. Calls made with it carry neither actor nor
    /// reason, and are not retried.
    pub fn channel(&self) -> Channel {
        self.connection.channel()
    }

    pub(crate) fn connection(&self) -> &Connection {
        &self.connection
    }
}

macro_rules! handles {
    ($({ $Kind:ident $singular:ident $plural:ident $collection:literal $tag:literal })*) => {
        impl Registry {
            $(
                #[doc = concat!("The resources `", $collection, "/*`.")]
                pub fn $plural(&self) -> Resources<partnership_registry::v1::$Kind> {
                    self.resources()
                }
            )*
        }
    };
}

partnership_registry::for_each_kind!(handles);

type Configure = Box<dyn FnOnce(Endpoint) -> Endpoint + Send>;

/// Configures a [`Registry`]. Nothing happens before [`connect`](Self::connect).
#[must_use = "nothing happens before `connect`"]
pub struct RegistryBuilder {
    address: String,
    settings: CallSettings,
    configure: Configure,
}

impl RegistryBuilder {
    /// Who makes the calls: stored with every commit. `anonymous` if it is not set.
    pub fn actor(mut self, actor: impl Into<String>) -> Self {
        self.settings.caller.actor = actor.into();
        self
    }

    /// The reason: stored with every commit.
    pub fn reason(mut self, reason: impl Into<String>) -> Self {
        self.settings.caller.reason = reason.into();
        self
    }

    /// How long a call may take, including retries and the waits before them; 30 seconds by default. For a stream it
    /// covers only the start.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.settings.timeout = timeout;
        self
    }

    /// How often calls are retried, and how long they wait before.
    pub fn retry(mut self, retry: RetryPolicy) -> Self {
        self.settings.retry = retry;
        self
    }

    /// Changes how the connection is made, such as its keep-alive or its buffers.
    pub fn configure(mut self, configure: impl FnOnce(Endpoint) -> Endpoint + Send + 'static) -> Self {
        self.configure = Box::new(configure);
        self
    }

    /// Connects.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT`: the address is malformed. `UNAVAILABLE`: no server responds there.
    pub async fn connect(mut self) -> Result<Registry, Error> {
        let connected = self.endpoint()?.connect().await;
        let channel = connected.map_err(|error| Error::from(error).at(&self.address))?;
        Ok(self.at_its_address(channel))
    }

    /// Connects at the first call, so that a server that is not up yet is not an error.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT`: the address is malformed.
    pub fn connect_lazy(mut self) -> Result<Registry, Error> {
        let channel = self.endpoint()?.connect_lazy();
        Ok(self.at_its_address(channel))
    }

    fn at_its_address(mut self, channel: Channel) -> Registry {
        self.settings.address = self.address.as_str().into();
        self.with_channel(channel)
    }

    /// Uses an existing channel, such as one with TLS; the address is not looked at.
    pub fn with_channel(self, channel: Channel) -> Registry {
        Registry { connection: Connection::new(channel, self.settings) }
    }

    /// Checks the address, without connecting.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT`: as [`connect_lazy`](Self::connect_lazy).
    pub fn check(&self) -> Result<(), Error> {
        self.parsed().map(drop)
    }

    fn parsed(&self) -> Result<Endpoint, Error> {
        let address = &self.address;
        let endpoint = Endpoint::from_shared(address.clone())
            .map_err(|error| Error::invalid(format!("{address:?} is not an address: {error}")).caused_by(error))?;
        let scheme = address.split_once("://").map(|(scheme, _)| scheme.to_ascii_lowercase());
        match scheme.as_deref() {
            Some("http") => Ok(endpoint),
            // Whoever asks for it would believe that what is spoken in the clear is encrypted.
            Some("https") => Err(Error::invalid(format!(
                "{address:?} asks for TLS, which is not supported yet; use http:// in a network that is trusted"
            ))),
            Some(_) | None => {
                Err(Error::invalid(format!("{address:?} is not an address such as http://127.0.0.1:50051")))
            }
        }
    }

    fn endpoint(&mut self) -> Result<Endpoint, Error> {
        let endpoint = self
            .parsed()?
            .connect_timeout(CONNECT_TIMEOUT)
            .tcp_nodelay(true)
            .http2_keep_alive_interval(KEEP_ALIVE.0)
            .keep_alive_timeout(KEEP_ALIVE.1)
            .http2_max_header_list_size(HEADERS_BYTES_MAX);
        let configure = std::mem::replace(&mut self.configure, Box::new(|endpoint| endpoint));
        Ok(configure(endpoint))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Code;

    #[tokio::test]
    async fn a_malformed_address_is_refused_at_once() {
        for address in
            ["", "127.0.0.1:50051", "ftp://registry", "http://", "not an address", "HTTPS://registry:1", "unix:///a"]
        {
            let error = Registry::builder(address).connect_lazy().err();
            assert_eq!(error.map(|error| error.code()), Some(Code::InvalidArgument), "{address}");
        }
    }

    #[tokio::test]
    async fn nobody_who_asks_for_tls_is_spoken_to_in_the_clear() {
        for configured in
            [Registry::builder("https://127.0.0.1:1").connect_lazy(), Registry::connect("https://a").await]
        {
            let message = configured.map_err(|error| error.message().to_owned()).err().unwrap_or_default();
            assert!(message.contains("asks for TLS, which is not supported yet"), "{message}");
        }
    }

    #[tokio::test]
    async fn a_server_that_is_not_there_is_unavailable() {
        let error = Registry::connect("http://127.0.0.1:1").await.err();
        let told = error.map(|error| (error.code(), error.message().to_owned()));
        assert_eq!(told, Some((Code::Unavailable, "http://127.0.0.1:1: connection refused".to_owned())));
    }
}
