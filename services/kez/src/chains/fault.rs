//! Why a chain is not taken as it was shown.

use kez_contract::Problem;
use kez_crypto::{Fault, Primary};

use crate::failure::{Exit, Failure};

/// What is wrong with a chain, or with asking for it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChainFault {
    /// Who was asked for it refused, or was not there.
    #[error("{0}")]
    Asked(#[from] Problem),
    /// An event breaks a rule of sigchains.
    #[error("event {seq} breaks the rule {}: {fault}", .fault.code())]
    Broken { seq: u64, fault: Fault },
    /// An event that was seen before is not there any more.
    #[error(
        "the chain of {primary} has {length} events now, but its event {remembered} was seen before: events are withheld or were \
         taken back"
    )]
    RolledBack { primary: Primary, length: u64, remembered: u64 },
    /// Another event stands where one was seen before.
    #[error(
        "the chain of {primary} has another event {seq} than the one that was seen before: there are two histories of it"
    )]
    Forked { primary: Primary, seq: u64 },
    /// The server says itself that there is more than it shows.
    #[error(
        "the server says that the chain of {primary} goes on to event {announced}, and shows {length} events of it"
    )]
    Withheld { primary: Primary, length: u64, announced: u64 },
    /// What was seen before cannot be read or kept.
    #[error("{0}")]
    Memory(String),
}

impl ChainFault {
    /// Whether a replica of the server that lags behind would look the same, so that it is worth another look.
    pub fn may_be_lag(&self) -> bool {
        matches!(self, Self::RolledBack { .. } | Self::Withheld { .. })
    }

    /// A word that programs can match on.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Asked(problem) => problem.code.as_str(),
            Self::Broken { fault, .. } => fault.code(),
            Self::RolledBack { .. } => "rolled_back",
            Self::Forked { .. } => "forked",
            Self::Withheld { .. } => "withheld",
            Self::Memory(_) => "broken_memory",
        }
    }
}

impl From<ChainFault> for Failure {
    fn from(fault: ChainFault) -> Self {
        let advice = match &fault {
            ChainFault::Asked(problem) => return problem.clone().into(),
            ChainFault::Broken { .. } | ChainFault::Withheld { .. } => None,
            ChainFault::RolledBack { .. } => {
                Some("ask the server's operator; a copy of the chain is put back with kez sigchain import")
            }
            ChainFault::Forked { .. } => Some("do not trust this chain before you have talked to its owner"),
            ChainFault::Memory(_) => Some("remove the file only if you know what broke it"),
        };
        let failure = Self::new(Exit::Failed, fault.code(), fault.to_string());
        Self { advice: advice.map(str::to_owned), ..failure }
    }
}
