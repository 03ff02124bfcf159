//! The command `kez`, and the client that it is made of: [`client`] speaks NATS, [`http`] the same over HTTP.

pub mod client;
pub mod mail;
pub mod up;
