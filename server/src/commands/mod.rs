//! What the binary does besides serving.

pub mod demo;
pub mod health;
pub mod journal;
