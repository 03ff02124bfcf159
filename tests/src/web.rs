//! HTTP as anyone may speak it: requests word for word, and answers with all that is in them.

use std::net::{IpAddr, Ipv4Addr};

use kez_contract::http::AUTH_HEADER;
use reqwest::header::HeaderMap;
use reqwest::{Body, Client, Method, RequestBuilder};
use serde::de::DeserializeOwned;
use serde_json::Value;

/// Somebody who asks a gateway, with any HTTP client there is.
#[derive(Clone)]
pub struct Web {
    base: String,
    client: Client,
}

/// An answer, whatever it is.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: String,
}

impl Web {
    /// A client of the gateway at a base URL.
    pub fn new(base: &str) -> Self {
        Self::at(Ipv4Addr::LOCALHOST, base)
    }

    /// A client at an address of its own, such as 127.0.0.2.
    pub fn at(address: Ipv4Addr, base: &str) -> Self {
        let client = Client::builder().no_proxy().local_address(IpAddr::from(address)).build().unwrap();
        Self { base: base.to_owned(), client }
    }

    /// A request that the test completes.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{path}", self.base))
    }

    pub async fn get(&self, path: &str) -> Answer {
        answer(self.request(Method::GET, path)).await
    }

    pub async fn get_signed(&self, path: &str, auth: &str) -> Answer {
        answer(self.request(Method::GET, path).header(AUTH_HEADER, auth)).await
    }

    pub async fn post(&self, path: &str, body: impl Into<Body>) -> Answer {
        answer(self.request(Method::POST, path).body(body)).await
    }

    pub async fn post_signed(&self, path: &str, auth: &str, body: impl Into<Body>) -> Answer {
        answer(self.request(Method::POST, path).header(AUTH_HEADER, auth).body(body)).await
    }

    pub async fn put_signed(&self, path: &str, auth: &str, body: impl Into<Body>) -> Answer {
        answer(self.request(Method::PUT, path).header(AUTH_HEADER, auth).body(body)).await
    }
}

/// Sends a request and reads its answer to the end.
pub async fn answer(request: RequestBuilder) -> Answer {
    let response = request.send().await.unwrap();
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    Answer { status, headers, body: response.text().await.unwrap() }
}

impl Answer {
    /// A header that stands there once; empty when it does not stand there.
    pub fn header(&self, name: &str) -> &str {
        let mut values = self.headers.get_all(name).iter();
        let value = values.next().map_or("", |value| value.to_str().unwrap());
        assert!(values.next().is_none(), "{name} stands there twice: {self:?}");
        value
    }

    /// The body, of an answer with this status.
    #[track_caller]
    pub fn read<Reply: DeserializeOwned>(&self, status: u16) -> Reply {
        assert_eq!(self.status, status, "{self:?}");
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// A refusal of this status and code, whole and in agreement with itself (RFC 9457); the document.
    #[track_caller]
    pub fn refused(&self, status: u16, code: &str) -> Value {
        assert_eq!(self.header("content-type"), "application/problem+json", "{self:?}");
        let document: Value = self.read(status);
        assert_eq!(document["code"], code, "{self:?}");
        assert_eq!(document["status"], status, "{self:?}");
        assert_eq!(document["type"], format!("/errors/{code}"), "{self:?}");
        for text in ["title", "detail"] {
            assert!(document[text].as_str().is_some_and(|text| !text.is_empty()), "{self:?}");
        }
        document
    }
}
