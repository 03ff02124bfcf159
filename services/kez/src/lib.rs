//! The command `kez`, and the client that it is made of: [`client`] speaks NATS, [`http`] the same over HTTP.

pub mod client;
pub mod failure;
pub mod http;
pub mod identity;
pub mod mail;
pub mod output;
pub mod up;
pub mod visible;
