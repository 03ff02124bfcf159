//! TLS that trusts the system's authorities and those that were added, and remembers no host.

use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::client::Resumption;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use crate::Ways;

/// Reads the certificates.
pub fn connector(ways: &Ways) -> Result<TlsConnector> {
    let variable = ways.variables.ca_file;
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if let Some(path) = &ways.ca_file {
        let name = || format!("cannot read certificates from {} ({variable})", path.display());
        let certificates = CertificateDer::pem_file_iter(path).with_context(name)?;
        let certificates: Vec<_> = certificates.collect::<Result<_, _>>().with_context(name)?;
        ensure!(!certificates.is_empty(), "{} ({variable}) holds no certificate", path.display());
        for certificate in certificates {
            roots.add(certificate).with_context(name)?;
        }
    }
    if roots.is_empty() {
        tracing::warn!("this system trusts no certificate authority ({variable}): nothing can be reached");
    }
    let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.resumption = Resumption::disabled();
    Ok(TlsConnector::from(Arc::new(config)))
}
