//! Plain requests to a gateway, and refusals read from its problem documents.

use std::error::Error;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::header::{CONTENT_TYPE, DATE, HeaderValue, RETRY_AFTER};
use hyper::{HeaderMap, Method, Request, StatusCode};
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use kez_contract::{Code, Problem};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::server_time::ServerTime;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// The longest answer that is read.
const LONGEST: usize = 4 * 1024 * 1024;

/// Requests to one server, over HTTP or HTTPS, on connections that are kept.
#[derive(Clone)]
pub struct Transport {
    base: String,
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    heard: Arc<Mutex<Option<ServerTime>>>,
}

/// An answer that is not a refusal.
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Transport {
    /// A transport to a base URL without a slash at its end. The system's certificates decide whom to trust.
    pub fn new(base: &str) -> Result<Self, Problem> {
        let connector = hyper_rustls::HttpsConnectorBuilder::new()
            .with_native_roots()
            .map_err(|error| unavailable(&format!("this system's certificates cannot be read: {error}")))?
            .https_or_http()
            .enable_http1()
            .build();
        let client = Client::builder(TokioExecutor::new()).build(connector);
        Ok(Self { base: base.to_owned(), client, heard: Arc::default() })
    }

    /// The server's clock, as its last answer told it.
    pub fn server_time(&self) -> Option<ServerTime> {
        *self.heard.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The server's clock, as it was heard now.
    pub fn hear(&self, time: ServerTime) {
        *self.heard.lock().unwrap_or_else(PoisonError::into_inner) = Some(time);
    }

    /// What lies at a path.
    pub async fn get<Reply: DeserializeOwned>(
        &self,
        path: &str,
        headers: &[(&'static str, &str)],
    ) -> Result<Reply, Problem> {
        read(&self.request(Method::GET, path, headers, Bytes::new()).await?.body)
    }

    /// The whole answer to a request.
    pub async fn request(
        &self,
        method: Method,
        path: &str,
        headers: &[(&'static str, &str)],
        body: impl Into<Bytes>,
    ) -> Result<Answer, Problem> {
        let exchange = async {
            let (status, headers, body) = self.open(method, path, headers, body.into()).await?;
            let body = Limited::new(body, LONGEST).collect().await;
            let body =
                body.map_err(|error| unavailable(&format!("the answer broke off: {error}")))?.to_bytes();
            if status.is_success() {
                Ok(Answer { status, headers, body })
            } else {
                Err(refusal(status, &headers, &body))
            }
        };
        let late = |_| unavailable(&format!("{} did not answer in time", self.base));
        tokio::time::timeout(PATIENCE, exchange).await.map_err(late)?
    }

    /// An answer whose body is read as it comes.
    pub async fn stream(&self, path: &str, headers: &[(&'static str, &str)]) -> Result<Incoming, Problem> {
        let opened =
            tokio::time::timeout(PATIENCE, self.open(Method::GET, path, headers, Bytes::new())).await;
        let (status, headers, body) =
            opened.map_err(|_| unavailable("the stream did not open in time"))??;
        if status.is_success() {
            return Ok(body);
        }
        let body =
            Limited::new(body, LONGEST).collect().await.map(|body| body.to_bytes()).unwrap_or_default();
        Err(refusal(status, &headers, &body))
    }

    /// What comes next in an answer that is read as it comes, if it comes in time.
    pub async fn in_time<Next>(&self, next: impl Future<Output = Next>) -> Result<Next, Problem> {
        let late = |_| unavailable(&format!("{} did not answer in time", self.base));
        tokio::time::timeout(PATIENCE, next).await.map_err(late)
    }

    async fn open(
        &self,
        method: Method,
        path: &str,
        headers: &[(&'static str, &str)],
        body: Bytes,
    ) -> Result<(StatusCode, HeaderMap, Incoming), Problem> {
        let mut request = Request::builder().method(method).uri(format!("{}{path}", self.base));
        if !body.is_empty() {
            request = request.header(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request
            .body(Full::new(body))
            .map_err(|_| Problem::new(Code::Malformed, format!("{}{path} is not a URL", self.base)))?;
        let answer = self.client.request(request).await;
        let (parts, body) = answer
            .map_err(|error| unavailable(&format!("no server answers at {}: {}", self.base, cause(&error))))?
            .into_parts();
        if let Some(time) = parts.headers.get(DATE).and_then(|date| ServerTime::heard(date.to_str().ok()?)) {
            self.hear(time);
        }
        Ok((parts.status, parts.headers, body))
    }
}

/// A reply in an answer's body.
pub fn read<Reply: DeserializeOwned>(body: &[u8]) -> Result<Reply, Problem> {
    serde_json::from_slice(body)
        .map_err(|_| Problem::new(Code::Internal, "the server's answer cannot be read"))
}

/// What is used of a problem document (RFC 9457).
#[derive(Deserialize)]
struct Document {
    code: String,
    #[serde(default)]
    detail: Option<String>,
}

fn refusal(status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Problem {
    let retry_after = headers.get(RETRY_AFTER).and_then(|seconds| seconds.to_str().ok()?.parse().ok());
    let Ok(Document { code, detail }) = serde_json::from_slice(body) else {
        return Problem {
            retry_after,
            ..unavailable(&format!("the server answered {status}, and not as a Kez server does"))
        };
    };
    let code = Code::named(&code).unwrap_or(Code::Internal);
    Problem { retry_after, ..Problem::new(code, detail.unwrap_or_else(|| code.title().to_owned())) }
}

/// What lies at the bottom of an error.
fn cause(error: &(dyn Error + 'static)) -> String {
    error.source().map_or_else(|| error.to_string(), cause)
}

fn unavailable(detail: &str) -> Problem {
    Problem::unavailable(detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_document_is_a_refusal_of_its_code() {
        let headers = HeaderMap::from_iter([(RETRY_AFTER, HeaderValue::from_static("7"))]);
        let body =
            br#"{"type":"/errors/rate_limited","title":"t","status":429,"code":"rate_limited","detail":"d"}"#;
        let problem = refusal(StatusCode::TOO_MANY_REQUESTS, &headers, body);
        assert_eq!((problem.code, problem.detail.as_str()), (Code::RateLimited, "d"));
        assert_eq!(problem.retry_after, Some(7));
    }

    #[test]
    fn what_no_kez_server_says_is_an_outage() {
        let problem = refusal(StatusCode::BAD_GATEWAY, &HeaderMap::new(), b"<html>");
        assert_eq!(problem.code, Code::Unavailable);
    }
}
