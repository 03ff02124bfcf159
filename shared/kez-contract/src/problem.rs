//! How a call is refused: a stable code, the same over NATS and over HTTP, and a sentence for people.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::sigchain::Head;

/// Over NATS a refusal has an empty body and three headers: `Nats-Service-Error` (the code), `Nats-Service-Error-Code`
/// (the HTTP status) and this one, which holds the whole [`Problem`] as JSON.
pub const PROBLEM_HEADER: &str = "Kez-Problem";

/// A refusal. Over HTTP it becomes a problem document (RFC 9457).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    pub code: Code,
    /// What is wrong with this request, for people; never a secret, a key or another person's data.
    pub detail: String,
    /// Seconds after which the same call may succeed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<u64>,
    /// The limit that was hit, in calls a minute.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit_per_minute: Option<u32>,
    /// Where the sigchain now ends that an event did not fit onto.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub current: Option<Head>,
}

impl Problem {
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        Self { code, detail: detail.into(), retry_after: None, limit_per_minute: None, current: None }
    }

    /// The service that should answer is not there, or its store is not: try again in a second.
    pub fn unavailable(detail: impl Into<String>) -> Self {
        Self { retry_after: Some(1), ..Self::new(Code::Unavailable, detail) }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code.as_str(), self.detail)
    }
}

impl std::error::Error for Problem {}

macro_rules! codes {
    ($($variant:ident $name:literal $status:literal $title:literal)*) => {
        /// Why a call was refused. The names are stable; programs may match on them.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        pub enum Code {
            $(#[doc = $title] #[serde(rename = $name)] $variant,)*
        }

        impl Code {
            /// Every code there is.
            pub const ALL: &[Code] = &[$(Code::$variant),*];

            /// The name that programs see.
            pub const fn as_str(self) -> &'static str {
                match self { $(Code::$variant => $name),* }
            }

            /// The HTTP status that goes with it.
            pub const fn status(self) -> u16 {
                match self { $(Code::$variant => $status),* }
            }

            /// What it means, whatever the request was.
            pub const fn title(self) -> &'static str {
                match self { $(Code::$variant => $title),* }
            }

            /// The code of that name.
            pub fn named(name: &str) -> Option<Code> {
                match name { $($name => Some(Code::$variant),)* _ => None }
            }
        }
    };
}

// A macro, so that name, status and title of a code stand on one line and none can be forgotten.
codes! {
    Malformed "malformed" 400 "The request is not what this call takes."
    WrongEnvelope "wrong_envelope" 400 "The signed document is of another kind."
    UnsupportedVersion "unsupported_version" 400 "This version of the document is not known here."
    UnsupportedKey "unsupported_key" 400 "This kind of key cannot be used here."
    InvalidHandle "invalid_handle" 400 "A handle is 3 to 32 of a-z 0-9 _ -, the first a letter or digit."
    ReservedHandle "reserved_handle" 400 "This handle is reserved."
    WrongServer "wrong_server" 400 "The document was signed for another server."
    InvalidSubscription "invalid_subscription" 400 "This push subscription cannot be used here."
    StaleTimestamp "stale_timestamp" 400 "The time in the document is too far from the server's clock."
    KeyMismatch "key_mismatch" 401 "The document is signed by another key than it speaks for."
    BadSignature "bad_signature" 401 "The signature does not verify."
    Unauthorized "unauthorized" 401 "The request is not signed."
    Expired "expired" 401 "The document has expired."
    UnknownDevice "unknown_device" 401 "The device is not an active device of this person."
    ForbiddenOrigin "forbidden_origin" 403 "Pages of this origin may not connect to this server."
    NotFound "not_found" 404 "There is nothing here under that name."
    UnknownRecipient "unknown_recipient" 404 "Nobody is registered under the name or key the message is for."
    MethodNotAllowed "method_not_allowed" 405 "This route does not take that method."
    RequestTimeout "request_timeout" 408 "The request did not arrive, or was not answered, in time."
    HandleTaken "handle_taken" 409 "Somebody else has this handle."
    PrimaryTaken "primary_taken" 409 "This key is registered under another handle."
    Outdated "outdated" 409 "A newer one is stored."
    KeyRotated "key_rotated" 409 "This key has been rotated: its identity has moved to a successor."
    TooManySubscriptions "too_many_subscriptions" 409 "This person has as many push subscriptions as one may have."
    WrongSeq "wrong_seq" 409 "The event's number is not the next one of the sigchain."
    WrongPrev "wrong_prev" 409 "The event does not follow the last one of the sigchain."
    Conflict "conflict" 409 "Another event was appended at the same moment."
    TooLarge "too_large" 413 "The request is larger than this call takes."
    WrongPrimary "wrong_primary" 422 "The document belongs to another identity."
    ChainClosed "chain_closed" 422 "The sigchain is closed: its identity has moved to a successor."
    ClockBackwards "clock_backwards" 422 "The event is dated before the last one of the sigchain."
    AlreadyActive "already_active" 422 "This is active in the sigchain already."
    NotActive "not_active" 422 "This is not active in the sigchain."
    BadProof "bad_proof" 422 "The key that is added has not agreed."
    UnknownOp "unknown_op" 422 "This sigchain operation is unknown."
    UnsupportedSubject "unsupported_subject" 422 "Accounts of this system cannot be checked."
    RateLimited "rate_limited" 429 "Too many requests; try again later."
    Internal "internal" 500 "Something failed on the server; it has been logged."
    Unavailable "unavailable" 503 "The service is not available right now."
    MailboxFull "mailbox_full" 507 "The recipient's mailbox is full."
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_found_by_its_name() {
        for code in Code::ALL {
            assert_eq!(Code::named(code.as_str()), Some(*code));
            assert_eq!(serde_json::to_value(code).unwrap(), code.as_str());
        }
        assert_eq!(Code::named("nonsense"), None);
    }
}
