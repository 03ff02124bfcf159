//! The command `kez` as people run it: a process with a home, variables, output and an exit code.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use serde_json::Value;

use crate::process::{binary, signal};

/// Any free port for each listener.
const ANY_PORTS: [&str; 3] =
    ["--listen=127.0.0.1:0", "--nats-listen=127.0.0.1:0", "--websocket-listen=127.0.0.1:0"];

/// Whoever takes longer does not end at all.
const PATIENCE: Duration = Duration::from_secs(40);

/// What a command left behind.
#[derive(Debug)]
pub struct Done {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Done {
    /// The output of a command that went well.
    #[track_caller]
    pub fn well(self) -> String {
        assert_eq!(self.code, Some(0), "{self:?}");
        self.stdout
    }

    /// Its one JSON object a line.
    #[track_caller]
    pub fn json(self) -> Vec<Value> {
        let text = self.well();
        text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("{line}"))).collect()
    }

    /// The one line that says why it went wrong; what services log beside it is for others.
    #[track_caller]
    pub fn one_line(self, code: i32) -> String {
        let logged = |line: &&str| line.starts_with("20") && line.contains("  WARN ");
        let said: Vec<&str> = self.stderr.lines().filter(|line| !logged(line)).collect();
        assert!(self.code == Some(code) && said.len() == 1, "{self:?}");
        said[0].strip_prefix("error: ").unwrap_or_else(|| panic!("{self:?}")).to_owned()
    }
}

/// Runs `kez` to its end, with only these variables and a home of its own.
pub fn kez(home: &Path, arguments: &[&str], variables: &[(&str, &str)]) -> Done {
    run(command(home, "kez").args(arguments).envs(variables.iter().copied()))
}

/// The same, with a file as its standard input.
pub fn kez_reading(home: &Path, arguments: &[&str], variables: &[(&str, &str)], input: &Path) -> Done {
    let input = fs::File::open(input).unwrap();
    run(command(home, "kez").args(arguments).envs(variables.iter().copied()).stdin(input))
}

/// Runs a service's own binary to its end.
pub fn service(home: &Path, name: &str, arguments: &[&str], variables: &[(&str, &str)]) -> Done {
    run(command(home, &format!("kez-{name}")).args(arguments).envs(variables.iter().copied()))
}

/// `kez up`, ready.
pub struct Up {
    child: Child,
    /// Kept open: whoever closes it would end a program that goes on writing.
    _stdout: BufReader<ChildStdout>,
    errors: PathBuf,
    pub web: String,
    pub nats: String,
    pub websocket: String,
    /// From typing it to being told that it is up.
    pub took: Duration,
}

impl Up {
    /// Starts it on a data folder and any free ports, and waits until it is ready; or what it left behind.
    pub fn start(
        home: &Path,
        data: &Path,
        arguments: &[&str],
        variables: &[(&str, &str)],
    ) -> Result<Self, Done> {
        let begun = Instant::now();
        let mut command = up(home, data, arguments, variables);
        let errors = home.join("up.log");
        let mut child =
            command.stdout(Stdio::piped()).stderr(fs::File::create(&errors).unwrap()).spawn().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut said = String::new();
        while !said.contains("In another terminal") {
            if stdout.read_line(&mut said).unwrap() == 0 {
                let code = child.wait().unwrap().code();
                return Err(Done { code, stdout: said, stderr: fs::read_to_string(errors).unwrap() });
            }
        }
        let took = begun.elapsed();
        let after = |label: &str| {
            let line = said.lines().find_map(|line| line.trim_start().strip_prefix(label));
            line.unwrap_or_else(|| panic!("{said}")).trim().split(',').next().unwrap_or_default().to_owned()
        };
        let (web, nats, websocket) = (after("web, HTTP"), after("NATS"), after("WebSocket"));
        Ok(Self { child, _stdout: stdout, errors, web, nats, websocket, took })
    }

    /// Starts it and does not wait for anything.
    pub fn begin(home: &Path, data: &Path) -> Child {
        up(home, data, &[], &[]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
    }

    /// Ctrl-C, or another signal, and what it left behind.
    pub fn end(self, with: Signal) -> Done {
        signal(self.child.id(), with);
        self.wait()
    }

    /// What it leaves behind when it ends by itself.
    pub fn wait(mut self) -> Done {
        let code = self.child.wait().unwrap().code();
        Done { code, stdout: String::new(), stderr: fs::read_to_string(&self.errors).unwrap() }
    }
}

impl Drop for Up {
    fn drop(&mut self) {
        // It may have ended already. Ctrl-C rather than a kill, for it has a child of its own.
        if let Ok(None) = self.child.try_wait() {
            signal(self.child.id(), Signal::INT);
            let _ = self.child.wait();
        }
    }
}

fn up(home: &Path, data: &Path, arguments: &[&str], variables: &[(&str, &str)]) -> Command {
    let mut command = command(home, "kez");
    command.arg("up").arg("--data").arg(data).envs(variables.iter().copied());
    // What is said later counts.
    let given = |flag: &str| arguments.iter().any(|argument| argument.starts_with(flag));
    for flag in ANY_PORTS.iter().filter(|flag| !given(flag.split('=').next().unwrap_or_default())) {
        command.arg(flag);
    }
    command.args(arguments);
    command
}

/// The command with only a home and nothing on standard input.
pub(crate) fn command(home: &Path, name: &str) -> Command {
    let mut command = Command::new(binary(name));
    command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default()).env("HOME", home);
    command.env("KEZ_LOG", "warn").stdin(Stdio::null());
    command
}

/// Runs something that ends soon.
fn run(command: &mut Command) -> Done {
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let pid = child.id();
    let (done, ended) = mpsc::channel();
    std::thread::spawn(move || done.send(child.wait_with_output().unwrap()));
    let Ok(output) = ended.recv_timeout(PATIENCE) else {
        signal(pid, Signal::KILL);
        panic!("{command:?} does not end")
    };
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Done { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
}
