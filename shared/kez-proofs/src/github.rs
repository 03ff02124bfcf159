//! `github:tudisco`: a public gist with the file `kez.md`, then the README of the profile, `tudisco/tudisco`.

use std::collections::BTreeMap;

use hyper::StatusCode;
use kez_contract::sigchain::Why;
use serde::Deserialize;
use url::Url;

use crate::found::{Found, Unfound};
use crate::http::{Answer, Ask, Follow, get};
use crate::judge::Wanted;
use crate::reach::Reach;

const GIST_FILE: &str = "kez.md";

/// So many gists with such a file are read.
const GISTS: usize = 3;

/// The gists, and the README unless a gist is proof enough: GitHub counts requests.
pub async fn look(reach: &Reach, wanted: &Wanted<'_>) -> Result<Found, Unfound> {
    let user = wanted.subject.name();
    if !is_user(user) {
        return Err(Unfound::no_account("this is no name of a GitHub user", wanted.subject));
    }
    let mut list = reach.places.github(&["users", user, "gists"]);
    list.set_query(Some("per_page=100"));
    let mut found = Found::at(&list);
    for id in gists(reach, list, user).await? {
        if let Some((text, evidence)) = gist(reach, &id, user).await? {
            found.add_own(text, &evidence);
        }
    }
    if !found.texts.iter().any(|text| wanted.is_proven_by(&text.text)) {
        match readme(reach, user).await {
            Ok(Some(answer)) => found.add(answer.text(), &answer.url),
            Ok(None) => {}
            Err(unfound) => found.gap = Some(unfound),
        }
    }
    Ok(found)
}

#[derive(Deserialize)]
struct Gist {
    id: String,
    owner: Option<Owner>,
    files: BTreeMap<String, File>,
    html_url: Option<String>,
    public: bool,
}

#[derive(Deserialize)]
struct Owner {
    login: String,
}

#[derive(Deserialize)]
struct File {
    /// Only where the gist was asked for by itself.
    content: Option<String>,
}

impl Gist {
    /// Whether it is the user's own and public, and has the file.
    fn counts(&self, user: &str) -> bool {
        let own = self.owner.as_ref().is_some_and(|owner| owner.login.eq_ignore_ascii_case(user));
        own && self.public && self.files.contains_key(GIST_FILE)
    }
}

/// The ids of the gists to read, the newest first.
async fn gists(reach: &Reach, list: Url, user: &str) -> Result<Vec<String>, Unfound> {
    let answer = ask(reach, list, "application/vnd.github+json").await?;
    if answer.is_nothing() || answer.status.is_redirection() {
        return Err(Unfound::no_account("there is no GitHub user of this name", &answer.url));
    }
    let gists: Vec<Gist> = answer.success()?.json()?;
    let mine = gists.into_iter().filter(|gist| gist.counts(user) && is_id(&gist.id));
    Ok(mine.take(GISTS).map(|gist| gist.id).collect())
}

/// The file of one gist, and where people see it.
async fn gist(reach: &Reach, id: &str, user: &str) -> Result<Option<(String, String)>, Unfound> {
    let url = reach.places.github(&["gists", id]);
    let answer = ask(reach, url, "application/vnd.github+json").await?;
    if answer.is_nothing() {
        return Ok(None);
    }
    let answer = answer.success()?;
    let mut gist: Gist = answer.json()?;
    if !gist.counts(user) {
        return Ok(None);
    }
    let seen_at = gist.html_url.take().filter(|url| url.starts_with("https://"));
    let text = gist.files.remove(GIST_FILE).and_then(|file| file.content);
    Ok(text.map(|text| (text, seen_at.unwrap_or_else(|| answer.url.into()))))
}

/// The README, unless the repository went elsewhere: then it is somebody else's.
async fn readme(reach: &Reach, user: &str) -> Result<Option<Answer>, Unfound> {
    let url = reach.places.github(&["repos", user, user, "readme"]);
    let answer = ask(reach, url, "application/vnd.github.raw+json").await?;
    if answer.is_nothing() || answer.status.is_redirection() {
        return Ok(None);
    }
    answer.success().map(Some)
}

async fn ask(reach: &Reach, url: Url, accept: &'static str) -> Result<Answer, Unfound> {
    let token = reach.places.github_token.as_ref();
    let answer = get(reach, Ask { url, accept, token, follow: Follow::Never }).await?;
    if answer.status == StatusCode::FORBIDDEN {
        let detail = "GitHub takes no more requests for now";
        return Err(Unfound::new(Why::RateLimited, detail, &answer.url));
    }
    Ok(answer)
}

/// Letters, digits and hyphens; companies' users have an underscore.
fn is_user(name: &str) -> bool {
    (1..=64).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
}

fn is_id(id: &str) -> bool {
    (1..=64).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_users_lead_nowhere_else() {
        for name in ["tudisco", "a", "A-b9", "octo_corp"] {
            assert!(is_user(name), "{name}");
        }
        for name in ["", "a/b", "..", "a.b", "a?b", "a#b", "a%2fb", "ä", &"a".repeat(65)] {
            assert!(!is_user(name), "{name}");
        }
    }
}
