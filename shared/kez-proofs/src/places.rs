//! Where those channels are asked that have one place for all their accounts.

use anyhow::{Context, Result, ensure};
use hyper::header::HeaderValue;
use url::Url;

use crate::Settings;

/// The bases that were configured.
#[derive(Debug)]
pub struct Places {
    github: Url,
    /// What the header `Authorization` says to GitHub, and to nobody else.
    pub github_token: Option<HeaderValue>,
    bluesky: Url,
    pub nostr_relays: Vec<Url>,
}

impl Places {
    /// Reads the token.
    pub fn new(settings: &Settings) -> Result<Self> {
        Ok(Self {
            github: settings.github_url.clone(),
            github_token: github_token(settings)?,
            bluesky: settings.bluesky_url.clone(),
            nostr_relays: settings.nostr_relays.clone(),
        })
    }

    /// A path below GitHub's API.
    pub fn github(&self, path: &[&str]) -> Url {
        below(&self.github, path)
    }

    /// A path below Bluesky's AppView.
    pub fn bluesky(&self, path: &[&str]) -> Url {
        below(&self.bluesky, path)
    }
}

fn below(base: &Url, path: &[&str]) -> Url {
    let mut url = base.clone();
    // It fails for URLs without a host only, which no base is.
    if let Ok(mut segments) = url.path_segments_mut() {
        segments.pop_if_empty().extend(path);
    }
    url
}

fn github_token(settings: &Settings) -> Result<Option<HeaderValue>> {
    let Some(path) = &settings.github_token_file else { return Ok(None) };
    let shown = path.display();
    ensure!(
        settings.github_url.scheme() == "https",
        "KEZ_PROOF_GITHUB_TOKEN_FILE: the token is sent over https only, and KEZ_PROOF_GITHUB_URL is not"
    );
    let token = std::fs::read_to_string(path)
        .with_context(|| format!("cannot read the token in {shown} (KEZ_PROOF_GITHUB_TOKEN_FILE)"))?;
    let mut header = HeaderValue::from_str(&format!("Bearer {}", token.trim()))
        .with_context(|| format!("{shown} (KEZ_PROOF_GITHUB_TOKEN_FILE) does not hold a token"))?;
    header.set_sensitive(true);
    Ok(Some(header))
}
