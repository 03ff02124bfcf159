//! `dns:kez.lat`: a text record at `_kez.kez.lat`.

use url::Host;

use crate::found::{Found, Unfound};
use crate::judge::Wanted;
use crate::reach::Reach;

/// The longest name that DNS has.
const LONGEST_NAME: usize = 253;

/// Every text record of the domain's `_kez`.
pub async fn look(reach: &Reach, wanted: &Wanted<'_>) -> Result<Found, Unfound> {
    let name = wanted.subject.name();
    let no_domain = || Unfound::no_account("this is no domain", wanted.subject);
    let domain = ascii(name).ok_or_else(no_domain)?;
    // The URL of a record (RFC 4501).
    let place = format!("dns:_kez.{domain}?type=TXT");
    let records = reach.in_time(&place, reach.text_records(&format!("_kez.{domain}."), &place)).await?;
    let mut found = Found::at(&place);
    for record in records {
        found.add_own(record, &place);
    }
    Ok(found)
}

/// A domain as DNS has it: ASCII, in lower case, of letters, digits and hyphens.
fn ascii(name: &str) -> Option<String> {
    // What URLs would unescape is part of no domain.
    let Ok(Host::Domain(domain)) = Host::parse(name) else { return None };
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let is_domain = !name.contains('%')
        && domain.len() + "_kez.".len() <= LONGEST_NAME
        && domain.split('.').all(is_label);
    is_domain.then_some(domain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn domains_are_written_as_dns_has_them() {
        for (name, domain) in [
            ("kez.lat", "kez.lat"),
            ("KEZ.Lat", "kez.lat"),
            ("a-b.example", "a-b.example"),
            ("bücher.example", "xn--bcher-kva.example"),
            ("xn--bcher-kva.example", "xn--bcher-kva.example"),
            ("lat", "lat"),
        ] {
            assert_eq!(ascii(name).as_deref(), Some(domain), "{name}");
        }
    }

    #[test]
    fn nothing_else_is_a_domain() {
        let long = format!("{}.example", "a".repeat(64));
        let longer = format!("{}example", "abcdefg.".repeat(31));
        for name in [
            "",
            ".",
            "kez..lat",
            "kez.lat.",
            ".kez.lat",
            "-a.example",
            "a-.example",
            "_kez.kez.lat",
            "a b.example",
            "a/b",
            "a?b",
            "a#b",
            "user@kez.lat",
            "kez.lat:53",
            "k%65z.lat",
            "127.0.0.1",
            "0x7f.1",
            "[::1]",
            "::1",
            "a\\b",
            "a\u{0}b",
            "*.kez.lat",
            &long,
            &longer,
        ] {
            assert_eq!(ascii(name), None, "{name}");
        }
    }
}
