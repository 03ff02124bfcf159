//! The way from an account to a finding: the channel of its system looks, and the judge decides.

use anyhow::Result;
use kez_crypto::{Identifier, Primary, Timestamp};

use crate::found::Unfound;
use crate::judge::{Finding, Wanted};
use crate::reach::Reach;
use crate::{Settings, activitypub, bluesky, dns, github, nostr, web};

/// The systems whose accounts can be checked.
const SYSTEMS: [&str; 6] = ["dns", "web", "github", "nostr", "bluesky", "ap"];

/// Checks accounts. Clones share what they reach out with, and remember nothing.
#[derive(Clone)]
pub struct Checker {
    reach: Reach,
}

impl Checker {
    /// Reads the files that the settings name.
    ///
    /// # Errors
    /// When one of them cannot be read, with the name of its variable.
    pub fn new(settings: &Settings) -> Result<Self> {
        Ok(Self { reach: Reach::new(settings)? })
    }

    /// Whether there is a way to check accounts of this system.
    pub fn supports(subject: &Identifier) -> bool {
        SYSTEMS.contains(&subject.system())
    }

    /// Whether the account says now that it belongs to the identity, whose sigchain may have `revoked` it.
    pub async fn check(
        &self,
        subject: &Identifier,
        primary: &Primary,
        revoked: bool,
        now: Timestamp,
    ) -> Finding {
        let (reach, wanted) = (self.reach.for_one_check(), Wanted { subject, primary, revoked, now });
        let looked = match subject.system() {
            "dns" => dns::look(&reach, &wanted).await,
            "web" => web::look(&reach, &wanted).await,
            "github" => github::look(&reach, &wanted).await,
            "nostr" => nostr::look(&reach, &wanted).await,
            "bluesky" => bluesky::look(&reach, &wanted).await,
            "ap" => activitypub::look(&reach, &wanted).await,
            _ => Err(Unfound::no_account("accounts of this system cannot be checked", subject)),
        };
        looked.map_or_else(Finding::from, |found| wanted.judge(found))
    }
}
