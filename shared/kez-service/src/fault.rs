//! Two kinds of failure: what the caller may know, and the rest, which is logged here once and called internal outside.

use kez_contract::{Code, Problem};

/// Why a handler has no reply.
#[derive(Debug)]
pub enum Fault {
    /// The caller is told.
    Refused(Problem),
    /// The caller is told "internal"; the log has the error.
    Failed(anyhow::Error),
}

impl Fault {
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        Self::Refused(Problem::new(code, detail))
    }

    /// A refusal under the code of that name, as other crates of ours call their errors.
    pub fn named(code: &str, detail: impl Into<String>) -> Self {
        // A broken `X-KEZ-Auth` header has a word of its own in the vectors; to a caller it is a malformed request.
        match Code::named(if code == "invalid_auth" { "malformed" } else { code }) {
            Some(code) => Self::new(code, detail),
            None => Self::Failed(anyhow::anyhow!("no such code: {code}")),
        }
    }

    pub fn malformed(detail: impl Into<String>) -> Self {
        Self::new(Code::Malformed, detail)
    }

    pub fn unavailable(detail: impl Into<String>) -> Self {
        Self::Refused(Problem::unavailable(detail))
    }

    /// What the caller is told. Logs what the caller is not told.
    pub fn into_problem(self) -> Problem {
        match self {
            Self::Refused(problem) => problem,
            Self::Failed(error) => {
                tracing::error!(error = format!("{error:#}"), "a call failed");
                Problem::new(Code::Internal, Code::Internal.title())
            }
        }
    }
}

impl<E: Into<anyhow::Error>> From<E> for Fault {
    /// A problem that another service answered with is passed on; everything else is a failure of ours.
    fn from(error: E) -> Self {
        match error.into().downcast::<Problem>() {
            Ok(problem) => Self::Refused(problem),
            Err(error) => Self::Failed(error),
        }
    }
}
