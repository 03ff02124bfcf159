//! Requests for what lies at a URL: one connection each, nothing remembered, and redirects only where they are allowed.

use bytes::Bytes;
use http_body_util::{BodyExt, Empty, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper::header::{
    ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, CONTENT_ENCODING, HOST, HeaderValue, LOCATION, USER_AGENT,
};
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use kez_contract::sigchain::Why;
use serde::de::DeserializeOwned;
use tokio::task::JoinSet;
use url::{Position, Url};

use crate::found::Unfound;
use crate::reach::{LONGEST, Reach};

/// So many redirects are followed.
const REDIRECTS: usize = 3;

/// More header than this is not read.
const LONGEST_HEADER: usize = 64 * 1024;

/// How something is asked for.
pub struct Ask<'a> {
    pub url: Url,
    pub accept: &'static str,
    pub token: Option<&'a HeaderValue>,
    pub follow: Follow,
}

/// Which redirects are followed. None leads away from https.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Follow {
    /// The redirect itself is the answer.
    Never,
    /// Scheme, host and port stay the same.
    SameOrigin,
    /// Any host that may be reached.
    AnyHost,
}

/// A whole answer.
#[derive(Debug)]
pub struct Answer {
    /// Where it came from in the end.
    pub url: Url,
    pub status: StatusCode,
    pub body: Bytes,
}

impl Answer {
    /// The body of an answer that is one.
    pub fn success(self) -> Result<Self, Unfound> {
        match self.status {
            StatusCode::OK => Ok(self),
            StatusCode::TOO_MANY_REQUESTS => {
                Err(Unfound::new(Why::RateLimited, "there were too many requests; ask later", &self.url))
            }
            status => Err(Unfound::no_answer(format!("the answer was {}", status.as_u16()), &self.url)),
        }
    }

    /// Whether nothing is there, and the answer says so.
    pub fn is_nothing(&self) -> bool {
        matches!(self.status, StatusCode::NOT_FOUND | StatusCode::GONE)
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub fn json<Document: DeserializeOwned>(&self) -> Result<Document, Unfound> {
        serde_json::from_slice(&self.body)
            .map_err(|_| Unfound::no_answer("the answer cannot be understood", &self.url))
    }
}

/// Fetches what lies at a URL, each redirect checked like the URL itself.
pub async fn get(reach: &Reach, ask: Ask<'_>) -> Result<Answer, Unfound> {
    let mut url = ask.url.clone();
    for _ in 0..=REDIRECTS {
        let fetched = reach.in_time(url.as_str(), fetch(reach, &url, &ask)).await?;
        match fetched {
            Fetched::Whole(status, body) => return Ok(Answer { url, status, body }),
            Fetched::Moved(target) => url = next(&url, &target, ask.follow)?,
        }
    }
    Err(Unfound::no_answer("there are too many redirects", &ask.url))
}

enum Fetched {
    Whole(StatusCode, Bytes),
    Moved(HeaderValue),
}

async fn fetch(reach: &Reach, url: &Url, ask: &Ask<'_>) -> Result<Fetched, Unfound> {
    let broken = |_| Unfound::no_answer("the answer broke off, or is not HTTP", url);
    let wire = TokioIo::new(reach.open(url).await?);
    let (mut sender, connection) =
        http1::Builder::new().max_buf_size(LONGEST_HEADER).handshake(wire).await.map_err(broken)?;
    // Ends with this function.
    let mut driver = JoinSet::new();
    driver.spawn(connection);
    let response = sender.send_request(request(url, ask)?).await.map_err(broken)?;
    if response.status().is_redirection() && ask.follow != Follow::Never {
        return response.headers().get(LOCATION).cloned().map(Fetched::Moved).ok_or_else(|| {
            Unfound::no_answer(format!("the answer was {}", response.status().as_u16()), url)
        });
    }
    Ok(Fetched::Whole(response.status(), body(response, url).await?))
}

/// Nothing in it says who asks, for whom, or what was asked before.
fn request(url: &Url, ask: &Ask<'_>) -> Result<Request<Empty<Bytes>>, Unfound> {
    let host = &url[Position::BeforeHost..Position::AfterPort];
    let path = &url[Position::BeforePath..Position::AfterQuery];
    let mut request = Request::get(path)
        .header(HOST, host)
        .header(USER_AGENT, concat!("kez/", env!("CARGO_PKG_VERSION")))
        .header(ACCEPT, ask.accept)
        .header(ACCEPT_ENCODING, "identity");
    if let Some(token) = ask.token {
        request = request.header(AUTHORIZATION, token);
    }
    request.body(Empty::new()).map_err(|_| Unfound::no_answer("this URL cannot be asked for", url))
}

/// What was not asked for compressed is not read compressed: few bytes that become many are nobody's answer.
async fn body(response: Response<Incoming>, url: &Url) -> Result<Bytes, Unfound> {
    if response.headers().get(CONTENT_ENCODING).is_some_and(|encoding| encoding != "identity") {
        return Err(Unfound::no_answer("the answer is compressed, which was not asked for", url));
    }
    let whole = Limited::new(response.into_body(), LONGEST).collect().await;
    whole.map(|body| body.to_bytes()).map_err(|error| {
        if error.is::<LengthLimitError>() {
            Unfound::new(Why::TooLarge, "the answer is larger than 1 MiB", url)
        } else {
            Unfound::no_answer("the answer broke off", url)
        }
    })
}

/// The URL that a redirect leads to, if it may.
fn next(from: &Url, target: &HeaderValue, follow: Follow) -> Result<Url, Unfound> {
    let forbidden = |detail| Unfound::new(Why::Forbidden, detail, from);
    let target = target.to_str().ok().and_then(|target| from.join(target).ok());
    let target = target.ok_or_else(|| Unfound::no_answer("the redirect cannot be understood", from))?;
    if !target.username().is_empty() || target.password().is_some() {
        return Err(forbidden("the answer is a redirect that carries credentials"));
    }
    if target.origin() == from.origin() {
        return Ok(target);
    }
    if follow == Follow::SameOrigin {
        return Err(forbidden("the answer is a redirect to another host"));
    }
    if target.scheme() != "https" {
        return Err(forbidden("the answer is a redirect away from https"));
    }
    Ok(target)
}
