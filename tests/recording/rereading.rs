//! A source that is read again refreshes the registry.
