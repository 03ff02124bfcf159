//! Refusals as HTTP carries them: problem documents (RFC 9457) with the code that NATS callers see too.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use kez_contract::sigchain::Head;
use kez_contract::{Code, Problem};
use serde::Serialize;

pub const MEDIA_TYPE: &str = "application/problem+json";

/// Why a request has no other answer.
#[derive(Debug)]
pub struct Refusal(pub Problem);

impl Refusal {
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        Self(Problem::new(code, detail))
    }

    pub fn malformed(detail: impl Into<String>) -> Self {
        Self::new(Code::Malformed, detail)
    }
}

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        Self(problem)
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let Problem { code, detail, retry_after, limit_per_minute, current } = self.0;
        tracing::debug!(code = code.as_str(), "refused");
        let document = Document {
            r#type: format!("/errors/{}", code.as_str()),
            title: code.title(),
            status: code.status(),
            code,
            detail,
            limit_per_minute,
            current,
        };
        let body = serde_json::to_vec(&document).unwrap_or_default();
        let status = StatusCode::from_u16(code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, [(header::CONTENT_TYPE, MEDIA_TYPE)], body).into_response();
        if let Some(seconds) = retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

/// The document itself.
#[derive(Serialize)]
pub struct Document {
    r#type: String,
    title: &'static str,
    status: u16,
    code: Code,
    detail: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    limit_per_minute: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    current: Option<Head>,
}
