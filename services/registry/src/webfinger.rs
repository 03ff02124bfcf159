//! WebFinger (RFC 7033): who `acct:alice@server` is, for programs that know nothing of Kez.

use kez_contract::registry::{
    REL_PROFILE, REL_SELF, REL_SIGCHAIN, ResourceDescriptor, ResourceLink, WebFinger,
};
use kez_contract::{Code, http};
use kez_service::config::server_name;
use kez_service::{Delivery, Fault};

use crate::app::App;
use crate::people;
use crate::store::Person;

/// The longest resource, in bytes.
const MAX_RESOURCE: usize = 2048;

/// Answers a query that the gateway has percent-decoded.
pub async fn webfinger(app: App, call: Delivery<WebFinger>) -> Result<ResourceDescriptor, Fault> {
    let account = account(&call.body.resource)?;
    if !account.host.eq_ignore_ascii_case(&app.server) {
        return Err(Fault::new(
            Code::NotFound,
            format!("this server answers for accounts at {}", app.server),
        ));
    }
    let person = people::find(&app, account.user).await?;
    Ok(descriptor(&app, &person, &call.body.rels))
}

/// Everything that is known of a person, the links only of the relations that are wanted.
fn descriptor(app: &App, person: &Person, wanted: &[String]) -> ResourceDescriptor {
    let path = |path: &str| app.url(path).replace("{handle}", &person.handle);
    let links = [
        link(REL_SELF, "application/json", path(http::USER)),
        link(REL_PROFILE, "application/json", path(http::PROFILE)),
        link(REL_SIGCHAIN, "application/jsonl", app.sigchain_url(&person.primary)),
    ];
    ResourceDescriptor {
        subject: format!("acct:{}@{}", person.handle, app.server),
        aliases: vec![person.primary.identifier()],
        links: links.into_iter().filter(|link| is_wanted(&link.rel, wanted)).collect(),
    }
}

fn link(rel: &str, media_type: &str, href: String) -> ResourceLink {
    ResourceLink { rel: rel.to_owned(), media_type: media_type.to_owned(), href }
}

/// Without a filter everything is wanted (RFC 7033, section 4.3).
fn is_wanted(rel: &str, wanted: &[String]) -> bool {
    wanted.is_empty() || wanted.iter().any(|one| one == rel)
}

/// An account as `acct:` URIs name it.
#[derive(Debug, PartialEq, Eq)]
struct Account<'r> {
    user: &'r str,
    host: &'r str,
}

/// Reads `acct:user@host` (RFC 7565): another URI is not found here, what is no URI is malformed.
fn account(resource: &str) -> Result<Account<'_>, Fault> {
    let broken =
        |what: &str| Fault::malformed(format!("the resource {what}; it looks like acct:alice@server"));
    if resource.is_empty() || resource.len() > MAX_RESOURCE || !is_uri_text(resource) {
        return Err(broken("is not a URI"));
    }
    let (scheme, rest) = resource.split_once(':').ok_or_else(|| broken("has no scheme"))?;
    if !is_scheme(scheme) || rest.is_empty() {
        return Err(broken("is not a URI"));
    }
    if !scheme.eq_ignore_ascii_case("acct") {
        return Err(Fault::new(Code::NotFound, "only acct: resources are known here"));
    }
    let (user, host) = rest.split_once('@').ok_or_else(|| broken("names no server"))?;
    if user.is_empty() || user.bytes().any(|byte| b":/?#[]".contains(&byte)) {
        return Err(broken("names nobody"));
    }
    if server_name(&host.to_ascii_lowercase()).is_err() {
        return Err(broken("names a server that is no domain"));
    }
    Ok(Account { user, host })
}

/// Whether these are characters of a URI, with every `%` before two hex digits (RFC 3986, section 2).
fn is_uri_text(text: &str) -> bool {
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        rest = match (first, after) {
            (b'%', [high, low, after @ ..]) if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => after,
            (b'%', _) => return false,
            _ if first.is_ascii_alphanumeric() || b"-._~:/?#[]@!$&'()*+,;=".contains(first) => after,
            _ => return false,
        };
    }
    true
}

fn is_scheme(scheme: &str) -> bool {
    scheme.starts_with(|first: char| first.is_ascii_alphabetic())
        && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(resource: &str) -> Option<Code> {
        account(resource).err().map(|fault| fault.into_problem().code)
    }

    #[test]
    fn accounts_are_read() {
        for resource in ["acct:alice@kez.lat", "ACCT:alice@kez.lat"] {
            assert_eq!(account(resource).unwrap(), Account { user: "alice", host: "kez.lat" });
        }
        assert_eq!(account("acct:a%6cice@KEZ.lat").unwrap(), Account { user: "a%6cice", host: "KEZ.lat" });
    }

    #[test]
    fn broken_resources_are_malformed() {
        let long = format!("acct:{}@kez.lat", "a".repeat(MAX_RESOURCE));
        for resource in [
            "",
            "alice",
            "alice@kez.lat",
            "acct:",
            "acct:alice",
            "acct:@kez.lat",
            "acct:alice@",
            "acct:alice@kez..lat",
            "acct:alice@kez.lat@kez.lat",
            "acct:alice@kez.lat/x",
            "acct:alice@kez.lat:80",
            "acct:a/b@kez.lat",
            "acct:alice @kez.lat",
            "acct:al%6@kez.lat",
            "acct:al%zz@kez.lat",
            "acct:älice@kez.lat",
            "acct:alice\n@kez.lat",
            "1acct:alice@kez.lat",
            ":alice@kez.lat",
            &long,
        ] {
            assert_eq!(refused(resource), Some(Code::Malformed), "{resource}");
        }
    }

    #[test]
    fn other_resources_are_not_found() {
        for resource in ["https://kez.lat/alice", "mailto:alice@kez.lat", "urn:x"] {
            assert_eq!(refused(resource), Some(Code::NotFound), "{resource}");
        }
    }

    #[test]
    fn relations_are_filtered_only_when_some_are_named() {
        assert!(is_wanted("self", &[]));
        assert!(is_wanted("self", &["x".to_owned(), "self".to_owned()]));
        assert!(!is_wanted("self", &["Self".to_owned()]));
    }
}
