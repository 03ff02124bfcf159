//! A sign-in, from nats-server's sealed question to our sealed answer, or to none.

use std::time::Duration;

use async_nats::{HeaderMap, Message};
use bytes::Bytes;
use kez_contract::sign_in::SERVER_XKEY_HEADER;
use kez_crypto::{Fault, Purpose, Timestamp};
use tokio::time::timeout;

use crate::app::{App, Keys};
use crate::jwt::Request;
use crate::people::Registration;
use crate::refusal::{NoAnswer, Refusal, Unreadable};
use crate::rules::{self, Person};
use crate::sealing::Sealed;

/// The broker waits for 1.9 s. An answer that takes longer than this is not worth the place it holds.
const PATIENCE: Duration = Duration::from_secs(1);

/// nats-server takes credentials of 4 KiB; what it adds of its own is as much again, and a client's certificates.
const LARGEST: usize = 64 * 1024;

/// Answers with what lets somebody in. Whoever is refused gets no answer: the broker tells them no reason anyway.
pub async fn sign_in(app: App, asked: Message) -> Option<Bytes> {
    let decided = timeout(PATIENCE, decide(&app, &asked)).await;
    let no_answer = match decided {
        Ok(Ok(answer)) => return Some(answer),
        Ok(Err(no_answer)) => no_answer,
        Err(_) => {
            tracing::warn!("a sign-in is dropped: it could not be decided within a second");
            return None;
        }
    };
    match no_answer {
        NoAnswer::Refused { reason, key } => {
            tracing::info!(%reason, key = app.pseudonym(&key), "a sign-in is refused");
        }
        NoAnswer::Unreadable(reason) => tracing::warn!(%reason, "a request for a sign-in is not taken"),
        NoAnswer::Unavailable(problem) => {
            tracing::warn!(reason = problem.code.as_str(), "a sign-in is dropped: whoever knows cannot say");
        }
        NoAnswer::Failed(error) => tracing::error!(error = format!("{error:#}"), "a sign-in failed"),
    }
    None
}

async fn decide(app: &App, asked: &Message) -> Result<Bytes, NoAnswer> {
    let now = app.now();
    let known = recognise(&app.keys, asked.headers.as_ref(), &asked.payload, now)?;
    let Person { primary, device, .. } = known.person;
    let (registration, device_speaks) = tokio::try_join!(
        app.people.registration(primary),
        // Without sigchains no device can be decided on, and whoever signs in with the primary itself needs none.
        app.devices.speaks_for(primary, device)
    )?;
    let refused = |reason| NoAnswer::Refused { reason, key: known.request.connect_opts.nkey.clone() };
    if registration == Registration::Rotated {
        return Err(refused(Refusal::KeyRotated));
    }
    if !device_speaks {
        return Err(refused(Refusal::Session(Fault::UnknownDevice)));
    }
    let registered = registration == Registration::Registered;
    if known.person.purpose == Purpose::Wake && !registered {
        return Err(refused(Refusal::NobodyToWake));
    }
    let answer = app.keys.issuer.admit(&known.request, &known.person, registered, now)?;
    Ok(known.sealed.seal(answer.as_bytes())?)
}

/// A request of our server's, from somebody who has proven who they are.
pub struct Known {
    pub request: Request,
    pub person: Person,
    sealed: Sealed,
}

/// All that is decided without asking anyone.
pub fn recognise(
    keys: &Keys,
    headers: Option<&HeaderMap>,
    payload: &[u8],
    now: Timestamp,
) -> Result<Known, NoAnswer> {
    if payload.len() > LARGEST {
        return Err(Unreadable::TooLarge.into());
    }
    let xkey = headers.and_then(|headers| headers.get(SERVER_XKEY_HEADER)).ok_or(Unreadable::NoXkey)?;
    let (token, sealed) = keys.sealing.open(xkey.as_str(), payload)?;
    let request = Request::read(&token, keys.issuer.public(), xkey.as_str(), now)?;
    match rules::identify(&request, &keys.server, now) {
        Ok(person) => Ok(Known { request, person, sealed }),
        Err(reason) => Err(NoAnswer::Refused { reason, key: request.connect_opts.nkey }),
    }
}
