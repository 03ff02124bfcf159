//! What a push network's answer means for the subscription.

use std::time::Duration;

use hyper::StatusCode;
use hyper::header::{HeaderMap, RETRY_AFTER};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc2822;

/// What became of a push.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// The network took it.
    Accepted(u16),
    /// There is no such subscription any more.
    Gone(u16),
    /// The network will never take it; without a status it could not even be asked.
    Refused(Option<u16>),
    /// Perhaps it does later, not before `after`; without a status there was no answer.
    Later { status: Option<u16>, after: Option<Wait> },
}

/// How long a network asks to be left alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wait {
    For(Duration),
    /// Milliseconds since 1970.
    Until(i64),
}

impl Answer {
    pub fn read(status: StatusCode, headers: &HeaderMap) -> Self {
        let number = status.as_u16();
        match number {
            200..=299 => Self::Accepted(number),
            404 | 410 => Self::Gone(number),
            // The network's own time-outs and limits pass.
            408 | 425 | 429 => Self::Later { status: Some(number), after: wait(headers) },
            400..=499 => Self::Refused(Some(number)),
            _ => Self::Later { status: Some(number), after: wait(headers) },
        }
    }

    /// The HTTP status, if there was an answer.
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Accepted(status) | Self::Gone(status) => Some(*status),
            Self::Refused(status) | Self::Later { status, .. } => *status,
        }
    }
}

impl Wait {
    /// How long that is from `now`, in milliseconds since 1970.
    pub fn from(self, now: i64) -> Duration {
        match self {
            Self::For(time) => time,
            Self::Until(then) => Duration::from_millis(u64::try_from(then.saturating_sub(now)).unwrap_or(0)),
        }
    }
}

/// `Retry-After`: seconds, or a date as HTTP writes it (RFC 9110, section 10.2.3). What is neither says nothing.
fn wait(headers: &HeaderMap) -> Option<Wait> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(Wait::For(Duration::from_secs(text.parse().unwrap_or(u64::from(u32::MAX)))));
    }
    let date = OffsetDateTime::parse(text, &Rfc2822).ok()?;
    Some(Wait::Until(date.unix_timestamp().saturating_mul(1000)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(status: u16, retry_after: Option<&str>) -> Answer {
        let mut headers = HeaderMap::new();
        if let Some(text) = retry_after {
            headers.insert(RETRY_AFTER, text.parse().unwrap());
        }
        Answer::read(StatusCode::from_u16(status).unwrap(), &headers)
    }

    #[test]
    fn a_status_decides_on_the_subscription() {
        for status in [200, 201, 202, 204] {
            assert_eq!(read(status, None), Answer::Accepted(status));
        }
        for status in [404, 410] {
            assert_eq!(read(status, None), Answer::Gone(status));
        }
        for status in [400, 401, 403, 405, 413, 418] {
            assert_eq!(read(status, None), Answer::Refused(Some(status)));
        }
        for status in [301, 302, 307, 308, 408, 425, 429, 500, 502, 503, 504, 599, 600] {
            assert_eq!(read(status, None), Answer::Later { status: Some(status), after: None });
        }
    }

    #[test]
    fn a_network_says_when_to_come_again_in_two_ways() {
        let after = |text| match read(429, Some(text)) {
            Answer::Later { after, .. } => after,
            other => panic!("{other:?}"),
        };
        assert_eq!(after("120"), Some(Wait::For(Duration::from_secs(120))));
        assert_eq!(after("0"), Some(Wait::For(Duration::ZERO)));
        let then = Wait::Until(784_111_777_000);
        assert_eq!(after("Sun, 06 Nov 1994 08:49:37 GMT"), Some(then));
        assert_eq!(then.from(784_111_776_500), Duration::from_millis(500));
        assert_eq!(then.from(784_111_778_000), Duration::ZERO);
        // More than any clock has: as long as there is.
        assert!(matches!(after("99999999999999999999999"), Some(Wait::For(_))));
        for nonsense in ["", "-1", "soon", "1.5", "0x10", "06 Nov", "Sun, 99 Nov 1994 08:49:37 GMT"] {
            assert_eq!(after(nonsense), None, "{nonsense}");
        }
    }
}
