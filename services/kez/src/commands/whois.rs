//! `kez whois`: who is behind a handle or a key, and which accounts say the same.

use clap::Args;
use futures_util::{StreamExt, TryStreamExt};
use kez_contract::registry::Record;
use kez_contract::sigchain::Verdict;
use kez_contract::{Code, Problem};
use kez_crypto::{FullHandle, Handle, Identifier, Primary, PublicKey, Timestamp};
use kez_service::Clock;
use serde::Serialize;
use serde_json::{Value, json};

use super::avatar::AvatarArgs;
use super::{verdict, whose};
use crate::chains::{ChainFault, Memory, Verified};
use crate::client::Client;
use crate::failure::{Exit, Failure};
use crate::identity::IdentityFile;
use crate::mail::refusal;
use crate::output::{Output, counted};
use crate::server::{ServerArgs, nobody};
use crate::visible;

/// So many accounts are checked, and so many of them at a time.
const ACCOUNTS: usize = 32;
const AT_A_TIME: usize = 8;

/// Look somebody up, by handle or by key, with the accounts that are theirs; no identity is needed
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  kez whois alice\n  kez whois alice@kez.lat --server-url https://kez.lat\n  kez whois ed25519:3b6a27bc…\n  \
    kez whois alice --avatar alice.png\n\n\
    The server says whose key a handle is. To be sure, compare the key with its owner, or trust the accounts: each is claimed \
    by the key's sigchain, which is verified here, and asked by the server whether it says the same."
)]
pub struct WhoisArgs {
    /// A handle, with or without @server, ed25519:<64 hex digits> or nostr:npub1…
    who: String,

    #[command(flatten)]
    avatar: AvatarArgs,

    #[command(flatten)]
    pub output: Output,

    #[command(flatten)]
    file: IdentityFile,

    #[command(flatten)]
    server: ServerArgs,
}

/// Whether this can be somebody who gets mail; what server they are of is found out later.
pub(super) fn check(who: &str) -> Result<(), Failure> {
    let checked = match who {
        key if key.contains(':') => PublicKey::parse(key).map(drop),
        full if full.contains('@') => FullHandle::parse(full).map(drop),
        handle => Handle::parse(handle).map(drop),
    };
    checked.map_err(|fault| Failure::argument(refusal(fault)))
}

pub async fn run(args: WhoisArgs) -> Result<(), Failure> {
    whose::check(&args.who)?;
    let memory = args.file.memory()?;
    // Anybody may look people up, so it is asked as nobody.
    let client = args.server.connect_as_nobody(&memory).await?;
    let (primary, record) = find(&client, &args.who).await?;
    let chain = match client.chain(primary).await {
        Ok(chain) => Ok(chain),
        Err(ChainFault::Asked(problem)) if problem.code == Code::Unavailable => Err(problem),
        Err(fault) => return Err(fault.into()),
    };
    if record.is_none() && chain.as_ref().is_ok_and(|chain| chain.length() == 0) {
        let message = "there is nobody here under that key, and nothing in its sigchain";
        return Err(Failure::new(Exit::NotFound, Code::NotFound.as_str(), message));
    }
    let accounts = match &chain {
        Ok(chain) => accounts(&args.server, &memory, chain).await?,
        Err(_) => Vec::new(),
    };
    args.avatar.write(&primary)?;
    let avatar = args.avatar.avatar.map(|path| path.display().to_string());
    let found = Found { primary, record, chain, accounts, avatar };
    args.output.item(&found.value()?, || found.text())
}

/// The key, and the record that the registry has of it, if any.
async fn find(client: &Client, who: &str) -> Result<(Primary, Option<Record>), Failure> {
    if !who.contains(':') {
        let unknown = |problem: Problem| match problem.code {
            Code::NotFound => Failure { advice: None, ..Failure::from(problem) },
            _ => problem.into(),
        };
        let record = client.lookup(who).await.map_err(unknown)?;
        return Ok((PublicKey::parse(&record.primary).map_err(refusal)?.into(), Some(record)));
    }
    let primary = Primary::parse(who).map_err(refusal)?;
    let Some(key) = primary.ed25519() else { return Ok((primary, None)) };
    match client.by_primary(&key).await {
        Ok(record) => Ok((primary, Some(record))),
        // Its chain says more of it.
        Err(problem) if matches!(problem.code, Code::NotFound | Code::KeyRotated) => Ok((primary, None)),
        Err(problem) => Err(problem.into()),
    }
}

/// What is known of an account that the chain claims.
#[derive(Serialize)]
struct Account {
    subject: Identifier,
    /// None when nobody was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    verdict: Option<Verdict>,
    /// Why not.
    #[serde(skip_serializing_if = "Option::is_none")]
    unchecked: Option<String>,
}

/// The accounts that the chain claims, each checked by the server, and its verdict checked here. Over HTTP anybody may have
/// accounts checked.
async fn accounts(server: &ServerArgs, memory: &Memory, chain: &Verified) -> Result<Vec<Account>, Failure> {
    let primary = chain.primary();
    let http = if server.nats.is_none() { Some(server.http(&nobody(), memory).await?) } else { None };
    let now = Timestamp::from_unix(Clock::default().now());
    let checked = chain.chain().claims().enumerate().map(|(place, subject)| {
        let http = http.as_ref().filter(|_| place < ACCOUNTS);
        async move {
            let verdict = match http {
                Some(http) => http.verify(subject, &primary, false).await.map_err(|problem| problem.detail),
                None if place < ACCOUNTS => {
                    Err("only whoever is asked over HTTP checks for anybody".to_owned())
                }
                None => Err(format!("only the first {ACCOUNTS} are")),
            };
            let subject = subject.clone();
            Ok::<_, Failure>(match verdict {
                Ok(verdict) => {
                    let verdict = verdict::confirm(verdict, &subject, chain.chain(), now)?;
                    Account { subject, verdict: Some(verdict), unchecked: None }
                }
                Err(why) => Account { subject, verdict: None, unchecked: Some(why) },
            })
        }
    });
    futures_util::stream::iter(checked).buffered(AT_A_TIME).try_collect().await
}

/// Everything about somebody.
struct Found {
    primary: Primary,
    record: Option<Record>,
    /// The problem is an outage.
    chain: Result<Verified, Problem>,
    accounts: Vec<Account>,
    /// The file that the picture of the key was written to.
    avatar: Option<String>,
}

impl Found {
    fn value(&self) -> Result<Value, Failure> {
        let mut value = match &self.record {
            Some(record) => serde_json::to_value(record)?,
            None => json!({ "primary": self.primary }),
        };
        let chain = match &self.chain {
            Ok(chain) => json!({
                "length": chain.length(),
                "head": chain.chain().head(),
                "devices": chain.chain().devices().count(),
                "successor": chain.chain().successor().map(|key| key.identifier()),
            }),
            Err(problem) => json!({ "error": problem.code, "message": problem.detail }),
        };
        if let Some(members) = value.as_object_mut() {
            members.insert("sigchain".to_owned(), chain);
            members.insert("accounts".to_owned(), serde_json::to_value(&self.accounts)?);
            if let Some(avatar) = &self.avatar {
                members.insert("avatar".to_owned(), json!(avatar));
            }
        }
        Ok(value)
    }

    fn text(&self) -> String {
        let mut lines = Vec::new();
        match &self.record {
            Some(record) => {
                lines.push(record.fqhn.clone());
                lines.push(format!("key         {}", self.primary));
                lines.push(format!("registered  {}", visible::line(&record.registered_at)));
            }
            None => lines.push(format!("key         {}\nhandle      none here", self.primary)),
        }
        match &self.chain {
            Ok(chain) => lines.extend(chain_lines(chain)),
            Err(problem) => {
                lines.push(format!("sigchain    not available: {}", visible::line(&problem.detail)))
            }
        }
        for Account { subject, verdict, unchecked } in &self.accounts {
            let said = verdict.as_ref().map(verdict::line);
            let said =
                said.or_else(|| Some(format!("not checked: {}", visible::line(unchecked.as_deref()?))));
            let subject = visible::line(subject.as_str());
            lines.push(format!("account     {subject}  {}", said.unwrap_or_default()));
        }
        let is_claimed =
            |proof: &&String| self.accounts.iter().any(|account| account.subject.as_str() == *proof);
        let only_said =
            self.record.iter().flat_map(|record| &record.proofs).filter(|proof| !is_claimed(proof));
        lines.extend(only_said.map(|proof| format!("says it is  {}", visible::line(proof))));
        lines.extend(self.avatar.iter().map(|path| format!("picture     in {path}")));
        lines.join("\n")
    }
}

fn chain_lines(chain: &Verified) -> Vec<String> {
    let Some(head) = chain.chain().head() else { return vec!["sigchain    empty".to_owned()] };
    let mut lines = vec![format!("sigchain    {}, head {head}", counted(chain.length(), "event"))];
    match chain.chain().devices().count() {
        0 => {}
        devices => lines.push(format!("devices     {devices}")),
    }
    if let Some(successor) = chain.chain().successor() {
        lines.push(format!("successor   {}: this key is closed", successor.identifier()));
    }
    lines
}
