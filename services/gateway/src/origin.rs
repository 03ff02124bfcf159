//! Which pages may open a tunnel: browsers name the page's origin, and no page but ours has business there.

use axum::http::{HeaderMap, header};
use kez_contract::{Code, Problem};

use crate::config::Settings;

/// Refuses a page of another host. A request without `Origin` does not come from a page.
pub fn check(headers: &HeaderMap, settings: &Settings) -> Result<(), Problem> {
    let mut origins = headers.get_all(header::ORIGIN).iter();
    let Some(origin) = origins.next() else { return Ok(()) };
    let origin = origin.to_str().ok().filter(|_| origins.next().is_none());
    match origin.and_then(|origin| parse(origin).ok()) {
        Some(origin) if is_own(&origin, headers) || is_allowed(&origin, settings) => Ok(()),
        _ => Err(Problem::new(
            Code::ForbiddenOrigin,
            "the page is neither of this host nor of an origin that is allowed here (KEZ_ALLOWED_ORIGINS)",
        )),
    }
}

/// An origin as browsers write it: scheme, host and, unless it is the scheme's own, port. Nothing behind them.
pub fn parse(text: &str) -> Result<String, String> {
    let host = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    match host {
        Some(host) if is_host(host) => Ok(text.to_ascii_lowercase()),
        _ => Err("not an origin such as https://app.example, without a slash at its end".to_owned()),
    }
}

fn is_host(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._:[]".contains(&byte))
}

/// Whether the page was served by the host that it now talks to. TLS may have ended at a proxy, so the scheme says nothing.
fn is_own(origin: &str, headers: &HeaderMap) -> bool {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let origin = origin.split_once("://").map(|(_, host)| host);
    host.is_some_and(|host| origin.is_some_and(|origin| origin.eq_ignore_ascii_case(host)))
}

fn is_allowed(origin: &str, settings: &Settings) -> bool {
    let public = settings.public_url.as_deref().map(origin_of);
    settings
        .allowed_origins
        .iter()
        .map(String::as_str)
        .chain(public.as_deref())
        .any(|allowed| allowed == origin)
}

/// The origin of a base URL.
fn origin_of(url: &str) -> String {
    let host = url.find("://").map_or(0, |scheme| scheme + 3);
    let end = url.get(host..).and_then(|rest| rest.find('/')).map_or(url.len(), |slash| host + slash);
    url.get(..end).unwrap_or(url).to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::Config;

    fn allows(origin: &str, host: &str) -> bool {
        let settings = Config::parse_from([
            "kez-gateway",
            "--nats-seed-file=x",
            "--allowed-origins=https://app.example,http://localhost:5173",
            "--public-url=https://Kez.lat/chat",
        ])
        .settings;
        let mut headers = HeaderMap::new();
        headers.insert(header::ORIGIN, origin.parse().unwrap());
        headers.insert(header::HOST, host.parse().unwrap());
        check(&headers, &settings).is_ok()
    }

    #[test]
    fn pages_of_this_host_are_let_in() {
        assert!(allows("https://kez.example", "kez.example"));
        assert!(allows("http://127.0.0.1:8080", "127.0.0.1:8080"));
        assert!(allows("http://[::1]:8080", "[::1]:8080"));
        assert!(allows("https://KEZ.example", "kez.EXAMPLE"));
    }

    #[test]
    fn pages_of_allowed_origins_are_let_in() {
        assert!(allows("https://app.example", "inside:8080"));
        assert!(allows("http://localhost:5173", "127.0.0.1:8080"));
        assert!(allows("https://kez.lat", "inside:8080"));
    }

    #[test]
    fn other_pages_are_refused() {
        for origin in [
            "https://evil.example",
            "null",
            "",
            "http://app.example",
            "https://app.example:8443",
            "https://app.example.evil.example",
            "https://evil.example/app.example",
            "https://evil.example#kez.example",
            "https://kez.example@evil.example",
            "https://kez.example:81",
            "http://127.0.0.1:5173",
            "ftp://kez.example",
            "kez.example",
        ] {
            assert!(!allows(origin, "kez.example"), "{origin}");
        }
    }

    #[test]
    fn two_origins_are_one_too_many() {
        let settings = Config::parse_from(["kez-gateway", "--nats-seed-file=x"]).settings;
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, "kez.example".parse().unwrap());
        assert!(check(&headers, &settings).is_ok());
        headers.append(header::ORIGIN, "https://kez.example".parse().unwrap());
        assert!(check(&headers, &settings).is_ok());
        headers.append(header::ORIGIN, "https://kez.example".parse().unwrap());
        assert_eq!(check(&headers, &settings).unwrap_err().code, Code::ForbiddenOrigin);
    }
}
