//! The web client's built files: out of the binary, or from a folder.

use std::borrow::Cow;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::ensure;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use kez_contract::Code;
use rust_embed::{Embed, EmbeddedFile};
use sha2::{Digest, Sha256};

use crate::app::App;
use crate::config::Settings;
use crate::page::REVALIDATE;
use crate::problem::Refusal;

/// What `npm run build` in web/ has made, if it was run before the gateway was built.
#[derive(Embed)]
#[folder = "../../web/dist"]
#[allow_missing = true]
struct Built;

const INDEX: &str = "index.html";
/// Files whose names change with their content.
const HASHED: &str = "assets/";
const FOR_EVER: (HeaderName, &str) = (header::CACHE_CONTROL, "public, max-age=31536000, immutable");
/// Where the client has no pages.
const NOT_PAGES: [&str; 4] = ["v1", ".well-known", "errors", "metrics"];
/// What the build has made beside the files that it makes smaller, the smallest first.
const ENCODINGS: [(&str, &str); 2] = [("br", ".br"), ("gzip", ".gz")];

/// Only its own scripts, and only where they may be started by Trusted Types; WebAssembly for Argon2id.
const POLICY: &str = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; \
     img-src 'self' blob: data:; font-src 'self'; worker-src 'self'; manifest-src 'self'; base-uri 'none'; \
     form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; \
     trusted-types svelte-trusted-html kez-url; connect-src 'self'";
const PERMISSIONS: &str = "camera=(), microphone=(), geolocation=(), payment=(), usb=()";

/// Instead of a folder: no client at all.
const NONE: &str = "none";

/// Where the client's files are, and the policy that they are sent with.
pub struct Assets {
    place: Place,
    policy: HeaderValue,
}

enum Place {
    Binary,
    Folder(PathBuf),
    Nowhere,
}

impl Assets {
    pub fn new(settings: &Settings) -> anyhow::Result<Self> {
        let mut policy = POLICY.to_owned();
        for broker in &settings.nats_public_urls {
            write!(policy, " {broker}")?;
        }
        let place = match &settings.web_dir {
            None => Place::Binary,
            Some(folder) if folder == Path::new(NONE) => Place::Nowhere,
            Some(folder) => {
                let index = folder.join(INDEX);
                ensure!(
                    index.is_file(),
                    "KEZ_WEB_DIR names a folder without an {INDEX}: {}",
                    folder.display()
                );
                Place::Folder(folder.clone())
            }
        };
        Ok(Self { place, policy: policy.parse()? })
    }

    /// The client's only document, which draws every page; none when there is no client.
    pub fn index(&self, headers: &HeaderMap) -> Option<Response> {
        self.file(INDEX, headers)
    }

    fn file(&self, path: &str, headers: &HeaderMap) -> Option<Response> {
        let plain = self.read(path)?;
        let smaller = ENCODINGS
            .iter()
            .filter(|(name, _)| accepts(headers, name))
            .find_map(|(name, suffix)| Some((*name, self.read(&format!("{path}{suffix}"))?)));
        let mut answer = if path.starts_with(HASHED) {
            [FOR_EVER].into_response()
        } else {
            let tag = tag(&plain);
            let known =
                headers.get(header::IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == tag.as_bytes());
            let status = if known { StatusCode::NOT_MODIFIED } else { StatusCode::OK };
            (status, [REVALIDATE, (header::ETAG, &tag)]).into_response()
        };
        // Also of what has not changed: browsers take the policy of the last answer.
        let headers = answer.headers_mut();
        headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
        headers.insert(header::CONTENT_SECURITY_POLICY, self.policy.clone());
        headers.insert("permissions-policy", HeaderValue::from_static(PERMISSIONS));
        if answer.status() == StatusCode::OK {
            let headers = answer.headers_mut();
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type(path)));
            if let Some((encoding, _)) = &smaller {
                headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(encoding));
            }
            *answer.body_mut() = smaller.map_or(plain, |(_, bytes)| bytes).into_owned().into();
        }
        Some(answer)
    }

    /// A file below the folder: its names are plain, so that none leads out of it.
    fn read(&self, path: &str) -> Option<Cow<'static, [u8]>> {
        let is_plain = |name: &str| {
            name.starts_with(|first: char| first.is_ascii_alphanumeric() || first == '_' || first == '-')
                && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
        };
        if !path.split('/').all(is_plain) {
            return None;
        }
        match &self.place {
            Place::Folder(folder) => fs::read(folder.join(path)).ok().map(Cow::Owned),
            Place::Binary => Built::get(path).map(|EmbeddedFile { data, .. }| data),
            Place::Nowhere => None,
        }
    }
}

/// Whatever no route takes: a file of the client, one of its pages, or nothing.
pub async fn serve(State(app): State<App>, request: Request) -> Result<Response, Refusal> {
    let path = request.uri().path().trim_start_matches('/');
    let (first, last) = (path.split('/').next(), path.rsplit('/').next());
    let reads = [Method::GET, Method::HEAD].contains(request.method());
    if reads && !first.is_some_and(|first| NOT_PAGES.contains(&first)) {
        // A page has no extension; a file that is not there should not look like one that is.
        let page =
            || last.is_some_and(|last| !last.contains('.')).then(|| app.assets.index(request.headers()));
        if let Some(answer) = app.assets.file(path, request.headers()).or_else(|| page().flatten()) {
            return Ok(answer);
        }
    }
    Err(Refusal::new(Code::NotFound, "there is no such route; /v1/openapi.json lists them all"))
}

fn accepts(headers: &HeaderMap, encoding: &str) -> bool {
    let accepted = headers.get_all(header::ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    accepted.flat_map(|value| value.split(',')).any(|one| {
        let (name, weight) = one.split_once(';').unwrap_or((one, ""));
        name.trim().eq_ignore_ascii_case(encoding)
            && !["q=0", "q=0.0", "q=0.00", "q=0.000"].contains(&weight.trim())
    })
}

fn tag(bytes: &[u8]) -> String {
    let hash = Sha256::digest(bytes);
    let hex: String = hash.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    format!("\"{hex}\"")
}

fn media_type(path: &str) -> &'static str {
    match path.rsplit('.').next().unwrap_or_default() {
        "html" => "text/html; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "woff2" => "font/woff2",
        "wasm" => "application/wasm",
        "webmanifest" => "application/manifest+json",
        "json" => "application/json",
        "txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    fn assets(files: &[(&str, &str)]) -> (tempfile::TempDir, Assets) {
        let folder = tempfile::tempdir().unwrap();
        for (name, content) in files {
            let path = folder.path().join("dist").join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, content).unwrap();
        }
        fs::write(folder.path().join("secret.txt"), "secret").unwrap();
        let web_dir = format!("--web-dir={}", folder.path().join("dist").display());
        let flags = ["kez-gateway", "--nats-seed-file=x", &web_dir, "--nats-public-urls=wss://nats.example"];
        let assets = Assets::new(&crate::Config::parse_from(flags).settings).unwrap();
        (folder, assets)
    }

    fn accepting(encodings: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(header::ACCEPT_ENCODING, HeaderValue::from_static(encodings))])
    }

    #[test]
    fn nothing_outside_the_folder_is_read() {
        let (_folder, assets) = assets(&[("index.html", "index"), (".hidden", "x"), ("a/b.js", "js")]);
        assert!(assets.read("index.html").is_some() && assets.read("a/b.js").is_some());
        for path in [
            "",
            "../secret.txt",
            "a/../../secret.txt",
            ".hidden",
            "/etc/passwd",
            "a//b.js",
            "a/",
            "a",
            "a\\b.js",
            "%2e%2e/secret.txt",
            "a/./b.js",
        ] {
            assert!(assets.read(path).is_none(), "{path}");
        }
    }

    #[test]
    fn the_smallest_form_that_is_accepted_is_sent() {
        let files = [
            ("index.html", ""),
            ("assets/a.js", "plain"),
            ("assets/a.js.br", "br"),
            ("assets/a.js.gz", "gz"),
        ];
        let (_folder, assets) = assets(&files);
        for (accepted, encoding) in [
            ("gzip, deflate, br", Some("br")),
            ("GZIP", Some("gzip")),
            ("br;q=0, gzip;q=0.5", Some("gzip")),
            ("identity", None),
            ("", None),
        ] {
            let answer = assets.file("assets/a.js", &accepting(accepted)).unwrap();
            let sent = answer.headers().get(header::CONTENT_ENCODING).map(|value| value.to_str().unwrap());
            assert_eq!(sent, encoding, "{accepted}");
            assert_eq!(answer.headers()[header::CACHE_CONTROL], FOR_EVER.1);
            assert_eq!(answer.headers()[header::CONTENT_TYPE], "text/javascript; charset=utf-8");
        }
    }

    #[test]
    fn pages_are_asked_about_again_and_name_the_brokers() {
        let (_folder, assets) = assets(&[("index.html", "index")]);
        let first = assets.index(&HeaderMap::new()).unwrap();
        assert_eq!(first.headers()[header::CACHE_CONTROL], "no-cache");
        let policy = first.headers()[header::CONTENT_SECURITY_POLICY].to_str().unwrap();
        assert!(policy.ends_with("connect-src 'self' wss://nats.example"), "{policy}");
        let known = HeaderMap::from_iter([(header::IF_NONE_MATCH, first.headers()[header::ETAG].clone())]);
        let again = assets.index(&known).unwrap();
        assert_eq!(again.status(), StatusCode::NOT_MODIFIED);
        assert_eq!(again.headers()[header::CONTENT_SECURITY_POLICY], policy);
    }
}
