//! Times on the wire: RFC 3339 in UTC, whole seconds, `Z`.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use time::{Date, Month, OffsetDateTime};

use crate::Fault;

const FIRST: i64 = -62_167_219_200; // 0000-01-01T00:00:00Z
const LAST: i64 = 253_402_300_799; // 9999-12-31T23:59:59Z

/// A moment in whole seconds since 1970-01-01T00:00:00Z, within the years 0000 to 9999.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The moment this many seconds after 1970; what lies outside the years 0000 to 9999 becomes the nearest
    /// moment inside them.
    pub const fn from_unix(seconds: i64) -> Self {
        if seconds < FIRST {
            Self(FIRST)
        } else if seconds > LAST {
            Self(LAST)
        } else {
            Self(seconds)
        }
    }

    /// Reads exactly `YYYY-MM-DDTHH:MM:SSZ` (RFC 3339, protocol section 3), of dates that exist.
    ///
    /// # Errors
    /// [`Fault::Malformed`] for every other text: fractions, offsets, lower case, leap seconds, 30 February.
    pub fn parse(text: &str) -> Result<Self, Fault> {
        let bytes: &[u8; 20] = text.as_bytes().try_into().map_err(|_| Fault::Malformed)?;
        let [y0, y1, y2, y3, b'-', mo0, mo1, b'-', d0, d1, b'T', h0, h1, b':', mi0, mi1, b':', s0, s1, b'Z'] =
            *bytes
        else {
            return Err(Fault::Malformed);
        };
        let year = i32::from(pair(y0, y1)?) * 100 + i32::from(pair(y2, y3)?);
        let month = Month::try_from(pair(mo0, mo1)?).map_err(|_| Fault::Malformed)?;
        let date = Date::from_calendar_date(year, month, pair(d0, d1)?).map_err(|_| Fault::Malformed)?;
        let moment =
            date.with_hms(pair(h0, h1)?, pair(mi0, mi1)?, pair(s0, s1)?).map_err(|_| Fault::Malformed)?;
        Ok(Self(moment.assume_utc().unix_timestamp()))
    }

    /// Seconds since 1970-01-01T00:00:00Z.
    pub const fn unix(self) -> i64 {
        self.0
    }

    /// Seconds from `earlier` to this moment; negative when `earlier` is the later one.
    pub fn seconds_since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }

    /// The moment `seconds` later (or earlier, when negative), within the years 0000 to 9999.
    pub fn plus_seconds(self, seconds: i64) -> Self {
        Self::from_unix(self.0.saturating_add(seconds))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let moment = OffsetDateTime::from_unix_timestamp(self.0).map_err(|_| fmt::Error)?;
        let (year, month, day) = (moment.year(), u8::from(moment.month()), moment.day());
        let (hour, minute, second) = moment.to_hms();
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

/// The number that two decimal digits spell.
fn pair(tens: u8, ones: u8) -> Result<u8, Fault> {
    if tens.is_ascii_digit() && ones.is_ascii_digit() {
        Ok((tens - b'0') * 10 + (ones - b'0'))
    } else {
        Err(Fault::Malformed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_and_writes_the_same_text() {
        for text in
            ["1970-01-01T00:00:00Z", "2026-05-25T03:00:00Z", "2024-02-29T23:59:59Z", "0000-01-01T00:00:00Z"]
        {
            assert_eq!(Timestamp::parse(text).unwrap().to_string(), text);
        }
        assert_eq!(Timestamp::parse("2026-05-25T03:00:00Z").unwrap().unix(), 1_779_678_000);
    }

    #[test]
    fn refuses_every_other_form() {
        for text in [
            "",
            "2026-05-25",
            "2026-05-25T03:00:00",
            "2026-05-25t03:00:00z",
            "2026-05-25 03:00:00Z",
            "2026-05-25T03:00:00.0Z",
            "2026-05-25T03:00:00+00:00",
            "2026-05-25T24:00:00Z",
            "2026-05-25T03:00:60Z",
            "2026-02-29T03:00:00Z",
            "2026-13-01T03:00:00Z",
            "2026-00-01T03:00:00Z",
            "+026-05-25T03:00:00Z",
            "2026-05-2 T03:00:00Z",
        ] {
            assert_eq!(Timestamp::parse(text), Err(Fault::Malformed), "{text}");
        }
    }

    #[test]
    fn stays_within_four_digit_years() {
        assert_eq!(Timestamp::from_unix(i64::MAX).to_string(), "9999-12-31T23:59:59Z");
        assert_eq!(Timestamp::from_unix(i64::MIN).to_string(), "0000-01-01T00:00:00Z");
        assert_eq!(Timestamp::from_unix(LAST).plus_seconds(1), Timestamp::from_unix(LAST));
    }
}
