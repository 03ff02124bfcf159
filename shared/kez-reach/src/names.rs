//! DNS: the resolver that was asked for, or else the system's. What is in its hosts file or in a cache does not count.

use std::net::IpAddr;

use anyhow::{Context, Result};
use hickory_resolver::config::{LookupIpStrategy, NameServerConfig, ResolveHosts, ResolverConfig};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::net::{DnsError, NetError};
use hickory_resolver::proto::op::ResponseCode;
use hickory_resolver::proto::rr::{Name, RData};
use hickory_resolver::{ResolverBuilder, TokioResolver};
use tracing::instrument::WithSubscriber;
use tracing::subscriber::NoSubscriber;

use crate::{Unreached, Ways};

/// Who is asked for names. Nothing that they are asked is logged, nor remembered.
#[derive(Clone)]
pub struct Names {
    resolver: TokioResolver,
}

impl Names {
    pub fn new(ways: &Ways) -> Result<Self> {
        let mut builder = if ways.resolvers.is_empty() {
            of_system(ways.variables.resolvers)
        } else {
            let servers = ways.resolvers.iter().map(|address| {
                let mut server = NameServerConfig::udp_and_tcp(address.ip());
                server.connections.iter_mut().for_each(|connection| connection.port = address.port());
                server
            });
            let config = ResolverConfig::from_name_servers(servers.collect());
            TokioResolver::builder_with_config(config, TokioRuntimeProvider::default())
        };
        let options = builder.options_mut();
        options.cache_size = 0;
        options.use_hosts_file = ResolveHosts::Never;
        options.ip_strategy = LookupIpStrategy::Ipv4AndIpv6;
        options.edns0 = true;
        options.attempts = 1;
        options.timeout = ways.patience / 3;
        Ok(Self { resolver: builder.build().context("DNS cannot be used")? })
    }

    /// The text records of a whole name, each with its pieces joined; none when there are none.
    pub async fn text_records(&self, name: &str) -> Result<Vec<String>, Unreached> {
        let name = whole(name)?;
        let answer = match self.resolver.txt_lookup(name).with_subscriber(NoSubscriber::new()).await {
            Ok(answer) => answer,
            Err(error) if holds_nothing(&error) => return Ok(Vec::new()),
            Err(error) => return Err(unresolved(&error)),
        };
        let texts = answer.answers().iter().filter_map(|record| match &record.data {
            RData::TXT(text) => Some(String::from_utf8_lossy(&text.txt_data.concat()).into_owned()),
            _ => None,
        });
        Ok(texts.collect())
    }

    /// The addresses of a host; none when there is no host of this name.
    pub async fn addresses(&self, name: &str) -> Result<Vec<IpAddr>, Unreached> {
        match self.resolver.lookup_ip(whole(name)?).with_subscriber(NoSubscriber::new()).await {
            Ok(found) => Ok(found.iter().collect()),
            Err(error) if holds_nothing(&error) => Ok(Vec::new()),
            Err(error) => Err(unresolved(&error)),
        }
    }
}

/// A whole name: the system's own domains are not tried.
fn whole(name: &str) -> Result<Name, Unreached> {
    let mut name = Name::from_ascii(name).map_err(|_| Unreached::NoAnswer("this is no host name"))?;
    name.set_fqdn(true);
    Ok(name)
}

/// Whether the answer is that there are no such records, or no such name.
fn holds_nothing(error: &NetError) -> bool {
    match error {
        NetError::Dns(DnsError::NoRecordsFound(nothing)) => {
            matches!(nothing.response_code, ResponseCode::NXDomain | ResponseCode::NoError)
        }
        _ => false,
    }
}

fn unresolved(error: &NetError) -> Unreached {
    match error {
        NetError::Timeout => Unreached::Late("the name's DNS servers do not answer in time"),
        _ => Unreached::NoAnswer("the name's DNS servers do not answer"),
    }
}

/// A system that names no resolver has one of its own, as its C library has it.
fn of_system(variable: &str) -> ResolverBuilder<TokioRuntimeProvider> {
    TokioResolver::builder_tokio().unwrap_or_else(|error| {
        tracing::warn!(%error, "this system names no DNS resolver ({variable}): 127.0.0.1 is asked");
        let here = NameServerConfig::udp_and_tcp(IpAddr::from([127, 0, 0, 1]));
        let config = ResolverConfig::from_name_servers(vec![here]);
        TokioResolver::builder_with_config(config, TokioRuntimeProvider::default())
    })
}
