//! The command `kez`, and the client that it is made of: [`client`] speaks NATS, [`http`] the same over HTTP.
//!
//! Reading order: [`cli`] lists the commands, [`commands`] holds one file each.

pub mod archive;
pub mod chains;
pub mod cli;
pub mod client;
pub mod commands;
pub mod failure;
pub mod http;
pub mod identity;
pub mod mail;
pub mod output;
mod private_file;
pub mod server;
pub mod server_time;
pub mod speaker;
pub mod up;
pub mod visible;
