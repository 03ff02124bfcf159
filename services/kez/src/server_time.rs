//! The server's clock, as its answers tell it: mail is dated and judged by that, for this machine's own clock may be wrong.

use std::time::UNIX_EPOCH;

use kez_crypto::Timestamp;
use tokio::time::Instant;

/// What time it was at the server, and when it said so.
#[derive(Debug, Clone, Copy)]
pub struct ServerTime {
    seconds: i64,
    heard: Instant,
}

impl ServerTime {
    /// What an answer that came just now has in its `Date` header.
    pub fn heard(date: &str) -> Option<Self> {
        let since = httpdate::parse_http_date(date).ok()?.duration_since(UNIX_EPOCH).ok()?;
        Some(Self { seconds: i64::try_from(since.as_secs()).ok()?, heard: Instant::now() })
    }

    /// What time it is there now. A machine that has slept thinks it earlier than it is.
    pub fn now(self) -> Timestamp {
        let passed = i64::try_from(self.heard.elapsed().as_secs()).unwrap_or(i64::MAX);
        Timestamp::from_unix(self.seconds.saturating_add(passed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_header_is_read() {
        let time = ServerTime::heard("Fri, 15 Jan 2027 08:00:00 GMT").unwrap();
        assert!((0..60).contains(&time.now().seconds_since(Timestamp::from_unix(1_800_000_000))));
        for none in ["", "now", "2027-01-15T08:00:00Z", "Fri, 15 Jan 1027 08:00:00 GMT"] {
            assert!(ServerTime::heard(none).is_none(), "{none}");
        }
    }
}
