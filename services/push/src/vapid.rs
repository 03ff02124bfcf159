//! Whose pushes these are (VAPID, RFC 8292): one key of this server's, and a token signed by it for each push network.

use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hyper::header::HeaderValue;
use kez_service::{Clock, random};
use moka::sync::Cache;
use p256::SecretKey;
use p256::pkcs8::{EncodePrivateKey, LineEnding};
use url::Url;
use web_push::{PartialVapidSignatureBuilder, SubscriptionInfo, VapidSignatureBuilder};

/// A token is good for so many seconds; the standard allows a day.
const GOOD_FOR: i64 = 12 * 60 * 60;
/// The same token goes to a push network for so long.
const REUSED_FOR: Duration = Duration::from_secs(60 * 60);
/// Push networks whose tokens are remembered.
const NETWORKS: u64 = 1024;

/// Signs for pushes. Clones share the key.
#[derive(Clone)]
pub struct Vapid {
    key: Arc<PartialVapidSignatureBuilder>,
    public: Arc<str>,
    contact: Arc<str>,
    clock: Clock,
    headers: Cache<String, HeaderValue>,
}

impl Vapid {
    /// Reads the key, and makes it first if there is none.
    pub fn open(path: &Path, contact: &str, clock: Clock) -> Result<Self> {
        let shown = || format!("{} (KEZ_VAPID_KEY_FILE)", path.display());
        if !path.exists() {
            make(path).with_context(|| format!("cannot write {}", shown()))?;
        }
        let pem = fs::read(path).with_context(|| format!("cannot read {}", shown()))?;
        let key = VapidSignatureBuilder::from_pem_no_sub(pem.as_slice())
            .map_err(|_| anyhow!("{} does not hold a P-256 key in PEM", shown()))?;
        Ok(Self {
            public: URL_SAFE_NO_PAD.encode(key.get_public_key()).into(),
            key: Arc::new(key),
            contact: contact.into(),
            clock,
            headers: Cache::builder().max_capacity(NETWORKS).time_to_live(REUSED_FOR).build(),
        })
    }

    /// The key as clients subscribe with it: an uncompressed point, base64url without padding.
    pub fn public_key(&self) -> &str {
        &self.public
    }

    /// The header `Authorization` of a push to this endpoint.
    pub fn authorization(&self, endpoint: &Url) -> Result<HeaderValue> {
        let network = endpoint.origin().ascii_serialization();
        if let Some(known) = self.headers.get(&network) {
            return Ok(known);
        }
        let header = self.sign(&network)?;
        self.headers.insert(network, header.clone());
        Ok(header)
    }

    fn sign(&self, network: &str) -> Result<HeaderValue> {
        let whom = SubscriptionInfo::new(network, "", "");
        let mut claims = self.key.as_ref().clone().add_sub_info(&whom);
        // Left to itself it would leave the port out.
        claims.add_claim("aud", network);
        claims.add_claim("exp", self.clock.now() + GOOD_FOR);
        claims.add_claim("sub", self.contact.as_ref());
        let signed = claims.build().map_err(|_| anyhow!("a push could not be signed"))?;
        Ok(HeaderValue::from_str(&format!("vapid t={}, k={}", signed.auth_t, self.public))?)
    }
}

/// Makes a key in a file that is there whole or not at all, for its owner alone. If another replica was first, its key stays.
fn make(path: &Path) -> Result<()> {
    // One in 2^32 drawings is no key.
    let key = loop {
        if let Ok(key) = SecretKey::from_slice(&random::bytes::<32>()) {
            break key;
        }
    };
    let pem = key.to_pkcs8_pem(LineEnding::LF).map_err(|error| anyhow!("{error}"))?;
    let draft = path.with_extension(format!("{}.new", std::process::id()));
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&draft)?;
    file.write_all(pem.as_bytes())?;
    file.sync_all()?;
    let linked = fs::hard_link(&draft, path);
    fs::remove_file(&draft)?;
    match linked {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(error.into()),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    const CONTACT: &str = "mailto:operator@kez.test";

    #[test]
    fn a_key_is_made_once_and_for_its_owner_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("vapid.pem");
        let first = Vapid::open(&path, CONTACT, Clock::default()).unwrap();
        let again = Vapid::open(&path, CONTACT, Clock::default()).unwrap();
        assert_eq!(first.public_key(), again.public_key());
        assert_eq!(URL_SAFE_NO_PAD.decode(first.public_key()).unwrap().len(), 65);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn what_is_no_key_is_named_and_left_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("vapid.pem");
        fs::write(&path, "secret").unwrap();
        let error = Vapid::open(&path, CONTACT, Clock::default()).err().unwrap().to_string();
        assert!(error.contains("KEZ_VAPID_KEY_FILE") && !error.contains("secret"), "{error}");
        assert_eq!(fs::read_to_string(&path).unwrap(), "secret");
    }

    #[test]
    fn a_network_is_given_one_token_for_all_its_endpoints() {
        let folder = tempfile::tempdir().unwrap();
        let vapid = Vapid::open(&folder.path().join("vapid.pem"), CONTACT, Clock::default()).unwrap();
        let header = |url: &str| vapid.authorization(&Url::parse(url).unwrap()).unwrap();
        assert_eq!(header("https://push.test/a"), header("https://push.test:443/b?c"));
        assert_ne!(header("https://push.test/a"), header("https://push.test:444/a"));
    }
}
