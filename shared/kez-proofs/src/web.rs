//! `web:https://kez.lat`: the file `/.well-known/kez.json` below that URL.

use url::Url;

use crate::found::{Found, Unfound};
use crate::http::{Ask, Follow, get};
use crate::judge::Wanted;
use crate::reach::Reach;

/// The file, which a redirect to another host is not.
pub async fn look(reach: &Reach, wanted: &Wanted<'_>) -> Result<Found, Unfound> {
    let name = wanted.subject.name();
    let no_page =
        || Unfound::no_account("this is no https URL of a site, with or without a path", wanted.subject);
    let url = file(name).ok_or_else(no_page)?;
    let accept = "application/json, text/plain;q=0.9, */*;q=0.1";
    let answer =
        get(reach, Ask { url: url.clone(), accept, token: None, follow: Follow::SameOrigin }).await?;
    let mut found = Found::at(&url);
    if !answer.is_nothing() {
        let answer = answer.success()?;
        found.add_own(answer.text(), &answer.url);
    }
    Ok(found)
}

/// Where the file of a site lies.
fn file(site: &str) -> Option<Url> {
    let site = Url::parse(site).ok()?;
    let plain = site.scheme() == "https" && site.username().is_empty() && site.password().is_none();
    if !plain || site.query().is_some() || site.fragment().is_some() {
        return None;
    }
    let mut file = site.clone();
    file.set_path(&format!("{}/.well-known/kez.json", site.path().trim_end_matches('/')));
    Some(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_lies_below_the_site() {
        for (site, expected) in [
            ("https://kez.lat", "https://kez.lat/.well-known/kez.json"),
            ("https://kez.lat/", "https://kez.lat/.well-known/kez.json"),
            ("https://kez.lat:8443/~alice", "https://kez.lat:8443/~alice/.well-known/kez.json"),
            ("https://kez.lat/a/../b/", "https://kez.lat/b/.well-known/kez.json"),
            ("https://bücher.example", "https://xn--bcher-kva.example/.well-known/kez.json"),
        ] {
            assert_eq!(file(site).map(String::from).as_deref(), Some(expected), "{site}");
        }
    }

    #[test]
    fn a_site_is_no_more_than_that() {
        for site in [
            "http://kez.lat",
            "https://",
            "https://alice@kez.lat",
            "https://kez.lat?a",
            "https://kez.lat#a",
            "kez.lat",
            "https://a b",
            "ftp://kez.lat",
            "https://:443",
        ] {
            assert_eq!(file(site), None, "{site}");
        }
    }
}
