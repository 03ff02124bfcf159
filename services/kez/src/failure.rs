//! Why a command failed: one line for people, a code for scripts, and what to do.

use std::io::ErrorKind;
use std::process::ExitCode;

use kez_contract::{Code, Problem};

use crate::client::ConnectFault;
use crate::visible;

/// What the exit code says; `--help` lists them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    Failed = 1,
    Usage = 2,
    NotFound = 3,
    Refused = 4,
    Unavailable = 5,
    Identity = 6,
}

/// The exit codes as `--help` shows them.
pub const EXIT_CODES: &str = "Exit codes:
  0  done
  1  failed
  2  not called as it should be
  3  nobody and nothing there under that name
  4  refused by the server
  5  the server is not available; try again
  6  no identity, or a wrong passphrase";

/// Whoever read our output has had enough of it (`kez inbox | head`): no error at all.
const NOBODY_READS: &str = "nobody_reads";

/// A command's error.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    pub exit: Exit,
    /// A word that scripts can match on.
    pub code: &'static str,
    pub message: String,
    /// What to do about it.
    pub advice: Option<String>,
}

impl Failure {
    pub fn new(exit: Exit, code: &'static str, message: impl Into<String>) -> Self {
        Self { exit, code, message: message.into(), advice: None }
    }

    pub fn usage(message: impl Into<String>) -> Self {
        Self::new(Exit::Usage, "usage", message)
    }

    /// What was typed cannot be meant, so nobody was asked.
    pub fn argument(problem: Problem) -> Self {
        Self { advice: None, ..Self { exit: Exit::Usage, ..problem.into() } }
    }

    pub fn advise(self, advice: impl Into<String>) -> Self {
        Self { advice: Some(advice.into()), ..self }
    }

    /// Says it on standard error, in one line.
    pub fn report(&self, as_json: bool) -> ExitCode {
        if self.code == NOBODY_READS {
            return ExitCode::SUCCESS;
        }
        if as_json {
            let error =
                serde_json::json!({ "error": self.code, "message": self.message, "advice": self.advice });
            eprintln!("{}", visible::json(&error.to_string()));
        } else {
            let advice = self.advice.as_deref().map(|advice| format!(" — {advice}")).unwrap_or_default();
            eprintln!("{}", visible::line(&format!("error: {}{advice}", self.message)));
        }
        ExitCode::from(self.exit as u8)
    }

    /// Says on standard error, in one line, what of a command did not work that has done its work all the same.
    pub fn warn(&self, what: &str, as_json: bool) {
        if as_json {
            let warning =
                serde_json::json!({ "warning": self.code, "message": format!("{what}: {}", self.message) });
            eprintln!("{}", visible::json(&warning.to_string()));
        } else {
            eprintln!("{}", visible::line(&format!("warning: {what}: {}", self.message)));
        }
    }
}

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        let (exit, advice) = match problem.code {
            Code::NotFound | Code::UnknownRecipient => {
                (Exit::NotFound, Some("check the spelling with kez whois".to_owned()))
            }
            Code::Unavailable | Code::Internal => {
                (Exit::Unavailable, Some("try again; kez doctor finds out what is missing".to_owned()))
            }
            Code::RateLimited => (Exit::Unavailable, None),
            Code::StaleTimestamp | Code::Expired => {
                (Exit::Refused, Some("check this computer's clock".to_owned()))
            }
            Code::Unauthorized => (Exit::Refused, Some("kez register HANDLE".to_owned())),
            Code::KeyRotated => {
                (Exit::Refused, Some("kez whois with the key says what it has become".to_owned()))
            }
            _ => (Exit::Refused, None),
        };
        Self { exit, code: problem.code.as_str(), message: problem.detail, advice }
    }
}

impl From<ConnectFault> for Failure {
    fn from(fault: ConnectFault) -> Self {
        let message = fault.to_string();
        match fault {
            ConnectFault::Address(_) | ConnectFault::PlainDevice => Self::usage(message),
            ConnectFault::Unreachable { .. } => Self::new(Exit::Unavailable, "unreachable", message)
                .advise("is it running? ./justw up starts one here; kez doctor looks closer"),
            ConnectFault::Refused(_) => Self::new(Exit::Unavailable, "refused_or_down", message).advise(
                "check the server's name and this computer's clock, then try again; a device that was revoked and a key that was \
                 rotated are refused, too; kez doctor looks closer",
            ),
        }
    }
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Self::new(Exit::Failed, "failed", format!("{error:#}"))
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        let code = if error.kind() == ErrorKind::BrokenPipe { NOBODY_READS } else { "failed" };
        Self::new(Exit::Failed, code, error.to_string())
    }
}

impl From<serde_json::Error> for Failure {
    fn from(error: serde_json::Error) -> Self {
        Self::new(Exit::Failed, "failed", error.to_string())
    }
}
