//! A private nats-server: found, checked, started on the shared account file, and stopped.

use std::fs;
use std::io::Write;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Command as BlockingCommand, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use rustix::process::{Pid, Signal, kill_process};
use serde::Deserialize;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, ChildStderr, Command};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout};

use super::keys::{Keys, private_file, private_folder};

/// The configuration by file name, the first of which is nats-server's; it reads its keys and places from variables.
pub const CONFIGURATION: [(&str, &str); 2] = [
    ("server.conf", include_str!("../../../../nats/server.conf")),
    ("accounts.conf", include_str!("../../../../nats/accounts.conf")),
];
/// The first version that Kez was measured and tested with. Older ones have known holes before sign-in.
const OLDEST: (u32, u32, u32) = (2, 15, 1);
const START_TIMEOUT: Duration = Duration::from_secs(20);
const STOP_TIMEOUT: Duration = Duration::from_secs(10);

/// Where a nats-server listens and keeps its files.
#[derive(Debug, Clone)]
pub struct Place {
    /// Configuration, log and streams.
    pub folder: PathBuf,
    /// Port 0 takes any free one.
    pub listen: SocketAddr,
    pub websocket: SocketAddr,
}

/// A nats-server that runs until it is stopped or dropped.
#[derive(Debug)]
pub struct NatsServer {
    child: Child,
    pub url: String,
    pub websocket_url: String,
}

impl NatsServer {
    /// Starts `binary` and returns once it takes connections.
    pub async fn start(binary: &Path, place: &Place, keys: &Keys) -> Result<Self> {
        stop_leftover(place).await?;
        check_free(place.listen, "--nats-listen")?;
        check_free(place.websocket, "--websocket-listen")?;
        let (mut child, log) = spawn(binary, place, keys)?;
        match ports(&mut child, place).await {
            Ok(ports) => Ok(Self {
                child,
                url: ports.nats.into_iter().next().context("nats-server named no address")?,
                websocket_url: ports.websocket.into_iter().next().context("nats-server has no WebSocket")?,
            }),
            Err(error) => {
                let _ = child.kill().await;
                // It ends when nats-server has said its last word.
                let _ = log.await;
                Err(error.context(last_words(place)))
            }
        }
    }

    /// The process, for tests that kill or freeze it.
    pub fn pid(&self) -> Option<u32> {
        self.child.id()
    }

    /// Waits for the process to end by itself.
    pub async fn ended(&mut self) -> std::io::Result<std::process::ExitStatus> {
        self.child.wait().await
    }

    /// Asks it to stop and waits until it has.
    pub async fn stop(mut self) -> Result<()> {
        if let Some(pid) = self.child.id().and_then(pid_of) {
            kill_process(pid, Signal::TERM)?;
        }
        if timeout(STOP_TIMEOUT, self.child.wait()).await.is_err() {
            self.child.kill().await?;
        }
        Ok(())
    }
}

/// The nats-server to run: the one given, else the one on PATH. Too old a one is an error that says so.
pub fn find(given: Option<&Path>) -> Result<PathBuf> {
    let binary = given.map_or_else(|| PathBuf::from("nats-server"), Path::to_owned);
    let output =
        BlockingCommand::new(&binary).arg("--version").stdin(Stdio::null()).output().with_context(|| {
            format!(
                "cannot run {}: start through ./justw, which installs it, or set KEZ_NATS_SERVER",
                binary.display()
            )
        })?;
    let text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    let version = parse_version(&text).with_context(|| format!("cannot tell a version from {text:?}"))?;
    ensure!(
        version >= OLDEST,
        "{text} is too old: Kez needs 2.15.1 or newer (Debian 12's own is 2.9, too old for an auth callout). Start \
         through ./justw, which installs the right one, or set KEZ_NATS_SERVER"
    );
    Ok(binary)
}

fn parse_version(text: &str) -> Option<(u32, u32, u32)> {
    let numbers = text.rsplit('v').next()?.split('-').next()?;
    let mut numbers = numbers.split('.').map(|number| number.parse().ok());
    Some((numbers.next()??, numbers.next()??, numbers.next()??))
}

/// Says in words, and early, that an address is taken.
pub fn check_free(address: SocketAddr, flag: &str) -> Result<()> {
    match TcpListener::bind(address) {
        Ok(_) => Ok(()),
        Err(error) => bail!("{address} cannot be used ({error}): choose another with {flag}"),
    }
}

fn spawn(binary: &Path, place: &Place, keys: &Keys) -> Result<(Child, JoinHandle<()>)> {
    private_folder(&place.folder)?;
    forget_ports(place)?;
    for (name, text) in CONFIGURATION {
        private_file(&place.folder.join(name), text)?;
    }
    private_file(&log_file(place), "")?;
    let file = fs::OpenOptions::new().append(true).open(log_file(place))?;
    // Quoted, since the configuration reads these as its own syntax.
    let quoted = |text: String| format!("\"{text}\"");
    let listen = |address: SocketAddr| match address.port() {
        0 => format!("{}:-1", address.ip()),
        _ => address.to_string(),
    };
    let mut child = Command::new(binary)
        .arg("-c")
        .arg(config_file(place))
        .envs(keys.environment().iter().map(|(name, key)| (name, key)))
        .env("KEZ_NATS_LISTEN", quoted(listen(place.listen)))
        .env("KEZ_NATS_WEBSOCKET_LISTEN", quoted(listen(place.websocket)))
        .env("KEZ_NATS_PID_FILE", quoted(pid_file(place).display().to_string()))
        .env("KEZ_NATS_STATE_DIR", quoted(place.folder.display().to_string()))
        .env("KEZ_NATS_STORE_DIR", quoted(place.folder.join("streams").display().to_string()))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        // Its own group: Ctrl-C reaches us alone, and we stop the services before their broker.
        .process_group(0)
        .kill_on_drop(true)
        .spawn()
        .with_context(|| format!("cannot start {}", binary.display()))?;
    let words = child.stderr.take().context("nats-server has nothing to say")?;
    Ok((child, tokio::spawn(keep_log(words, file))))
}

/// Keeps what nats-server says, until it ends, but not of those who connect.
async fn keep_log(words: ChildStderr, mut file: fs::File) {
    let (mut words, mut line) = (BufReader::new(words), Vec::new());
    while words.read_until(b'\n', &mut line).await.is_ok_and(|length| length > 0) {
        if !is_about_a_client(&String::from_utf8_lossy(&line)) {
            // A full disk must not stop the broker's own work.
            let _ = file.write_all(&line);
        }
        line.clear();
    }
}

/// Such lines name addresses and keys. Why a sign-in is refused, the auth callout logs without either.
fn is_about_a_client(line: &str) -> bool {
    [" - cid:", " - wid:"].iter().any(|tag| line.contains(tag))
}

#[derive(Deserialize)]
struct Ports {
    #[serde(default)]
    nats: Vec<String>,
    #[serde(default)]
    websocket: Vec<String>,
}

/// What one left behind that was killed; the next could have its process id.
fn forget_ports(place: &Place) -> Result<()> {
    for entry in fs::read_dir(&place.folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "ports") {
            fs::remove_file(&path)?;
        }
    }
    Ok(())
}

/// nats-server writes the ports that it took to a file as soon as it listens on them.
async fn ports(child: &mut Child, place: &Place) -> Result<Ports> {
    let pid = child.id().context("nats-server ended at once")?;
    let file = place.folder.join(format!("nats-server_{pid}.ports"));
    let deadline = Instant::now() + START_TIMEOUT;
    while Instant::now() < deadline {
        if let Some(status) = child.try_wait()? {
            bail!("nats-server ended with {status}");
        }
        if let Some(ports) = fs::read_to_string(&file).ok().and_then(|text| serde_json::from_str(&text).ok())
        {
            return Ok(ports);
        }
        sleep(Duration::from_millis(2)).await;
    }
    bail!("nats-server did not start within {} s", START_TIMEOUT.as_secs())
}

/// A nats-server of this folder that outlived a `kez up` which was killed.
async fn stop_leftover(place: &Place) -> Result<()> {
    let Some(pid) = fs::read_to_string(pid_file(place)).ok().and_then(|text| text.trim().parse().ok()) else {
        return Ok(());
    };
    let Some(process) = pid_of(pid).filter(|_| runs_here(pid, place)) else { return Ok(()) };
    kill_process(process, Signal::TERM)?;
    let deadline = Instant::now() + STOP_TIMEOUT;
    while runs_here(pid, place) {
        ensure!(
            Instant::now() < deadline,
            "a nats-server of an earlier run (process {pid}) does not stop: end it"
        );
        sleep(Duration::from_millis(10)).await;
    }
    Ok(())
}

/// Whether a process is a nats-server of this folder. One that has ended has no command line any more, even where nobody
/// has taken note of its end.
fn runs_here(pid: u32, place: &Place) -> bool {
    let command = fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    command.split('\0').any(|argument| argument == config_file(place).as_os_str())
}

/// The last error in nats-server's log.
fn last_words(place: &Place) -> String {
    let log = fs::read_to_string(log_file(place)).unwrap_or_default();
    let line = log
        .lines()
        .rev()
        .find(|line| line.contains("[FTL]") || line.contains("[ERR]") || line.starts_with("nats-server:"));
    format!(
        "nats-server cannot start: {} (all of it: {})",
        line.unwrap_or("no reason given"),
        log_file(place).display()
    )
}

fn pid_of(pid: u32) -> Option<Pid> {
    Pid::from_raw(i32::try_from(pid).ok()?)
}

fn config_file(place: &Place) -> PathBuf {
    place.folder.join("server.conf")
}

fn pid_file(place: &Place) -> PathBuf {
    place.folder.join("nats-server.pid")
}

fn log_file(place: &Place) -> PathBuf {
    place.folder.join("nats-server.log")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_about_clients_are_known() {
        for line in [
            r#"[7] 2026/11/20 09:20:53.096528 [ERR] 127.0.0.1:53194 - cid:23 - authentication error - Nkey "UCZPMB""#,
            r#"[7] 2026/11/20 09:20:53.096528 [ERR] [::1]:53194 - wid:9 - "v3:nats.ws" - Slow Consumer Detected"#,
        ] {
            assert!(is_about_a_client(line), "{line}");
        }
        assert!(!is_about_a_client("[7] 2026/11/20 09:20:50.532994 [INF] Server is ready"));
        assert!(!is_about_a_client("[7] 2026/11/20 09:20:50.5 [FTL] Can't listen: address already in use"));
    }

    #[test]
    fn versions_are_told_apart() {
        assert_eq!(parse_version("nats-server: v2.15.1"), Some((2, 15, 1)));
        assert_eq!(parse_version("nats-server: v2.9.10-beta"), Some((2, 9, 10)));
        assert_eq!(parse_version("no version"), None);
        assert!((2, 9, 10) < OLDEST && (2, 15, 1) >= OLDEST);
    }
}
