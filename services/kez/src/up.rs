//! `kez up`: a whole mesh in one process, on a private nats-server and SQLite, for one person to try or a small server to run.

pub mod keys;
pub mod mesh;
pub mod nats_server;

use std::fs::{self, File, TryLockError};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Error, Result, anyhow, bail};
use kez_service::config::{base_url, server_name};
use kez_service::{Clock, TelemetryConfig, run, telemetry};
use rustix::fs::Mode;
use rustix::process::umask;
use tokio::time::timeout;

use keys::{Keys, private_file, private_folder};
use mesh::{Mesh, Plan};
use nats_server::{NatsServer, Place};

/// In the data folder, held while a mesh runs on it.
const LOCK: &str = "lock";
/// Longer than any service waits for what is in flight.
const STOP_TIMEOUT: Duration = Duration::from_secs(30);

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

    /// Whom the operators of push networks can write to [default: `mailto:postmaster@` and `KEZ_SERVER`]
    #[arg(long, env = "KEZ_VAPID_CONTACT", value_name = "KEZ_VAPID_CONTACT")]
    vapid_contact: Option<String>,

    /// Database of the registry, the sigchain service and the push service [default: SQLite in the data folder, one file each]
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
    // Whatever is written from now on, by nats-server too, is for its owner only.
    umask(Mode::RWXG | Mode::RWXO);
    let _telemetry = telemetry::start("up", &arguments.telemetry)?;
    let mut stop = run::Stop::listen()?;
    let data = open_data(&arguments.folder.data)?;
    let _lock = lock(&data)?;
    let Some(mut up) = stop.unless_received(Up::start(&arguments, &data)).await? else { return Ok(()) };
    up.announce(&data, begun);
    let outcome = tokio::select! {
        () = stop.received() => Ok(()),
        error = up.failed(&data) => Err(error),
    };
    let stopped = tokio::select! {
        stopped = timeout(STOP_TIMEOUT, up.stop()) => stopped.context("not everything could be stopped in good order")?,
        () = stop.received() => Err(anyhow!("stopped at once, without waiting for what was in flight")),
    };
    // Why it ended says more than what then could not be done any more.
    outcome.and(stopped)
}

/// What runs.
struct Up {
    plan: Plan,
    mesh: Mesh,
    /// None when it is somebody else's. Killed, should it not be stopped.
    broker: Option<NatsServer>,
}

impl Up {
    async fn start(arguments: &UpArgs, data: &Path) -> Result<Self> {
        let keys = Keys::open(&data.join("keys"))?;
        nats_server::check_free(arguments.listen, "--listen")?;
        let broker = match &arguments.nats_url {
            Some(_) => None,
            None => Some(start_broker(arguments, data, &keys).await?),
        };
        let plan = plan(arguments, data, broker.as_ref());
        match Mesh::start(&plan, &keys, &Clock::default()).await {
            Ok(mesh) => Ok(Self { plan, mesh, broker }),
            Err(error) => {
                stop_broker(broker).await?;
                Err(error)
            }
        }
    }

    fn announce(&self, data: &Path, begun: Instant) {
        println!("Kez is up, after {:.1} s. Ctrl-C stops it.\n", begun.elapsed().as_secs_f32());
        println!("  web, HTTP   http://{}", self.mesh.gateway.address());
        println!("  NATS        {}", self.plan.nats_url);
        println!("  WebSocket   {}, or /v1/nats of the gateway", self.plan.nats_websocket_url);
        println!("  handles     name@{}", self.plan.server);
        println!("  data        {}\n", data.display());
        println!("In another terminal:  kez identity new  ·  kez register alice  ·  kez mesh");
    }

    /// Waits until it cannot go on, and says why.
    async fn failed(&mut self, data: &Path) -> Error {
        let broker_ended = async {
            match &mut self.broker {
                Some(broker) => broker.ended().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            ended = broker_ended => {
                let how = ended.map_or_else(|error| error.to_string(), |status| status.to_string());
                anyhow!("nats-server ended by itself ({how}); its log is in {}", data.join("nats").display())
            }
            error = self.mesh.auth_callout.failed() => error.context("nobody can sign in any more"),
        }
    }

    /// Stops the services before their broker.
    async fn stop(self) -> Result<()> {
        let stopped = self.mesh.stop().await;
        stop_broker(self.broker).await?;
        stopped
    }
}

async fn stop_broker(broker: Option<NatsServer>) -> Result<()> {
    match broker {
        Some(broker) => broker.stop().await,
        None => Ok(()),
    }
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
    let open = || -> Result<PathBuf> {
        private_folder(folder)?;
        let folder = fs::canonicalize(folder)?;
        // Found out now, in words, rather than later by a service.
        private_file(&folder.join(LOCK), "")?;
        Ok(folder)
    };
    open().with_context(|| {
        format!("the data folder {} cannot be used: choose another with --data", folder.display())
    })
}

/// Two on one folder would stop each other's nats-server. The lock ends with this process, however that ends.
fn lock(data: &Path) -> Result<File> {
    let file = File::open(data.join(LOCK))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => {
            bail!("another kez up runs on {}: end it, or choose another folder with --data", data.display())
        }
        Err(TryLockError::Error(error)) => Err(error).context("the data folder cannot be locked"),
    }
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
    let database = |file: &str| {
        let own = || format!("sqlite://{}?mode=rwc", data.join(file).display());
        arguments.database_url.clone().unwrap_or_else(own)
    };
    Plan {
        nats_url: broker.map_or_else(|| given(&arguments.nats_url), |broker| broker.url.clone()),
        nats_websocket_url: broker
            .map_or_else(|| given(&arguments.nats_websocket_url), |broker| broker.websocket_url.clone()),
        server: arguments.server.clone(),
        public_url: arguments.public_url.clone().unwrap_or_else(|| format!("http://{}", arguments.listen)),
        database_url: database("registry.db"),
        sigchain_database_url: database("sigchain.db"),
        push_database_url: database("push.db"),
        vapid_contact: arguments
            .vapid_contact
            .clone()
            .unwrap_or_else(|| format!("mailto:postmaster@{}", arguments.server)),
        listen: arguments.listen,
        extra: Vec::new(),
    }
}
