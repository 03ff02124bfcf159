//! Why somebody is not let in: in words for the log, since the one who asks is told nothing.

use kez_contract::Problem;
use kez_crypto::Fault;
use thiserror::Error;

/// The request did not come from our nats-server as it should have: a misconfiguration, or an attack from inside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Unreadable {
    #[error("it is larger than a sign-in can be")]
    TooLarge,
    #[error("it is not sealed")]
    NotSealed,
    #[error("it names no curve key that it is sealed from")]
    NoXkey,
    #[error("it is not sealed to our key by the key it names")]
    CannotOpen,
    #[error("it is not a JWT")]
    NotAJwt,
    #[error("it is signed with an algorithm that is not nats-server's")]
    WrongAlgorithm,
    #[error("it does not hold the claims of a sign-in")]
    WrongClaims,
    #[error("it is addressed to something else")]
    WrongAudience,
    #[error("it asks another issuer than us")]
    WrongIssuer,
    #[error("it is signed by another server than it names")]
    WrongServer,
    #[error("it names another curve key inside than outside")]
    WrongXkey,
    #[error("it has expired: it waited too long, or this clock is not the broker's")]
    Expired,
    #[error("its signature does not verify")]
    BadSignature,
}

/// What somebody who wants to sign in got wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Refusal {
    #[error("no credentials")]
    NoCredentials,
    #[error("a user name, a password or a JWT, which nobody has here")]
    PasswordOrJwt,
    #[error("neither a client over NATS nor one over WebSocket")]
    NotAClient,
    #[error("the key is not a user nkey")]
    NotAnNkey,
    #[error("no nonce was signed")]
    NoNonce,
    #[error("the nonce is not signed by the key")]
    BadSignature,
    #[error("the session is too long")]
    SessionTooLong,
    #[error("session refused: {}", .0.code())]
    Session(Fault),
    #[error("a session for waking, of somebody who is not registered and has no mail")]
    NobodyToWake,
    #[error("the key has lost its handle to a successor")]
    KeyRotated,
}

/// Why there is no answer.
#[derive(Debug, Error)]
pub enum NoAnswer {
    #[error(transparent)]
    Unreadable(#[from] Unreadable),
    #[error("{reason}")]
    Refused { reason: Refusal, key: String },
    #[error(transparent)]
    Unavailable(#[from] Problem),
    #[error(transparent)]
    Failed(#[from] anyhow::Error),
}
