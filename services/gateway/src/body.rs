//! Request bodies: no larger than their route needs, and JSON as its sender wrote it.

use axum::body::Body;
use axum::http::HeaderMap;
use axum::http::header;
use bytes::Bytes;
use http_body_util::{BodyExt, Collected, LengthLimitError, Limited};
use kez_contract::Code;
use serde::de::DeserializeOwned;
use serde_json::error::Category;

use crate::problem::Refusal;

/// Reads a body of at most `limit` bytes.
pub async fn read(headers: &HeaderMap, body: Body, limit: usize) -> Result<Bytes, Refusal> {
    let announced =
        headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    if announced.is_some_and(|length| length > limit) {
        return Err(too_large(limit));
    }
    let read = Limited::new(body, limit).collect().await;
    read.map(Collected::to_bytes).map_err(|error| {
        if error.is::<LengthLimitError>() {
            too_large(limit)
        } else {
            Refusal::malformed("the body ended too early")
        }
    })
}

/// Reads JSON into the members that a call takes. Signed documents in it keep their text.
pub async fn json<T: DeserializeOwned>(headers: &HeaderMap, body: Body, limit: usize) -> Result<T, Refusal> {
    let body = read(headers, body, limit).await?;
    serde_json::from_slice(&body).map_err(|error| {
        let what = match error.classify() {
            Category::Eof => "ends too early",
            Category::Syntax | Category::Io => "is not JSON",
            Category::Data => "does not have the members that this call takes",
        };
        // The place, never what stood there.
        Refusal::malformed(format!("the body {what} (line {}, column {})", error.line(), error.column()))
    })
}

/// Reads a body that is signed as a whole, and passed on as it came.
pub async fn text(headers: &HeaderMap, body: Body, limit: usize) -> Result<String, Refusal> {
    let body = read(headers, body, limit).await?;
    String::from_utf8(body.into()).map_err(|_| Refusal::malformed("the body is not UTF-8"))
}

fn too_large(limit: usize) -> Refusal {
    Refusal::new(Code::TooLarge, format!("the body may be {limit} bytes"))
}

#[cfg(test)]
mod tests {
    use kez_contract::Document;

    use super::*;

    async fn document(body: impl Into<Body>, limit: usize) -> Result<String, Code> {
        let read = json::<Document>(&HeaderMap::new(), body.into(), limit).await;
        read.map(|document| document.get().to_owned()).map_err(|refusal| refusal.0.code)
    }

    #[tokio::test]
    async fn signed_text_is_kept_as_it_came() {
        let text = "{ \"a\" : 1.0,\n\"a\":\"\\u0041\" }";
        assert_eq!(document(text, 64).await.as_deref(), Ok(text));
    }

    #[tokio::test]
    async fn what_is_not_json_is_malformed() {
        for body in [&b""[..], b"{", b"{}x", b"\xEF\xBB\xBF{}", b"nonsense", b"\"\xFF\"", b"{} {}"] {
            assert_eq!(document(body, 64).await, Err(Code::Malformed), "{body:?}");
        }
    }

    #[tokio::test]
    async fn deep_nesting_needs_no_stack() {
        let deep = format!("{}{}", "[".repeat(30_000), "]".repeat(30_000));
        assert_eq!(document(deep.clone(), 64 * 1024).await, Ok(deep));
    }

    #[tokio::test]
    async fn a_body_ends_at_its_limit() {
        assert_eq!(document("\"123456\"", 8).await.as_deref(), Ok("\"123456\""));
        assert_eq!(document("\"1234567\"", 8).await, Err(Code::TooLarge));
        let chunks = ["\"1234", "567", "\""].map(Ok::<_, std::io::Error>);
        let body = Body::from_stream(futures_util::stream::iter(chunks));
        assert_eq!(document(body, 8).await, Err(Code::TooLarge));
    }
}
