//! Why something was refused: one word for programs, one sentence for people.

use thiserror::Error;

/// The reason why input was refused, named as in protocol sections 3 to 8.
#[derive(Clone, Copy, Debug, Eq, Error, Hash, PartialEq)]
#[non_exhaustive]
pub enum Fault {
    /// The input does not have the shape that its format asks for.
    #[error("the input is malformed: it does not follow the format exactly")]
    Malformed,
    /// The input is longer than its format allows.
    #[error("the input is longer than its format allows")]
    TooLarge,
    /// The envelope's tag or its payload's type is another than the one expected here.
    #[error("this is a signed envelope of another kind than the one expected here")]
    WrongEnvelope,
    /// The format's version is unknown.
    #[error("this version of the format is not supported; a newer Kez may read it")]
    UnsupportedVersion,
    /// The key is of a system that is not taken here, or the signature's algorithm is not the key's.
    #[error("keys of this system, or signatures of this algorithm by them, are not supported here")]
    UnsupportedKey,
    /// The signature's key is not the one that the payload names.
    #[error("the envelope is signed by another key than the one its payload names")]
    KeyMismatch,
    /// The signature does not verify under the strict rule.
    #[error("the signature is not valid for this content and key")]
    BadSignature,
    /// The handle breaks the rule for handles.
    #[error("a handle is 3 to 32 characters of a-z, 0-9, '_' and '-', and begins with a letter or a digit")]
    InvalidHandle,
    /// The handle is kept for the server itself.
    #[error("this handle is reserved; choose another one")]
    ReservedHandle,
    /// The content was signed for another server.
    #[error("this was signed for another server")]
    WrongServer,
    /// A time is too far from the clock of whoever checks it.
    #[error("the time is too far from this server's clock; check the clock of the device and try again")]
    StaleTimestamp,
    /// The sealed message does not open with this key.
    #[error("the message cannot be opened with this key")]
    CannotOpen,
    /// The message inside was written to someone else.
    #[error("the message was written to someone else and passed on")]
    WrongRecipient,
    /// The message is too old, or comes from the future.
    #[error("the message is more than seven days old or comes from the future")]
    Stale,
    /// The time for which a session or a claim was signed is over.
    #[error("this has expired; sign again")]
    Expired,
    /// The session was signed for another connection key.
    #[error("the session was signed for another connection key")]
    WrongSession,
    /// The device is not active in the sigchain of the identity that it signs for.
    #[error("this device is not an active device of the identity it signs for")]
    UnknownDevice,
    /// The `X-KEZ-Auth` header is not `<unix seconds>:<128 lower-case hex digits>`.
    #[error("the authorisation must read <unix seconds>:<128 lower-case hex digits>")]
    InvalidAuth,
    /// The claim is one of another account.
    #[error("the claim is about another account")]
    WrongSubject,
    /// The event belongs to another identity's sigchain, or the claim is another identity's.
    #[error("this belongs to another identity")]
    WrongPrimary,
    /// The sigchain ended with a rotation to a successor.
    #[error("the sigchain is closed: its identity has moved to a successor")]
    ChainClosed,
    /// The event's number is not the next one.
    #[error("the event's number does not follow the last one of the sigchain")]
    WrongSeq,
    /// The event does not name the hash of the one before it.
    #[error("the event does not follow the last one of the sigchain")]
    WrongPrev,
    /// The event is older than the one before it.
    #[error("the event is dated before the last one of the sigchain")]
    ClockBackwards,
    /// The subject or device is active already.
    #[error("this is active in the sigchain already")]
    AlreadyActive,
    /// The subject or device to revoke is not active.
    #[error("this is not active in the sigchain, so it cannot be revoked")]
    NotActive,
    /// The device's or the successor's own signature does not verify.
    #[error("the key that is added has not agreed: its proof does not verify")]
    BadProof,
    /// The operation is unknown.
    #[error("this sigchain operation is unknown")]
    UnknownOp,
}

impl Fault {
    /// The fault's stable code, as it stands in replies, problem documents and vectors.
    pub fn code(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::TooLarge => "too_large",
            Self::WrongEnvelope => "wrong_envelope",
            Self::UnsupportedVersion => "unsupported_version",
            Self::UnsupportedKey => "unsupported_key",
            Self::KeyMismatch => "key_mismatch",
            Self::BadSignature => "bad_signature",
            Self::InvalidHandle => "invalid_handle",
            Self::ReservedHandle => "reserved_handle",
            Self::WrongServer => "wrong_server",
            Self::StaleTimestamp => "stale_timestamp",
            Self::CannotOpen => "cannot_open",
            Self::WrongRecipient => "wrong_recipient",
            Self::Stale => "stale",
            Self::Expired => "expired",
            Self::WrongSession => "wrong_session",
            Self::UnknownDevice => "unknown_device",
            Self::InvalidAuth => "invalid_auth",
            Self::WrongSubject => "wrong_subject",
            Self::WrongPrimary => "wrong_primary",
            Self::ChainClosed => "chain_closed",
            Self::WrongSeq => "wrong_seq",
            Self::WrongPrev => "wrong_prev",
            Self::ClockBackwards => "clock_backwards",
            Self::AlreadyActive => "already_active",
            Self::NotActive => "not_active",
            Self::BadProof => "bad_proof",
            Self::UnknownOp => "unknown_op",
        }
    }
}
