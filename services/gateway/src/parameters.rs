//! What a request says outside its body, read strictly: the name in its path, its query, and its signature.

use axum::extract::{FromRequestParts, Path};
use axum::http::HeaderMap;
use axum::http::request::Parts;
use kez_contract::http::AUTH_HEADER;
use kez_contract::{Code, Problem};

use crate::problem::Refusal;

/// The one variable part of a path, percent-decoded.
pub struct Name(pub String);

impl<S: Send + Sync> FromRequestParts<S> for Name {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        match Path::<String>::from_request_parts(parts, state).await {
            Ok(Path(name)) => Ok(Self(name)),
            Err(_) => Err(Refusal::malformed("the path is not percent-encoded UTF-8")),
        }
    }
}

/// The identity that the two variable parts of a path name, `<system>:<key>`.
pub struct Primary(pub String);

impl<S: Send + Sync> FromRequestParts<S> for Primary {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        match Path::<(String, String)>::from_request_parts(parts, state).await {
            Ok(Path((system, key))) => Ok(Self(format!("{system}:{key}"))),
            Err(_) => Err(Refusal::malformed("the path is not percent-encoded UTF-8")),
        }
    }
}

/// The value of `X-KEZ-Auth`, which the service that is asked will verify.
pub struct Auth(pub String);

impl<S: Send + Sync> FromRequestParts<S> for Auth {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refusal> {
        match one_header(&parts.headers, AUTH_HEADER)? {
            Some(auth) => Ok(Self(auth.to_owned())),
            None => Err(Refusal::new(Code::Unauthorized, "the header X-KEZ-Auth is missing")),
        }
    }
}

/// A header that may stand once, in visible ASCII.
pub fn one_header<'h>(headers: &'h HeaderMap, name: &str) -> Result<Option<&'h str>, Refusal> {
    let mut values = headers.get_all(name).iter();
    let Some(value) = values.next() else { return Ok(None) };
    match (value.to_str(), values.next()) {
        (Ok(value), None) => Ok(Some(value)),
        _ => Err(Refusal::malformed(format!("the header {name} stands twice, or is not plain text"))),
    }
}

/// The query, taken apart parameter by parameter.
#[derive(Debug, Default)]
pub struct Query(Vec<(String, String)>);

impl<S: Send + Sync> FromRequestParts<S> for Query {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refusal> {
        Ok(Self::parse(parts.uri.query().unwrap_or_default())?)
    }
}

impl Query {
    fn parse(text: &str) -> Result<Self, Problem> {
        let pairs = text.split('&').filter(|pair| !pair.is_empty());
        let decoded = pairs.map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            Ok((decode(name)?, decode(value)?))
        });
        Ok(Self(decoded.collect::<Result<_, Problem>>()?))
    }

    /// Takes out every value of a parameter.
    pub fn all(&mut self, name: &str) -> Vec<String> {
        self.0.extract_if(.., |(found, _)| found == name).map(|(_, value)| value).collect()
    }

    /// Takes out a parameter that may stand once.
    pub fn one(&mut self, name: &str) -> Result<Option<String>, Refusal> {
        let mut values = self.all(name);
        let value = values.pop();
        if values.is_empty() {
            Ok(value)
        } else {
            Err(Refusal::malformed(format!("{name} may stand in the query once")))
        }
    }

    /// Takes out a parameter that must stand once.
    pub fn needed(&mut self, name: &str) -> Result<String, Refusal> {
        self.one(name)?.ok_or_else(|| Refusal::malformed(format!("the parameter {name} is missing")))
    }

    /// Takes out a whole number within bounds.
    pub fn number(
        &mut self,
        name: &str,
        bounds: std::ops::RangeInclusive<u64>,
    ) -> Result<Option<u64>, Refusal> {
        let Some(text) = self.one(name)? else { return Ok(None) };
        match whole_number(&text).filter(|number| bounds.contains(number)) {
            Some(number) => Ok(Some(number)),
            None if *bounds.end() == u64::MAX => {
                Err(Refusal::malformed(format!("{name} is not a whole number")))
            }
            None => {
                let (low, high) = bounds.into_inner();
                Err(Refusal::malformed(format!("{name} is not a whole number from {low} to {high}")))
            }
        }
    }

    /// Refuses what nobody took: a misspelt parameter must not be overlooked.
    pub fn finish(self) -> Result<(), Refusal> {
        if self.0.is_empty() { Ok(()) } else { Err(Refusal::malformed("the query has an unknown parameter")) }
    }
}

/// Decimal digits and nothing else, no leading zeros.
pub fn whole_number(text: &str) -> Option<u64> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    if digits && (text == "0" || !text.starts_with('0')) { text.parse().ok() } else { None }
}

/// Percent-decoding (RFC 3986); a plus stays a plus.
fn decode(text: &str) -> Result<String, Problem> {
    let broken = || Problem::new(Code::Malformed, "the query is not percent-encoded UTF-8");
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let high = rest.next().and_then(hex_digit).ok_or_else(broken)?;
            let low = rest.next().and_then(hex_digit).ok_or_else(broken)?;
            bytes.push(high << 4 | low);
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).map_err(|_| broken())
}

fn hex_digit(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(text: &str) -> Query {
        Query::parse(text).unwrap()
    }

    #[test]
    fn numbers_are_digits_within_bounds() {
        assert_eq!(query("since=0").number("since", 0..=u64::MAX).unwrap(), Some(0));
        assert_eq!(query("").number("since", 0..=u64::MAX).unwrap(), None);
        assert_eq!(query("limit=500").number("limit", 1..=500).unwrap(), Some(500));
        for bad in ["", "-1", "+1", "%2B1", "01", "00", "1.0", "1e3", " 1", "x", "١", "18446744073709551616"]
        {
            assert!(query(&format!("since={bad}")).number("since", 0..=u64::MAX).is_err(), "{bad}");
        }
        for bad in ["0", "501"] {
            assert!(query(&format!("limit={bad}")).number("limit", 1..=500).is_err(), "{bad}");
        }
        assert!(query("since=1&since=1").number("since", 0..=9).is_err());
    }

    #[test]
    fn what_nobody_took_is_refused() {
        let mut query = query("since=1&sinse=2");
        query.number("since", 0..=9).unwrap();
        assert_eq!(query.finish().unwrap_err().0.code, Code::Malformed);
        Query::parse("").unwrap().finish().unwrap();
    }

    #[test]
    fn percent_encoding_is_undone_once() {
        assert_eq!(query("auth=1%3Aab").one("auth").unwrap().as_deref(), Some("1:ab"));
        assert_eq!(query("rel=a%2520b&rel=c+d").all("rel"), ["a%20b", "c+d"]);
        assert_eq!(query("%72el=%C3%A9").all("rel"), ["é"]);
        assert_eq!(query("a=b=c&&d").all("a"), ["b=c"]);
        for broken in ["a=%", "a=%4", "a=%zz", "a=%+1", "a=%FF", "%=a"] {
            assert!(Query::parse(broken).is_err(), "{broken}");
        }
    }
}
