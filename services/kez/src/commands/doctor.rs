//! `kez doctor`: what is missing, and what to do about it.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use hyper::Method;
use hyper::header::DATE;
use kez_contract::{Code, http};
use kez_service::Clock;
use serde::Serialize;

use crate::client::Client;
use crate::failure::Failure;
use crate::http::transport::{Answer, Transport};
use crate::identity::{Identity, IdentityArgs};
use crate::output::Output;
use crate::private_file::is_open_to_others;
use crate::server::{Server, ServerArgs, nobody};
use crate::up::nats_server;
use crate::visible;

/// Where `kez up` listens unless told otherwise.
const PORTS: [(&str, &str); 3] = [
    ("127.0.0.1:8080", "--listen"),
    ("127.0.0.1:4222", "--nats-listen"),
    ("127.0.0.1:4223", "--websocket-listen"),
];

/// Half of what servers tolerate.
const SKEW: i64 = 30;

/// Check this machine and the server: versions, ports, files, connection, sign-in, clock
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  kez doctor\n  kez doctor --server-url https://kez.lat\n\n\
    Signs in as your identity where its passphrase is given, else as nobody. Exit code 1 when anything fails.")]
pub struct DoctorArgs {
    /// nats-server that kez up would start [default: the one on PATH]
    #[arg(long, env = "KEZ_NATS_SERVER", value_name = "KEZ_NATS_SERVER")]
    nats_server: Option<PathBuf>,

    /// Folder that kez up keeps its files in
    #[arg(long, env = "KEZ_DATA", value_name = "KEZ_DATA", default_value = "data")]
    data: PathBuf,

    #[command(flatten)]
    pub output: Output,

    #[command(flatten)]
    identity: IdentityArgs,

    #[command(flatten)]
    server: ServerArgs,
}

pub async fn run(args: DoctorArgs) -> Result<ExitCode, Failure> {
    let mut patient = Patient { output: args.output, failed: false };
    let health = health(&args.server.server_url).await;
    let is_here = args.server.is_here();
    if is_here && health.is_err() {
        patient.note("nats-server", &nats_version(args.nats_server.as_deref()))?;
        patient.note("ports", &ports())?;
    }
    if is_here {
        patient.note("data", &data(&args.data))?;
    }
    patient.note("identity", &identity(&args.identity))?;
    if args.server.nats.is_none() {
        patient.note(
            "server",
            &health.as_ref().map(|_| format!("{} answers", args.server.server_url)).map_err(Clone::clone),
        )?;
    }
    if let Ok(answer) = &health {
        patient.note("clock", &clock(answer, &Clock::default()))?;
        patient.note("services", &services(&args.server.server_url).await)?;
    }
    sign_in(&args, &mut patient).await?;
    Ok(if patient.failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// The way to the broker, step by step, as far as it goes.
async fn sign_in(args: &DoctorArgs, patient: &mut Patient) -> Result<(), Failure> {
    let found = args.server.find().await.map_err(Finding::from);
    let name = |server: &Server| format!("handles end in @{}; NATS is at {}", server.name, server.nats);
    patient.note("name", &found.as_ref().map(name).map_err(Clone::clone))?;
    let Ok(server) = found else { return Ok(()) };
    let connected = connect(args, &server).await;
    patient.note("sign-in", &connected.as_ref().map(|(_, works)| works.clone()).map_err(Clone::clone))?;
    if let Ok((client, _)) = connected {
        patient.note("broker", &broker(&client))?;
    }
    Ok(())
}

/// What is wrong, and what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Finding {
    what: String,
    advice: String,
}

impl Finding {
    fn new(what: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { what: what.into(), advice: advice.into() }
    }
}

impl From<Failure> for Finding {
    fn from(failure: Failure) -> Self {
        Self::new(failure.message, failure.advice.unwrap_or_default())
    }
}

/// Whoever is looked at, line by line.
struct Patient {
    output: Output,
    failed: bool,
}

#[derive(Serialize)]
struct Line<'l> {
    check: &'l str,
    ok: bool,
    detail: &'l str,
    advice: Option<&'l str>,
}

impl Patient {
    fn note(&mut self, check: &str, result: &Result<String, Finding>) -> Result<(), Failure> {
        let (ok, detail, advice) = match result {
            Ok(detail) => (true, detail, None),
            Err(Finding { what, advice }) => {
                (false, what, Some(advice.as_str()).filter(|advice| !advice.is_empty()))
            }
        };
        self.failed |= !ok;
        self.output.item(&Line { check, ok, detail, advice }, || {
            let state = if ok { "ok  " } else { "fail" };
            let advice = advice.map(|advice| format!(" — {advice}")).unwrap_or_default();
            format!("{state}  {check:<11}  {}", visible::line(&format!("{detail}{advice}")))
        })
    }
}

fn nats_version(given: Option<&Path>) -> Result<String, Finding> {
    let tools = Path::new(".tools/bin/nats-server");
    let found = nats_server::find(given);
    // Where ./justw puts it, for those who call kez without ./justw.
    let found = if given.is_none() && found.is_err() && tools.exists() {
        nats_server::find(Some(tools))
    } else {
        found
    };
    match found {
        Ok(binary) => Ok(format!("{} is new enough", binary.display())),
        Err(error) => Err(Finding::new(format!("{error:#}"), "needed only where kez up runs")),
    }
}

fn ports() -> Result<String, Finding> {
    let taken = PORTS.iter().find(|(address, _)| TcpListener::bind(address).is_err());
    match taken {
        None => Ok(format!("{} are free for kez up", PORTS.map(|(address, _)| address).join(", "))),
        Some((address, flag)) => Err(Finding::new(
            format!("something else listens on {address}"),
            format!("end it, or kez up {flag} with another address"),
        )),
    }
}

fn data(folder: &Path) -> Result<String, Finding> {
    let keys = folder.join("keys");
    let Ok(entries) = std::fs::read_dir(&keys) else {
        return Ok(format!("{} has no keys yet; kez up makes them", folder.display()));
    };
    let mut files = entries.filter_map(Result::ok).map(|entry| entry.path());
    match files.find(|path| is_open_to_others(path)) {
        Some(path) => Err(Finding::new(
            format!("others can read {}", path.display()),
            format!("chmod 600 {}", path.display()),
        )),
        None => Ok(format!("the keys in {} are private", keys.display())),
    }
}

fn identity(args: &IdentityArgs) -> Result<String, Finding> {
    let path = args.path()?;
    let stored = Identity::stored(&path)?;
    let key = stored.key()?.identifier();
    if is_open_to_others(&path) {
        return Err(Finding::new(
            format!("others can read {}", path.display()),
            format!("chmod 600 {}", path.display()),
        ));
    }
    Ok(match stored.device_of()? {
        Some(primary) => format!("{key}, a device of {}, in {}", primary.identifier(), path.display()),
        None => format!("{key} in {}", path.display()),
    })
}

async fn health(base: &str) -> Result<Answer, Finding> {
    let asked = async { Transport::new(base)?.request(Method::GET, http::HEALTHZ, &[], "").await };
    asked.await.map_err(|problem| {
        Finding::new(problem.detail, "is it running? ./justw up starts one here; --server-url names another")
    })
}

fn clock(answer: &Answer, clock: &Clock) -> Result<String, Finding> {
    let date = answer.headers.get(DATE).and_then(|date| http_date(date.to_str().ok()?));
    let Some(theirs) = date else { return Ok("the server does not tell its time".to_owned()) };
    let skew = clock.now() - theirs;
    if skew.abs() <= SKEW {
        Ok(format!("{} s apart from the server's", skew.abs()))
    } else {
        let direction = if skew > 0 { "ahead of" } else { "behind" };
        Err(Finding::new(
            format!("this clock is {} s {direction} the server's", skew.abs()),
            "set one of them right: from 60 s on requests are refused",
        ))
    }
}

async fn services(base: &str) -> Result<String, Finding> {
    let asked = async { Transport::new(base)?.request(Method::GET, http::READYZ, &[], "").await };
    match asked.await {
        Ok(_) => Ok("every service has a replica that answers".to_owned()),
        Err(problem) => Err(Finding::new(problem.detail, "kez mesh shows which services run")),
    }
}

async fn connect(args: &DoctorArgs, server: &Server) -> Result<(Client, String), Finding> {
    let named = args.identity.passphrase.is_given() && args.identity.path().is_ok_and(|path| path.exists());
    let who = if named { args.identity.open()?.speaker() } else { nobody() };
    let client = Client::connect(args.server.connection(server, &who)).await.map_err(Failure::from)?;
    if !named {
        return Ok((client, "works, as nobody (no passphrase was given)".to_owned()));
    }
    match client.by_primary(&who.primary()).await {
        Ok(record) => Ok((client, format!("works, as {}", record.fqhn))),
        Err(problem) if problem.code == Code::NotFound => {
            Ok((client, "works; this identity has no handle yet: kez register HANDLE".to_owned()))
        }
        Err(problem) => Err(Failure::from(problem).into()),
    }
}

fn broker(client: &Client) -> Result<String, Finding> {
    let version = client.nats().server_info().version;
    if client.nats().is_server_compatible(2, 15, 1) {
        Ok(format!("nats-server {version}"))
    } else {
        Err(Finding::new(
            format!("nats-server {version} is too old"),
            "the server's operator should run 2.15.1 or newer",
        ))
    }
}

/// Seconds since 1970 of an HTTP date, `Mon, 25 May 2026 03:00:00 GMT` (RFC 9110, section 5.6.7).
fn http_date(date: &str) -> Option<i64> {
    let mut parts = date.split_once(", ")?.1.strip_suffix(" GMT")?.split(' ');
    let (day, month, year, time) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let month = months.iter().position(|name| *name == month)? + 1;
    kez_crypto::Timestamp::parse(&format!("{year}-{month:02}-{day}T{time}Z"))
        .ok()
        .map(kez_crypto::Timestamp::unix)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn http_dates_are_read() {
        assert_eq!(http_date("Mon, 25 May 2026 03:00:00 GMT"), Some(1_779_678_000));
        for bad in
            ["", "Mon, 25 May 2026 03:00:00", "25 May 2026 03:00:00 GMT", "Mon, 25 Mai 2026 03:00:00 GMT"]
        {
            assert_eq!(http_date(bad), None, "{bad}");
        }
    }

    #[test]
    fn keys_that_others_can_read_are_found() {
        use std::os::unix::fs::PermissionsExt;

        let folder = tempfile::tempdir().unwrap();
        assert!(data(folder.path()).is_ok());
        let key = folder.path().join("keys").join("operator.nk");
        std::fs::create_dir(key.parent().unwrap()).unwrap();
        std::fs::write(&key, "").unwrap();
        std::fs::set_permissions(&key, PermissionsExt::from_mode(0o600)).unwrap();
        assert!(data(folder.path()).is_ok());
        std::fs::set_permissions(&key, PermissionsExt::from_mode(0o644)).unwrap();
        assert!(data(folder.path()).unwrap_err().advice.contains("chmod 600"));
    }
}
