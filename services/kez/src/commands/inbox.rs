//! `kez inbox`: reading one's mail.

use std::collections::HashMap;
use std::time::Duration;

use clap::Args;
use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use kez_contract::registry::Record;
use kez_contract::{Code, Problem};
use kez_crypto::{Handle, PublicKey, Seen};
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use super::letter::{self, Letter};
use crate::client::{Client, Judged};
use crate::failure::Failure;
use crate::http::HttpClient;
use crate::identity::IdentityArgs;
use crate::mail::Received;
use crate::output::Output;
use crate::server::ServerArgs;

/// Messages a page.
const PAGE: u32 = 100;
/// While mail comes it is acknowledged no more often.
const ACK_EVERY: Duration = Duration::from_secs(1);
/// For how long it is tried again at the end, when there is no later.
const LAST_ACK: Duration = Duration::from_secs(20);
/// After a look-up without an answer, people are called by their keys for so long.
const NAMELESS: Duration = Duration::from_secs(30);

/// Read your messages, oldest first
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  kez inbox\n  kez inbox --follow --ack\n  kez inbox --since 120 --limit 10 --json\n\n\
    What every device of yours has acknowledged is removed from the server; all is removed after 30 days.\n\
    What your other devices have sent stands between the messages: \"you to bob\". Scripts find \"to\" and \"to_handle\" there.\n\
    Whether a device is its sender's is asked of the sender's sigchain. What it has signed is not shown before that can be \
    answered, nor acknowledged; the exit code is 5 then.\n\
    Mail is sealed to your identity's own key, so a device (kez device) can send and cannot read yet: read where your \
    identity is."
)]
pub struct InboxArgs {
    /// Go on with what comes, until Ctrl-C
    #[arg(long, short)]
    follow: bool,

    /// Only what came after this number
    #[arg(long, value_name = "NUMBER", default_value_t = 0)]
    since: u64,

    /// Acknowledge what was printed: this device does not need it again
    #[arg(long, conflicts_with = "http")]
    ack: bool,

    /// At most so many messages [default: all]
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u64).range(1..))]
    limit: Option<u64>,

    /// Read over HTTP instead of NATS
    #[arg(long)]
    http: bool,

    #[command(flatten)]
    pub output: Output,

    #[command(flatten)]
    identity: IdentityArgs,

    #[command(flatten)]
    server: ServerArgs,
}

pub async fn run(args: InboxArgs) -> Result<(), Failure> {
    let identity = args.identity.open()?;
    identity.itself("open mail: mail is sealed to the identity's own key until there is a ratchet")?;
    let (me, memory) = (identity.speaker(), args.identity.memory()?);
    let primary = me.primary();
    let mailbox = if args.http {
        let http = args.server.http(&me, &memory).await?;
        let handle = http.handle().await.map_err(not_registered)?;
        Mailbox::Http(Box::new(http), handle)
    } else {
        Mailbox::Nats(args.server.connect(&me, &memory).await?)
    };
    let mut reader = Reader {
        mailbox,
        me: primary,
        output: args.output,
        names: HashMap::new(),
        printed: 0,
        last: args.since,
        unacked: None,
        next_ack: Instant::now(),
        nameless_until: Instant::now(),
    };
    let limit = args.limit.unwrap_or(u64::MAX);
    if args.follow { reader.follow(limit, args.ack).await } else { reader.read(limit, args.ack).await }
}

/// Where the mail lies.
enum Mailbox {
    Nats(Client),
    Http(Box<HttpClient>, Handle),
}

impl Mailbox {
    async fn judged(&self, since: u64, limit: u32) -> Result<Judged, Problem> {
        match self {
            Self::Nats(client) => client.judged(since, limit).await,
            Self::Http(http, handle) => http.judged(handle, since, limit).await,
        }
    }

    async fn follow(&self, since: u64) -> Result<BoxStream<'static, Result<Received, Problem>>, Problem> {
        match self {
            Self::Nats(client) => Ok(client.follow(since).await?.map(Ok).boxed()),
            Self::Http(http, handle) => http.follow(handle, since).await,
        }
    }

    fn hindrance(&self) -> watch::Receiver<Option<Problem>> {
        match self {
            Self::Nats(client) => client.hindrance(),
            Self::Http(http, _) => http.hindrance(),
        }
    }

    async fn by_primary(&self, primary: &PublicKey) -> Result<Record, Problem> {
        match self {
            Self::Nats(client) => client.by_primary(primary).await,
            Self::Http(http, _) => http.by_primary(primary).await,
        }
    }

    async fn ack(&self, seq: u64) -> Result<(), Problem> {
        match self {
            Self::Nats(client) => client.ack(seq).await.map(|_| ()),
            Self::Http(..) => {
                Err(Problem::new(Code::MethodNotAllowed, "mail is acknowledged over NATS only"))
            }
        }
    }
}

/// Somebody who reads along.
struct Reader {
    mailbox: Mailbox,
    me: PublicKey,
    output: Output,
    /// What people are called; none for those who are not registered.
    names: HashMap<PublicKey, Option<String>>,
    printed: u64,
    last: u64,
    /// What was read and not acknowledged yet, and when that is due.
    unacked: Option<u64>,
    next_ack: Instant,
    /// No names are asked for until then: the registry did not answer.
    nameless_until: Instant,
}

impl Reader {
    /// What lies there.
    async fn read(&mut self, limit: u64, ack: bool) -> Result<(), Failure> {
        let (mut seen, first) = (Seen::new(), self.last);
        // All up to here has been judged, until one has to wait.
        let (mut judged, mut hindrance) = (first, None);
        let mut more = true;
        while more && self.printed < limit {
            let size = u32::try_from(limit - self.printed).unwrap_or(PAGE).min(PAGE);
            let page = self.mailbox.judged(self.last, size).await?;
            more = page.more && page.next > self.last;
            for message in &page.messages {
                match message {
                    Ok(received) => {
                        let id = received.opened.as_ref().ok().map(|message| message.id);
                        if id.is_none_or(|id| seen.first_time(&id)) && self.is_shown(received) {
                            self.print(received).await?;
                        }
                    }
                    Err(waiting) => {
                        self.printed += 1;
                        self.output
                            .item(&letter::waiting_value(waiting), || letter::waiting_text(waiting))?;
                        hindrance.get_or_insert_with(|| waiting.problem.clone());
                    }
                }
                if let (Ok(received), None) = (message, &hindrance) {
                    judged = judged.max(received.seq);
                }
            }
            self.last = self.last.max(page.next);
        }
        if hindrance.is_none() {
            judged = self.last;
        }
        if ack && judged > first {
            self.mailbox.ack(judged).await?;
        }
        if let Some(problem) = hindrance {
            let detail = format!("not all messages are shown yet: {}", problem.detail);
            return Err(Problem { detail, ..problem }.into());
        }
        match (self.printed, more) {
            (0, _) => self.output.note("No messages."),
            (_, true) => self.output.note(&format!("There is more: kez inbox --since {}", self.last)),
            _ => Ok(()),
        }
    }

    /// What lies there, and what comes.
    async fn follow(&mut self, limit: u64, ack: bool) -> Result<(), Failure> {
        let mut hindrance = self.mailbox.hindrance();
        let mut stream = self.mailbox.follow(self.last).await?;
        while self.printed < limit {
            let received = tokio::select! {
                received = stream.next() => received,
                () = sleep_until(self.next_ack), if self.unacked.is_some() => {
                    self.acknowledge().await?;
                    continue;
                }
                Ok(()) = hindrance.changed() => {
                    if let Some(problem) = hindrance.borrow_and_update().clone() {
                        Failure::from(problem).warn("the next message is not shown yet", self.output.json);
                    }
                    continue;
                }
            };
            let Some(received) = received else { break };
            let received = received?;
            if self.is_shown(&received) {
                self.print(&received).await?;
            }
            if ack {
                self.unacked = Some(received.seq);
            }
        }
        self.acknowledge_at_last().await
    }

    /// Acknowledges what was read since the last time. While the server is unavailable that is left for later, and the
    /// answer says why.
    async fn acknowledge(&mut self) -> Result<Option<Problem>, Failure> {
        let Some(seq) = self.unacked else { return Ok(None) };
        self.next_ack = Instant::now() + ACK_EVERY;
        match self.mailbox.ack(seq).await {
            Ok(()) => {
                self.unacked = None;
                Ok(None)
            }
            Err(problem) if matches!(problem.code, Code::Unavailable | Code::RateLimited) => {
                let asked = Duration::from_secs(problem.retry_after.unwrap_or_default().min(60));
                self.next_ack = Instant::now() + asked.max(ACK_EVERY);
                Ok(Some(problem))
            }
            Err(problem) => Err(problem.into()),
        }
    }

    /// Acknowledges what is left, or fails: whoever hears that all went well does not get it again.
    async fn acknowledge_at_last(&mut self) -> Result<(), Failure> {
        let until = Instant::now() + LAST_ACK;
        while let Some(problem) = self.acknowledge().await? {
            if self.next_ack >= until {
                let detail = format!("what was printed last is not acknowledged: {}", problem.detail);
                return Err(Problem { detail, ..problem }.into());
            }
            sleep_until(self.next_ack).await;
        }
        Ok(())
    }

    fn is_shown(&self, received: &Received) -> bool {
        letter::says_something(received, &self.me, self.output.json)
    }

    async fn print(&mut self, received: &Received) -> Result<(), Failure> {
        let sent_to = received.copied(&self.me).map(|copied| copied.to);
        let (from, to) = (self.name(received.from()).await, self.name(sent_to).await);
        let sent_to = sent_to.map(|primary| (primary, to.as_deref()));
        let letter = Letter { received, from: from.as_deref(), sent_to };
        self.printed += 1;
        self.output.item(&letter.value(), || letter.text())
    }

    /// The handle of somebody, as the registry has it.
    async fn name(&mut self, primary: Option<PublicKey>) -> Option<String> {
        let primary = primary?;
        if let Some(known) = self.names.get(&primary) {
            return known.clone();
        }
        if Instant::now() < self.nameless_until {
            return None;
        }
        let name = match self.mailbox.by_primary(&primary).await {
            Ok(record) => Handle::parse(&record.handle).ok().map(|handle| handle.to_string()),
            Err(problem) if matches!(problem.code, Code::NotFound | Code::KeyRotated) => None,
            // Asked again later: mail does not wait for names.
            Err(_) => {
                self.nameless_until = Instant::now() + NAMELESS;
                return None;
            }
        };
        self.names.insert(primary, name.clone());
        name
    }
}

fn not_registered(problem: Problem) -> Failure {
    match problem.code {
        Code::NotFound => {
            Failure::from(Problem::new(Code::Unauthorized, "this identity has no handle at this server"))
        }
        _ => problem.into(),
    }
}
