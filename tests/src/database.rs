//! A disposable database: a SQLite file, or PostgreSQL where it is installed or `DATABASE_URL` names one.

use std::fs;
use std::future::Future;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::fs::{MetadataExt, chown};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use kez_service::random;
use rustix::process::{Pid, Signal, kill_process};
use sqlx::{Connection, Executor, PgConnection};
use tempfile::TempDir;

/// `nobody`: PostgreSQL does not run as root.
const UNPRIVILEGED: u32 = 65534;

/// A database of one test's own, gone when this is dropped.
pub struct Database {
    pub url: String,
    kept: Kept,
}

enum Kept {
    /// In a folder that vanishes.
    File(#[expect(dead_code, reason = "dropped last, and never read")] TempDir),
    /// On a server of our own.
    Server(Postgres),
    /// On somebody else's server, which is asked to drop it.
    Elsewhere { server: String, name: String },
}

impl Database {
    /// A SQLite file.
    pub fn sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}?mode=rwc", folder.path().join("registry.db").display());
        Self { url, kept: Kept::File(folder) }
    }

    /// A PostgreSQL database, or none, with the reason printed.
    pub fn postgres() -> Option<Self> {
        #[expect(clippy::disallowed_methods, reason = "a test has no flags")]
        match std::env::var("DATABASE_URL") {
            Ok(server) if server.starts_with("postgres") => Some(Self::elsewhere(server)),
            _ => Postgres::installed().map(Self::own_postgres),
        }
    }

    /// A PostgreSQL server of the test's own, which it may stop, or none, with the reason printed.
    pub fn own_server() -> Option<Self> {
        Postgres::installed().map(Self::own_postgres)
    }

    /// Stops the server as a power failure would. Only of a server of the test's own.
    pub fn stop(&mut self) {
        self.server().stop();
    }

    /// Starts it again.
    pub fn start(&mut self) {
        self.server().start();
    }

    /// The server is there, and does nothing.
    pub fn freeze(&mut self) {
        self.server().signal(Signal::STOP);
    }

    /// It goes on.
    pub fn thaw(&mut self) {
        self.server().signal(Signal::CONT);
    }

    fn own_postgres(programs: PathBuf) -> Self {
        let server = Postgres::new(programs);
        Self { url: server.url(), kept: Kept::Server(server) }
    }

    fn elsewhere(server: String) -> Self {
        let name = format!("kez_test_{:032x}", u128::from_le_bytes(random::bytes()));
        command(&server, format!("CREATE DATABASE {name}")).unwrap();
        Self { url: with_database(&server, &name), kept: Kept::Elsewhere { server, name } }
    }

    fn server(&mut self) -> &mut Postgres {
        match &mut self.kept {
            Kept::Server(server) => server,
            _ => panic!("only a server of the test's own can be stopped"),
        }
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        if let Kept::Elsewhere { server, name } = &self.kept
            && let Err(error) = command(server, format!("DROP DATABASE {name} WITH (FORCE)"))
        {
            eprintln!("{name} could not be dropped: {error}");
        }
    }
}

/// A PostgreSQL server on a socket in a folder that vanishes.
struct Postgres {
    programs: PathBuf,
    folder: TempDir,
    child: Option<Child>,
}

impl Postgres {
    /// The folder of its programs, or none, with the reason printed.
    fn installed() -> Option<PathBuf> {
        let found = folders().into_iter().find(|folder| folder.join("initdb").is_file());
        if found.is_none() {
            eprintln!("skipped: PostgreSQL is not installed (no initdb), and DATABASE_URL names none");
        }
        found
    }

    fn new(programs: PathBuf) -> Self {
        let folder = tempfile::Builder::new().prefix("kez-pg").tempdir().unwrap();
        if is_root() {
            chown(folder.path(), Some(UNPRIVILEGED), Some(UNPRIVILEGED)).unwrap();
        }
        let mut postgres = Self { programs, folder, child: None };
        let mut initdb = postgres.program("initdb");
        initdb.args(["--username=kez", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync"]);
        let made = initdb.output().unwrap();
        assert!(made.status.success(), "initdb: {}", String::from_utf8_lossy(&made.stderr));
        postgres.start();
        postgres
    }

    fn url(&self) -> String {
        let socket = self.folder.path().display().to_string().replace('/', "%2F");
        format!("postgres://kez@localhost/postgres?host={socket}")
    }

    /// Returns when it takes connections.
    fn start(&mut self) {
        let mut command = self.program("postgres");
        command.arg("-k").arg(self.folder.path());
        // It has a socket and no port, so no two tests want the same one.
        command.args(["-c", "listen_addresses=", "-c", "fsync=off", "-c", "max_connections=200"]);
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        let mut log = BufReader::new(child.stderr.take().unwrap());
        let mut lines = String::new();
        while !lines.contains("ready to accept connections") {
            assert!(log.read_line(&mut lines).unwrap() > 0, "postgres does not start: {lines}");
        }
        // Read on, so that it never waits for somebody to read its log.
        std::thread::spawn(move || log.read_to_end(&mut Vec::new()));
        self.child = Some(child);
    }

    fn stop(&mut self) {
        let mut child = self.child.take().expect("postgres runs");
        kill_process(pid(child.id()), Signal::QUIT).unwrap();
        child.wait().unwrap();
    }

    /// To the server and to the processes that it has started for its connections.
    fn signal(&self, signal: Signal) {
        let server = self.child.as_ref().expect("postgres runs").id();
        kill_process(pid(server), signal).unwrap();
        let children = fs::read_to_string(format!("/proc/{server}/task/{server}/children")).unwrap();
        for child in children.split_whitespace() {
            // It may have ended since.
            let _ = kill_process(pid(child.parse().unwrap()), signal);
        }
    }

    fn program(&self, name: &str) -> Command {
        let mut command = Command::new(self.programs.join(name));
        command.arg("-D").arg(self.folder.path().join("data")).stdin(Stdio::null()).stdout(Stdio::null());
        if is_root() {
            command.uid(UNPRIVILEGED).gid(UNPRIVILEGED);
        }
        command
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        if self.child.is_some() {
            self.signal(Signal::CONT);
            self.stop();
        }
    }
}

/// Where PostgreSQL's programs may be: on PATH, or where Debian keeps them, the newest first.
fn folders() -> Vec<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    let mut debian: Vec<PathBuf> = fs::read_dir("/usr/lib/postgresql")
        .map(|versions| versions.flatten().map(|version| version.path().join("bin")).collect())
        .unwrap_or_default();
    debian.sort();
    folders.extend(debian.into_iter().rev());
    folders
}

fn is_root() -> bool {
    fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0)
}

fn pid(number: u32) -> Pid {
    Pid::from_raw(i32::try_from(number).unwrap()).unwrap()
}

/// The same server's database of another name.
fn with_database(url: &str, name: &str) -> String {
    let (address, options) =
        url.split_once('?').map_or((url, None), |(address, options)| (address, Some(options)));
    let base =
        address.rsplit_once('/').filter(|(base, _)| !base.ends_with('/')).map_or(address, |(base, _)| base);
    options.map_or_else(|| format!("{base}/{name}"), |options| format!("{base}/{name}?{options}"))
}

/// Runs one statement, also where no runtime is left.
fn command(url: &str, statement: String) -> Result<(), sqlx::Error> {
    let url = url.to_owned();
    block_on(async move {
        let mut connection = PgConnection::connect(&url).await?;
        connection.execute(sqlx::AssertSqlSafe(statement)).await?;
        connection.close().await
    })
}

fn block_on<T: Send + 'static>(work: impl Future<Output = T> + Send + 'static) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    std::thread::spawn(move || runtime.block_on(work)).join().unwrap()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_is_named_in_its_url() {
        assert_eq!(with_database("postgres://u:p@h:1/a?x=y", "b"), "postgres://u:p@h:1/b?x=y");
        assert_eq!(with_database("postgres://h/a", "b"), "postgres://h/b");
        assert_eq!(with_database("postgres://h", "b"), "postgres://h/b");
    }
}
