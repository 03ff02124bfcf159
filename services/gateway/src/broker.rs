//! The broker's WebSocket, and the handshake with it on a client's behalf.

use std::str::FromStr;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use axum::body::Body;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Request, StatusCode, header};
use bytes::Bytes;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::timeout;

/// A broker that takes longer than this to answer is as good as gone.
const PATIENCE: Duration = Duration::from_secs(5);

/// What the client's handshake means to the broker. Nothing else of the client's request gets there: no cookies, no
/// origin, no forwarded addresses, and no extensions, so nothing is compressed.
const TO_BROKER: [HeaderName; 3] =
    [header::SEC_WEBSOCKET_KEY, header::SEC_WEBSOCKET_VERSION, header::SEC_WEBSOCKET_PROTOCOL];

/// What the broker's answer means to the client.
pub const TO_CLIENT: [HeaderName; 2] = [header::SEC_WEBSOCKET_ACCEPT, header::SEC_WEBSOCKET_PROTOCOL];

/// Where the broker takes WebSocket connections, in the clear.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebSocketUrl {
    /// Host and port.
    authority: String,
    path: String,
}

impl FromStr for WebSocketUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.starts_with("wss://") {
            return Err(
                "wss:// is not spoken to the broker: put it beside the gateway and use ws://".to_owned()
            );
        }
        let uri: axum::http::Uri =
            text.parse().map_err(|_| "not a URL such as ws://127.0.0.1:4223".to_owned())?;
        match (uri.scheme_str(), uri.authority()) {
            (Some("ws"), Some(authority)) if !authority.as_str().contains('@') => {
                let port = authority.port_u16().unwrap_or(80);
                Ok(Self { authority: format!("{}:{port}", authority.host()), path: uri.path().to_owned() })
            }
            _ => Err("not a URL such as ws://127.0.0.1:4223".to_owned()),
        }
    }
}

/// A connection on which the broker now speaks WebSocket.
pub struct Accepted {
    /// Its answer to the handshake.
    pub headers: HeaderMap,
    pub stream: TcpStream,
    /// What it has said already.
    pub said: Bytes,
}

/// Shakes hands with the broker as the client did with us.
pub async fn connect(url: &WebSocketUrl, client: &HeaderMap) -> Result<Accepted> {
    timeout(PATIENCE, shake_hands(url, client)).await.context("it did not answer in time")?
}

async fn shake_hands(url: &WebSocketUrl, client: &HeaderMap) -> Result<Accepted> {
    let stream = TcpStream::connect(&url.authority).await?;
    stream.set_nodelay(true)?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    // It ends when the stream is taken out of it, or with the first error.
    tokio::spawn(connection.with_upgrades());
    let mut answer = sender.send_request(request(url, client)?).await?;
    ensure!(answer.status() == StatusCode::SWITCHING_PROTOCOLS, "it answered with {}", answer.status());
    let upgraded = hyper::upgrade::on(&mut answer).await?;
    let Ok(parts) = upgraded.downcast::<TokioIo<TcpStream>>() else {
        bail!("the connection is of another kind")
    };
    Ok(Accepted {
        headers: answer.into_parts().0.headers,
        stream: parts.io.into_inner(),
        said: parts.read_buf,
    })
}

fn request(url: &WebSocketUrl, client: &HeaderMap) -> Result<Request<Body>> {
    let mut request = Request::get(&url.path).body(Body::empty())?;
    let headers = request.headers_mut();
    headers.insert(header::HOST, url.authority.parse()?);
    headers.insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    for name in TO_BROKER {
        if let Some(value) = client.get(&name) {
            headers.insert(name, value.clone());
        }
    }
    Ok(request)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_plain_websocket_can_be_the_brokers() {
        let url: WebSocketUrl = "ws://127.0.0.1:4223".parse().unwrap();
        assert_eq!((url.authority.as_str(), url.path.as_str()), ("127.0.0.1:4223", "/"));
        let url: WebSocketUrl = "ws://nats/ws".parse().unwrap();
        assert_eq!((url.authority.as_str(), url.path.as_str()), ("nats:80", "/ws"));
        let url: WebSocketUrl = "ws://[::1]:4223/".parse().unwrap();
        assert_eq!(url.authority, "[::1]:4223");
        for bad in
            ["wss://nats:443", "http://nats", "nats:4223", "ws://", "ws://a:b@nats", "127.0.0.1:4223", ""]
        {
            assert!(bad.parse::<WebSocketUrl>().is_err(), "{bad}");
        }
    }

    #[test]
    fn the_broker_hears_the_handshake_and_nothing_else() {
        let mut client = HeaderMap::new();
        for (name, value) in [
            ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
            ("sec-websocket-version", "13"),
            ("sec-websocket-extensions", "permessage-deflate"),
            ("origin", "https://kez.example"),
            ("cookie", "jwt=x"),
            ("x-forwarded-for", "203.0.113.9"),
            ("nats-no-masking", "true"),
            ("authorization", "Basic eDp5"),
        ] {
            client.insert(name, value.parse().unwrap());
        }
        let request = request(&"ws://nats:4223".parse().unwrap(), &client).unwrap();
        let mut names: Vec<&str> = request.headers().keys().map(HeaderName::as_str).collect();
        names.sort_unstable();
        assert_eq!(names, ["connection", "host", "sec-websocket-key", "sec-websocket-version", "upgrade"]);
    }
}
