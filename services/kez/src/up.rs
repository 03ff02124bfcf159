//! `kez up`: a whole mesh in one process, on a private nats-server and SQLite, for one person to try or a small server to run.

pub mod keys;
pub mod mesh;
pub mod nats_server;

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result, bail};
use kez_service::config::{base_url, server_name};
use kez_service::{Clock, TelemetryConfig, run, telemetry};

use keys::{Keys, private_file, private_folder};
use mesh::{Mesh, Plan};
use nats_server::{NatsServer, Place};

/// Start everything: a private NATS server, all services and the gateway
#[derive(Debug, Clone, clap::Args)]
pub struct UpArgs {
    #[command(flatten)]
    folder: DataArgs,

    /// Domain after the @ of every handle
    #[arg(long, env = "KEZ_SERVER", value_name = "KEZ_SERVER", default_value = "localhost", value_parser = server_name)]
    server: String,

    /// Address of the gateway: web and HTTP
    #[arg(long, env = "KEZ_LISTEN", value_name = "KEZ_LISTEN", default_value = "127.0.0.1:8080")]
    listen: SocketAddr,

    /// URL under which others reach the gateway [default: `http://` and `KEZ_LISTEN`]
    #[arg(long, env = "KEZ_PUBLIC_URL", value_name = "KEZ_PUBLIC_URL", value_parser = base_url)]
    public_url: Option<String>,

    /// Database of the registry [default: SQLite in the data folder]
    #[arg(long, env = "DATABASE_URL", value_name = "DATABASE_URL", hide_env_values = true)]
    database_url: Option<String>,

    /// Address of the private NATS server
    #[arg(long, env = "KEZ_NATS_LISTEN", value_name = "KEZ_NATS_LISTEN", default_value = "127.0.0.1:4222")]
    nats_listen: SocketAddr,

    /// Address of its WebSocket
    #[arg(
        long,
        env = "KEZ_NATS_WEBSOCKET_LISTEN",
        value_name = "KEZ_NATS_WEBSOCKET_LISTEN",
        default_value = "127.0.0.1:4223"
    )]
    websocket_listen: SocketAddr,

    /// nats-server to start [default: the one on PATH]
    #[arg(long, env = "KEZ_NATS_SERVER", value_name = "KEZ_NATS_SERVER")]
    nats_server: Option<PathBuf>,

    /// Use a NATS server that runs already, on nats/accounts.conf with the keys of `kez init`
    #[arg(long, env = "KEZ_NATS_URL", value_name = "KEZ_NATS_URL", requires = "nats_websocket_url")]
    nats_url: Option<String>,

    /// WebSocket of that server
    #[arg(long, env = "KEZ_NATS_WEBSOCKET_URL", value_name = "KEZ_NATS_WEBSOCKET_URL")]
    nats_websocket_url: Option<String>,

    #[command(flatten)]
    telemetry: TelemetryConfig,
}

/// Make the keys and the NATS configuration of a mesh, and print the public keys
#[derive(Debug, Clone, clap::Args)]
pub struct InitArgs {
    #[command(flatten)]
    folder: DataArgs,
}

#[derive(Debug, Clone, clap::Args)]
struct DataArgs {
    /// Folder of keys, configuration, streams and database; made if it is not there
    #[arg(long, env = "KEZ_DATA", value_name = "KEZ_DATA", default_value = "data")]
    data: PathBuf,
}

/// Runs a mesh until Ctrl-C.
pub async fn run(arguments: UpArgs) -> Result<()> {
    let begun = Instant::now();
    let _telemetry = telemetry::start("up", &arguments.telemetry)?;
    let data = open_data(&arguments.folder.data)?;
    let keys = Keys::open(&data.join("keys"))?;
    let mut broker = match &arguments.nats_url {
        Some(_) => None,
        None => Some(start_broker(&arguments, &data, &keys).await?),
    };
    let plan = plan(&arguments, &data, broker.as_ref());
    let mesh = Mesh::start(&plan, &keys, &Clock::default()).await?;
    announce(&plan, &mesh, &data, begun);
    let outcome = until_over(broker.as_mut(), &mesh).await;
    mesh.stop().await?;
    if let Some(broker) = broker {
        broker.stop().await?;
    }
    outcome
}

/// Makes what `kez up` would make, without starting anything.
pub fn init(arguments: &InitArgs) -> Result<()> {
    let data = open_data(&arguments.folder.data)?;
    let keys = Keys::open(&data.join("keys"))?;
    let lines: String = keys.environment().iter().map(|(name, key)| format!("{name}={key}\n")).collect();
    private_file(&data.join("nats.env"), &lines)?;
    println!(
        "Keys are in {}, their public halves in {}:",
        data.join("keys").display(),
        data.join("nats.env").display()
    );
    print!("{lines}");
    println!(
        "Start nats-server on nats/server.conf with these variables, and each service with its own seed file."
    );
    Ok(())
}

fn open_data(folder: &Path) -> Result<PathBuf> {
    private_folder(folder)?;
    let folder =
        fs::canonicalize(folder).with_context(|| format!("cannot open the folder {}", folder.display()))?;
    // Found out now, in words, rather than later by a service.
    private_file(&folder.join(".writable"), "")?;
    fs::remove_file(folder.join(".writable"))?;
    Ok(folder)
}

async fn start_broker(arguments: &UpArgs, data: &Path, keys: &Keys) -> Result<NatsServer> {
    let binary = nats_server::find(arguments.nats_server.as_deref())?;
    let place = Place {
        folder: data.join("nats"),
        listen: arguments.nats_listen,
        websocket: arguments.websocket_listen,
    };
    NatsServer::start(&binary, &place, keys).await
}

fn plan(arguments: &UpArgs, data: &Path, broker: Option<&NatsServer>) -> Plan {
    let given = |url: &Option<String>| url.clone().unwrap_or_default();
    Plan {
        nats_url: broker.map_or_else(|| given(&arguments.nats_url), |broker| broker.url.clone()),
        nats_websocket_url: broker
            .map_or_else(|| given(&arguments.nats_websocket_url), |broker| broker.websocket_url.clone()),
        server: arguments.server.clone(),
        public_url: arguments.public_url.clone().unwrap_or_else(|| format!("http://{}", arguments.listen)),
        database_url: arguments
            .database_url
            .clone()
            .unwrap_or_else(|| format!("sqlite://{}?mode=rwc", data.join("registry.db").display())),
        listen: arguments.listen,
        extra: Vec::new(),
    }
}

fn announce(plan: &Plan, mesh: &Mesh, data: &Path, begun: Instant) {
    println!("Kez is up, after {:.1} s. Ctrl-C stops it.\n", begun.elapsed().as_secs_f32());
    println!("  web, HTTP   http://{}", mesh.gateway.address());
    println!("  NATS        {}", plan.nats_url);
    println!("  WebSocket   {}, or /v1/nats of the gateway", plan.nats_websocket_url);
    println!("  handles     name@{}", plan.server);
    println!("  data        {}\n", data.display());
    println!("In another terminal:  kez identity new  ·  kez register alice  ·  kez mesh");
}

async fn until_over(broker: Option<&mut NatsServer>, mesh: &Mesh) -> Result<()> {
    let broker_ended = async {
        match broker {
            Some(broker) => broker.ended().await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        stopped = run::until_stopped() => stopped,
        status = broker_ended => bail!("nats-server ended by itself ({}); its log is in the data folder", status?),
        error = mesh.auth_callout.failed() => Err(error.context("nobody can sign in any more")),
    }
}
