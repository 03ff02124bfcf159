//! A call: its subject, its request and its reply on one line, and who may make it in its type.

use std::marker::PhantomData;

/// Callers whom the broker has proven: the subject's last two tokens are the caller's primary and device.
#[derive(Debug, Clone, Copy)]
pub struct Person;

/// HTTP clients, whose calls the gateway passes on: who asks is proven by a signature inside, or by nothing.
#[derive(Debug, Clone, Copy)]
pub struct WebClient;

/// Other services of the mesh.
#[derive(Debug, Clone, Copy)]
pub struct Mesh;

/// A call of a person: `kez.rpc.<service>.<verb>.<primary>.<device>`.
pub type Rpc<Request, Reply> = Endpoint<Person, Request, Reply>;
/// A call of the gateway's: `kez.web.<service>.<verb>`.
pub type Web<Request, Reply> = Endpoint<WebClient, Request, Reply>;
/// A call between services: `kez.svc.<service>.<verb>`.
pub type Svc<Request, Reply> = Endpoint<Mesh, Request, Reply>;

/// One call that a service answers. Request and reply are JSON.
pub struct Endpoint<Family, Request, Reply> {
    pattern: &'static str,
    types: PhantomData<fn(Family, Request) -> Reply>,
}

impl<Family, Request, Reply> Endpoint<Family, Request, Reply> {
    pub const fn new(pattern: &'static str) -> Self {
        Self { pattern, types: PhantomData }
    }

    /// The subject that a service listens on, wildcards included.
    pub const fn pattern(&self) -> &'static str {
        self.pattern
    }

    /// `rpc`, `web` or `svc`.
    pub fn family(&self) -> &'static str {
        self.token(1)
    }

    /// The service that answers.
    pub fn service(&self) -> &'static str {
        self.token(2)
    }

    /// What is asked of it.
    pub fn verb(&self) -> &'static str {
        self.token(3)
    }

    fn token(&self, index: usize) -> &'static str {
        self.pattern.split('.').nth(index).unwrap_or_default()
    }
}

impl<Request, Reply> Rpc<Request, Reply> {
    /// The subject on which `primary`, from `device`, makes this call (both 64 lower-case hex digits).
    pub fn subject(&self, primary: &str, device: &str) -> String {
        format!("{}.{primary}.{device}", self.pattern.trim_end_matches(".*.*"))
    }
}

impl<Family, Request, Reply> Clone for Endpoint<Family, Request, Reply> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<Family, Request, Reply> Copy for Endpoint<Family, Request, Reply> {}

/// What the broker lets a signed-in person do: three lines, no more (ARCHITECTURE.md, "Subjects").
pub mod rights {
    use super::super::{event, inbox, registry, sigchain};

    /// Publish rights of somebody who is registered.
    pub fn publish(primary: &str, device: &str) -> Vec<String> {
        vec![format!("kez.rpc.*.*.{primary}.{device}")]
    }

    /// Publish rights of somebody who is not: register, and look people up.
    pub fn publish_unregistered(primary: &str, device: &str) -> Vec<String> {
        vec![
            registry::REGISTER.subject(primary, device),
            registry::LOOKUP.subject(primary, device),
            registry::BY_PRIMARY.subject(primary, device),
            registry::AVAILABLE.subject(primary, device),
            registry::PROFILE.subject(primary, device),
            sigchain::HEAD.subject(primary, device),
            sigchain::EVENTS.subject(primary, device),
            sigchain::CLAIMANTS.subject(primary, device),
        ]
    }

    /// Publish rights of a session that is for waking alone (`"use": "wake"`): fetch the mail that a push has announced, and
    /// look up who sent it.
    pub fn publish_wake(primary: &str, device: &str) -> Vec<String> {
        vec![inbox::FETCH.subject(primary, device), registry::BY_PRIMARY.subject(primary, device)]
    }

    /// Subscribe rights of somebody who is registered: the live mail, public facts, and replies.
    pub fn subscribe(primary: &str, device: &str) -> Vec<String> {
        vec![event::LIVE.subject(primary), event::FEED_ALL.to_owned(), inbox_subscription(primary, device)]
    }

    /// Subscribe rights of somebody who is not registered, and of a session for waking: replies only.
    pub fn subscribe_replies(primary: &str, device: &str) -> Vec<String> {
        vec![inbox_subscription(primary, device)]
    }

    /// The prefix of the subjects on which a client of `primary` on `device` takes its replies.
    pub fn inbox_prefix(primary: &str, device: &str) -> String {
        format!("_INBOX_{primary}_{device}")
    }

    fn inbox_subscription(primary: &str, device: &str) -> String {
        format!("{}.>", inbox_prefix(primary, device))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_is_taken_apart_and_filled_in() {
        const CALL: Rpc<(), ()> = Rpc::new("kez.rpc.registry.by-primary.*.*");
        assert_eq!((CALL.family(), CALL.service(), CALL.verb()), ("rpc", "registry", "by-primary"));
        assert_eq!(CALL.subject("aa", "bb"), "kez.rpc.registry.by-primary.aa.bb");
    }

    #[test]
    fn rights_are_the_three_lines() {
        assert_eq!(rights::publish("aa", "bb"), ["kez.rpc.*.*.aa.bb"]);
        assert_eq!(rights::subscribe("aa", "bb"), ["kez.live.aa", "kez.feed.>", "_INBOX_aa_bb.>"]);
        assert_eq!(rights::subscribe_replies("aa", "bb"), ["_INBOX_aa_bb.>"]);
    }
}
