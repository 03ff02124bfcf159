//! The only way to the outside, for those who are told by strangers where to go.
//!
//! A [`Reach`] resolves names, checks the addresses, and connects to exactly those, so that nobody is led to what is not
//! public: not by an address, a name, nor by a name that changes between check and use.

mod guard;
mod names;
mod reach;
mod tls;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use ipnet::IpNet;

pub use guard::Guard;
pub use reach::{Reach, Socket};

/// What may be reached, and by which ways.
#[derive(Debug, Clone)]
pub struct Ways {
    /// DNS resolvers; the system's if there are none.
    pub resolvers: Vec<SocketAddr>,
    /// Networks beside the public ones.
    pub networks: Vec<IpNet>,
    /// Certificate authorities (PEM) beside the system's.
    pub ca_file: Option<PathBuf>,
    /// How long one request may take in all, of which names and connections get their shares.
    pub patience: Duration,
    /// What its operator calls them.
    pub variables: Variables,
}

/// The names of the variables that say so, for messages to whoever sets them.
#[derive(Debug, Clone, Copy)]
pub struct Variables {
    pub resolvers: &'static str,
    pub ca_file: &'static str,
}

/// Why something was not reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unreached {
    /// It is not public.
    #[error("{0}")]
    Forbidden(&'static str),
    #[error("{0}")]
    Late(&'static str),
    #[error("{0}")]
    NoAnswer(&'static str),
}
