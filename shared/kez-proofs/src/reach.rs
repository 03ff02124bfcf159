//! What one check may reach, and until when.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use kez_contract::sigchain::Why;
use kez_reach::{Reach as Outside, Socket, Unreached, Variables, Ways};
use tokio::io::{AsyncReadExt, Join, ReadHalf, Take, WriteHalf};
use tokio::time::{Instant, timeout_at};
use url::Url;

use crate::Settings;
use crate::found::Unfound;
use crate::places::Places;

/// The most that is read of one answer.
pub const LONGEST: usize = 1024 * 1024;

/// The most that a connection may bring, with all that frames an answer.
const LONGEST_ON_WIRE: u64 = 4 * LONGEST as u64;

/// A connection that ends by itself when it brings too much.
pub type Wire = Join<Take<ReadHalf<Socket>>, WriteHalf<Socket>>;

/// The way to the outside, with the time that is left.
#[derive(Clone)]
pub struct Reach {
    outside: Outside,
    /// Where channels are asked that have one place for all.
    pub places: Arc<Places>,
    /// How long one request may take.
    patience: Duration,
    /// When the whole check must be over.
    deadline: Instant,
}

impl Reach {
    /// Reads the certificates, and what the system says of resolvers.
    pub fn new(settings: &Settings) -> Result<Self> {
        let whole = Duration::from_millis(settings.milliseconds.into());
        let ways = Ways {
            resolvers: settings.resolvers.clone(),
            networks: settings.networks.clone(),
            ca_file: settings.ca_file.clone(),
            patience: whole / 2,
            variables: Variables { resolvers: "KEZ_PROOF_RESOLVERS", ca_file: "KEZ_PROOF_CA_FILE" },
        };
        Ok(Self {
            outside: Outside::new(&ways)?,
            places: Arc::new(Places::new(settings)?),
            patience: whole / 2,
            deadline: Instant::now() + whole,
        })
    }

    /// The same for a check that begins now.
    pub fn for_one_check(&self) -> Self {
        Self { deadline: Instant::now() + self.patience * 2, ..self.clone() }
    }

    /// Gives one request its time.
    pub async fn in_time<Answer>(
        &self,
        place: &str,
        request: impl Future<Output = Result<Answer, Unfound>>,
    ) -> Result<Answer, Unfound> {
        let end = self.deadline.min(Instant::now() + self.patience);
        let late = |_| Unfound::new(Why::Timeout, "there was no answer in time", place);
        timeout_at(end, request).await.map_err(late)?
    }

    /// The text records of a name that is whole (`_kez.kez.lat.`), each with its pieces joined; none when there are none.
    pub async fn text_records(&self, name: &str, place: &str) -> Result<Vec<String>, Unfound> {
        self.outside.text_records(name).await.map_err(|unreached| unfound(unreached, place))
    }

    /// Connects to the host of a URL, with TLS where its scheme says so.
    pub async fn open(&self, url: &Url) -> Result<Wire, Unfound> {
        let socket = self.outside.open(url).await.map_err(|unreached| unfound(unreached, url))?;
        let (read, write) = tokio::io::split(socket);
        Ok(tokio::io::join(read.take(LONGEST_ON_WIRE), write))
    }
}

fn unfound(unreached: Unreached, place: &(impl ToString + ?Sized)) -> Unfound {
    let why = match unreached {
        Unreached::Forbidden(_) => Why::Forbidden,
        Unreached::Late(_) => Why::Timeout,
        Unreached::NoAnswer(_) => Why::NoAnswer,
    };
    Unfound::new(why, unreached.to_string(), place)
}
