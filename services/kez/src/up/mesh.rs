//! All services in one process, each with its own key and its own connection, as they would have in processes of their own.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::{Error, Result, bail};
use async_nats::Client;
use clap::{Args, Parser};
use kez_service::{Clock, NatsConfig, Running, connect};

use super::keys::Keys;

/// What all services of one mesh have in common.
#[derive(Debug, Clone)]
pub struct Plan {
    pub nats_url: String,
    pub nats_websocket_url: String,
    pub server: String,
    /// Where the gateway is reached; when it takes any free port, the registry still needs to know a URL.
    pub public_url: String,
    /// Of the registry.
    pub database_url: String,
    /// Of the sigchain service and of the push service; all may be one.
    pub sigchain_database_url: String,
    pub push_database_url: String,
    /// Whom the operators of push networks can write to.
    pub vapid_contact: String,
    pub listen: SocketAddr,
    /// More flags for one service, such as `("inbox", "--mailbox-messages=5")`.
    pub extra: Vec<(&'static str, String)>,
}

/// Everything that runs.
pub struct Mesh {
    pub gateway: gateway::Running,
    pub auth_callout: Running,
    pub registry: Running,
    pub inbox: Running,
    pub sigchain: Running,
    pub push: Running,
}

impl Mesh {
    /// Starts the services in the order in which they need each other.
    pub async fn start(plan: &Plan, keys: &Keys, clock: &Clock) -> Result<Self> {
        check_settings(plan, keys)?;
        let registry = registry(plan, keys, clock).await?;
        let sigchain = match sigchain(plan, keys, clock).await {
            Ok(sigchain) => sigchain,
            Err(error) => return Err(undo([registry], error).await),
        };
        let inbox = match inbox(plan, keys, clock).await {
            Ok(inbox) => inbox,
            Err(error) => return Err(undo([sigchain, registry], error).await),
        };
        let push = match push(plan, keys, clock).await {
            Ok(push) => push,
            Err(error) => return Err(undo([inbox, sigchain, registry], error).await),
        };
        let auth_callout = match auth_callout(plan, keys, clock).await {
            Ok(auth_callout) => auth_callout,
            Err(error) => return Err(undo([push, inbox, sigchain, registry], error).await),
        };
        match gateway(plan, keys, clock).await {
            Ok(gateway) => Ok(Self { gateway, auth_callout, registry, inbox, sigchain, push }),
            Err(error) => Err(undo([auth_callout, push, inbox, sigchain, registry], error).await),
        }
    }

    /// Stops them in the opposite order: first nobody new comes in, last the registry, which the others ask.
    pub async fn stop(self) -> Result<()> {
        let gateway = self.gateway.stop().await;
        let auth_callout = self.auth_callout.stop().await;
        let push = self.push.stop().await;
        let inbox = self.inbox.stop().await;
        let sigchain = self.sigchain.stop().await;
        let registry = self.registry.stop().await;
        gateway.and(auth_callout).and(push).and(inbox).and(sigchain).and(registry)
    }
}

/// Stops what was started before something could not be, which is what matters then.
async fn undo(started: impl IntoIterator<Item = Running>, error: Error) -> Error {
    for running in started {
        let _ = running.stop().await;
    }
    error
}

/// One replica of the registry.
pub async fn registry(plan: &Plan, keys: &Keys, clock: &Clock) -> Result<Running> {
    let settings = registry_settings(plan)?;
    let (nats, concurrency) = connection("registry", plan, keys).await?;
    registry::start(&nats, settings, clock.clone(), concurrency).await
}

/// One replica of the inbox.
pub async fn inbox(plan: &Plan, keys: &Keys, clock: &Clock) -> Result<Running> {
    let settings = settings(plan, "inbox", [])?;
    let (nats, concurrency) = connection("inbox", plan, keys).await?;
    inbox::start(&nats, settings, clock.clone(), concurrency).await
}

/// One replica of the sigchain service.
pub async fn sigchain(plan: &Plan, keys: &Keys, clock: &Clock) -> Result<Running> {
    let settings = sigchain_settings(plan)?;
    let (nats, concurrency) = connection("sigchain", plan, keys).await?;
    sigchain::start(&nats, settings, clock.clone(), concurrency).await
}

/// One replica of the push service.
pub async fn push(plan: &Plan, keys: &Keys, clock: &Clock) -> Result<Running> {
    let settings = push_settings(plan, keys)?;
    let (nats, concurrency) = connection("push", plan, keys).await?;
    push::start(&nats, settings, clock.clone(), concurrency).await
}

/// One replica of the auth callout.
pub async fn auth_callout(plan: &Plan, keys: &Keys, clock: &Clock) -> Result<Running> {
    let settings = auth_callout_settings(plan, keys)?;
    let (nats, concurrency) = connection("auth-callout", plan, keys).await?;
    auth_callout::start(&nats, settings, clock.clone(), concurrency).await
}

/// One gateway.
pub async fn gateway(plan: &Plan, keys: &Keys, clock: &Clock) -> Result<gateway::Running> {
    let settings = gateway_settings(plan)?;
    let (nats, concurrency) = connection("gateway", plan, keys).await?;
    gateway::start(&nats, settings, clock.clone(), concurrency).await
}

/// Says what is wrong with anybody's settings before anything is started.
fn check_settings(plan: &Plan, keys: &Keys) -> Result<()> {
    registry_settings(plan)?;
    settings::<inbox::Settings>(plan, "inbox", [])?;
    sigchain_settings(plan)?;
    push_settings(plan, keys)?;
    auth_callout_settings(plan, keys)?;
    gateway_settings(plan)?;
    Ok(())
}

fn registry_settings(plan: &Plan) -> Result<registry::Settings> {
    let flags = [
        flag("server", &plan.server),
        flag("public-url", &plan.public_url),
        flag("database-url", &plan.database_url),
    ];
    settings(plan, "registry", flags)
}

fn sigchain_settings(plan: &Plan) -> Result<sigchain::Settings> {
    settings(plan, "sigchain", [flag("database-url", &plan.sigchain_database_url)])
}

fn push_settings(plan: &Plan, keys: &Keys) -> Result<push::Settings> {
    let flags = [
        flag("database-url", &plan.push_database_url),
        flag("vapid-key-file", &keys.vapid_file().display().to_string()),
        flag("vapid-contact", &plan.vapid_contact),
    ];
    settings(plan, "push", flags)
}

fn auth_callout_settings(plan: &Plan, keys: &Keys) -> Result<auth_callout::Settings> {
    let flags = [
        flag("server", &plan.server),
        flag("issuer-seed-file", &keys.issuer_file().display().to_string()),
        flag("xkey-seed-file", &keys.xkey_file().display().to_string()),
    ];
    settings(plan, "auth-callout", flags)
}

fn gateway_settings(plan: &Plan) -> Result<gateway::Settings> {
    let flags = [
        flag("listen", &plan.listen.to_string()),
        flag("server", &plan.server),
        flag("public-url", &plan.public_url),
        flag("nats-websocket-url", &plan.nats_websocket_url),
    ];
    settings(plan, "gateway", flags)
}

/// Connects as one of the users of the mesh.
pub async fn connect_as(user: &'static str, nats_url: &str, keys: &Keys) -> Result<Client> {
    connect(user, &nats_config(nats_url, keys.seed_file(user))).await
}

async fn connection(service: &'static str, plan: &Plan, keys: &Keys) -> Result<(Client, u32)> {
    let config = nats_config(&plan.nats_url, keys.seed_file(service));
    Ok((connect(service, &config).await?, config.concurrency))
}

fn nats_config(url: &str, seed_file: PathBuf) -> NatsConfig {
    NatsConfig { url: url.to_owned(), seed_file, concurrency: 1024 }
}

/// The settings of a service as its own command would read them: from these flags, then the environment, then defaults.
fn settings<S: Args>(
    plan: &Plan,
    service: &'static str,
    flags: impl IntoIterator<Item = String>,
) -> Result<S> {
    let extra = plan.extra.iter().filter(|(owner, _)| *owner == service).map(|(_, flag)| flag.clone());
    let arguments = [format!("kez-{service}")].into_iter().chain(flags).chain(extra).map(OsString::from);
    match Only::<S>::try_parse_from(arguments) {
        Ok(only) => Ok(only.settings),
        Err(error) => {
            // Its first line names the variable; the rest is about a command that nobody typed.
            let text = error.to_string();
            let line = text.lines().next().unwrap_or_default().trim_start_matches("error: ");
            bail!("the settings of {service}: {line}")
        }
    }
}

fn flag(name: &str, value: &str) -> String {
    format!("--{name}={value}")
}

#[derive(Parser)]
struct Only<S: Args> {
    #[command(flatten)]
    settings: S,
}
