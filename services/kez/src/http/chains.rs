//! Sigchains over HTTP: read line by line and verified as they come, and continued by whoever has signed events.

use http_body_util::BodyExt;
use hyper::{Method, StatusCode};
use kez_contract::sigchain::{Appended, Head, MAX_EVENT, Verdict};
use kez_contract::{Code, Document, Problem, http};
use kez_crypto::{Identifier, Primary, PublicKey};

use super::HttpClient;
use super::transport::read;
use crate::chains::{ChainFault, Verified};
use crate::mail::refusal;

impl HttpClient {
    /// Somebody's chain: every event verified, and not other than it was seen before.
    pub async fn chain(&self, primary: impl Into<Primary>) -> Result<Verified, ChainFault> {
        let chain = self.extended(Verified::new(primary)).await?;
        self.memory.check(&chain)?;
        Ok(chain)
    }

    /// The chain with what came since, each event verified as its line arrives.
    pub(super) async fn extended(&self, mut chain: Verified) -> Result<Verified, ChainFault> {
        let path = format!("{}?since={}", path(&chain.primary()), chain.length());
        let mut body = match self.transport.stream(&path, &[]).await {
            Err(problem) if problem.code == Code::NotFound => return Ok(chain),
            opened => opened?,
        };
        let mut lines = Lines::default();
        while let Some(frame) = self.transport.in_time(body.frame()).await? {
            let frame = frame.map_err(|_| Problem::unavailable("the chain broke off"))?;
            for line in lines.read(frame.data_ref().map_or(&[][..], |bytes| bytes))? {
                chain.append(line)?;
            }
        }
        if lines.rest.is_empty() {
            Ok(chain)
        } else {
            Err(Problem::unavailable("the chain broke off").into())
        }
    }

    /// Has a signed event stored, whoever's it is.
    pub async fn append_event(&self, primary: &Primary, event: &Document) -> Result<Appended, Problem> {
        let answer =
            self.transport.request(Method::POST, &path(primary), &[], event.get().to_owned()).await?;
        let event: Head = read(&answer.body)?;
        Ok(Appended { created: answer.status == StatusCode::CREATED, event })
    }

    /// What the server finds when it asks an account whose it is.
    pub async fn verify(
        &self,
        subject: &Identifier,
        primary: &Primary,
        fresh: bool,
    ) -> Result<Verdict, Problem> {
        let [subject, primary] = [subject.as_str(), &primary.to_string()].map(escaped);
        let fresh = if fresh { "&fresh=true" } else { "" };
        self.transport.get(&format!("{}?subject={subject}&primary={primary}{fresh}", http::VERIFY), &[]).await
    }

    /// The key of somebody, of either algorithm: by handle, as the registry has it, or as it is.
    pub async fn resolve_primary(&self, who: &str) -> Result<Primary, Problem> {
        if who.contains(':') {
            return Primary::parse(who).map_err(refusal);
        }
        PublicKey::parse(&self.lookup(who).await?.primary).map(Primary::from).map_err(refusal)
    }

    /// Whether somebody's chain says that a device is theirs.
    pub async fn has_device(&self, primary: PublicKey, device: &PublicKey) -> Result<bool, ChainFault> {
        self.devices.vouch(primary, device, async |chain| self.extended(chain).await).await
    }
}

fn path(primary: &Primary) -> String {
    http::SIGCHAIN.replace("{alg}", primary.system()).replace("{key}", &primary.name())
}

/// Text as a query carries it: all but what is never special stands as %XX.
fn escaped(text: &str) -> String {
    let escape = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(escape).collect()
}

/// Lines, as far as they have come.
#[derive(Default)]
struct Lines {
    rest: Vec<u8>,
}

impl Lines {
    /// The events whose lines end in these bytes.
    fn read(&mut self, bytes: &[u8]) -> Result<Vec<Document>, Problem> {
        let broken = || Problem::new(Code::Internal, "the server's chain is not one event a line");
        self.rest.extend_from_slice(bytes);
        let mut events = Vec::new();
        let mut begin = 0;
        while let Some(length) = self.rest[begin..].iter().position(|byte| *byte == b'\n') {
            let line = &self.rest[begin..begin + length];
            events.push(serde_json::from_slice(line).map_err(|_| broken())?);
            begin += length + 1;
        }
        self.rest.drain(..begin);
        if self.rest.len() > MAX_EVENT { Err(broken()) } else { Ok(events) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_come_in_pieces() {
        let text = b"{\"n\":1}\n{\"n\":2}\n{\"n\":3}\n";
        for size in 1..text.len() {
            let mut lines = Lines::default();
            let read: Vec<Document> =
                text.chunks(size).flat_map(|piece| lines.read(piece).unwrap()).collect();
            let read: Vec<&str> = read.iter().map(|event| event.get()).collect();
            assert_eq!(read, [r#"{"n":1}"#, r#"{"n":2}"#, r#"{"n":3}"#]);
            assert!(lines.rest.is_empty());
        }
    }

    #[test]
    fn a_line_without_end_is_not_read_for_ever() {
        let mut lines = Lines::default();
        assert!(lines.read(&[b' '; MAX_EVENT]).is_ok());
        assert_eq!(lines.read(b"  ").unwrap_err().code, Code::Internal);
        assert_eq!(Lines::default().read(b"nonsense\n").unwrap_err().code, Code::Internal);
    }

    #[test]
    fn queries_are_escaped() {
        assert_eq!(escaped("web:https://a.example/?x=1&y"), "web%3Ahttps%3A%2F%2Fa.example%2F%3Fx%3D1%26y");
        assert_eq!(escaped("ap:ü@b"), "ap%3A%C3%BC%40b");
    }
}
