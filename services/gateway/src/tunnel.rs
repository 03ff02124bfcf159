//! The tunnel: a browser's WebSocket to the broker, byte for byte, through the gateway's own origin and port.

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use kez_contract::{Problem, http};
use tokio::net::TcpStream;

use crate::address::Address;
use crate::app::App;
use crate::broker;
use crate::carry::{End, carry};
use crate::origin;
use crate::parameters::one_header;
use crate::problem::{Document, MEDIA_TYPE, Refusal};
use crate::seats::Seat;
use crate::wire::Wire;

/// Speak NATS over a WebSocket
///
/// The broker's own WebSocket, byte for byte: any NATS client for browsers can use it. The broker signs in.
#[utoipa::path(get, path = http::NATS, tag = "Server",
    responses(
        (status = 101, description = "The NATS protocol from here on"),
        (status = 400, description = "malformed: not a WebSocket handshake", body = Document, content_type = MEDIA_TYPE),
        (status = 403, description = "forbidden_origin", body = Document, content_type = MEDIA_TYPE),
        (status = 429, description = "rate_limited: too many tunnels of one address, or opened too fast", body = Document, content_type = MEDIA_TYPE),
        (status = 503, description = "unavailable", body = Document, content_type = MEDIA_TYPE),
    ))]
pub async fn open(
    State(app): State<App>,
    address: Address,
    mut request: Request,
) -> Result<Response, Refusal> {
    origin::check(request.headers(), &app.settings)?;
    let upgrade = check_handshake(&mut request)?;
    let seat = app.tunnels.take(address)?;
    // Each brings a new key, if it likes, and a new key may register: who leaves and comes again is counted, too.
    app.tunnels_opened.check(&address.to_string())?;
    let accepted = broker::connect(&app.settings.nats_websocket_url, request.headers()).await;
    let accepted = accepted.map_err(|error| {
        tracing::warn!(error = format!("{error:#}"), "the broker's WebSocket cannot be reached");
        Problem::unavailable("the broker cannot be reached")
    })?;
    let response = respond(&accepted.headers);
    app.tasks.spawn(run(app.clone(), upgrade, accepted.stream, accepted.said, seat));
    Ok(response)
}

/// The client's half of the handshake (RFC 6455, section 4.2.1).
fn check_handshake(request: &mut Request) -> Result<OnUpgrade, Refusal> {
    let headers = request.headers();
    let asks = |name: header::HeaderName, token: &str| {
        headers
            .get_all(name)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .any(|value| value.split(',').any(|found| found.trim().eq_ignore_ascii_case(token)))
    };
    let key = one_header(headers, header::SEC_WEBSOCKET_KEY.as_str())?;
    let is_handshake = request.method() == Method::GET
        && asks(header::UPGRADE, "websocket")
        && asks(header::CONNECTION, "upgrade")
        && one_header(headers, header::SEC_WEBSOCKET_VERSION.as_str())? == Some("13")
        && key.is_some_and(|key| key.len() == 24);
    let upgrade = request.extensions_mut().remove::<OnUpgrade>();
    upgrade
        .filter(|_| is_handshake)
        .ok_or_else(|| Refusal::malformed("this route takes WebSocket handshakes (version 13)"))
}

fn respond(broker: &HeaderMap) -> Response {
    let mut response = StatusCode::SWITCHING_PROTOCOLS.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    for name in broker::TO_CLIENT {
        if let Some(value) = broker.get(&name) {
            headers.insert(name, value.clone());
        }
    }
    response
}

async fn run(app: App, upgrade: OnUpgrade, broker: TcpStream, said: Bytes, _seat: Seat) {
    let Ok(upgraded) = upgrade.await else { return };
    let Ok(client) = upgraded.downcast::<TokioIo<Wire<TcpStream>>>() else {
        tracing::error!("a tunnel's connection is of another kind");
        return;
    };
    let client = End { stream: client.io.into_inner().into_inner(), said: client.read_buf };
    let broker = End { stream: broker, said };
    app.closed.run_until_cancelled(carry(client, broker)).await;
}
