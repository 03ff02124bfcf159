//! Services as processes of their own, for tests that kill them.

use std::fs::{self, File};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};

use crate::mesh::Mesh;

/// A service's own binary, killed when this is dropped.
pub struct Process {
    child: Child,
    /// What it logs, where that is kept.
    log: Option<PathBuf>,
}

impl Process {
    /// Starts `kez-<service>` with its own key on the mesh's broker.
    pub fn start(mesh: &Mesh, service: &str, flags: &[&str]) -> Self {
        let child = command(mesh, service, flags).env("KEZ_LOG", "warn").spawn().unwrap();
        Self { child, log: None }
    }

    /// The same with these variables, and what it logs is kept.
    pub fn logged(mesh: &Mesh, service: &str, flags: &[&str], variables: &[(&str, &str)]) -> Self {
        let log = mesh.folder().join(format!("kez-{service}.log"));
        let output = File::create(&log).unwrap();
        let child = command(mesh, service, flags)
            .envs(variables.iter().copied())
            .stdout(output.try_clone().unwrap())
            .stderr(output)
            .spawn()
            .unwrap();
        Self { child, log: Some(log) }
    }

    /// SIGKILL: the process has no chance to do anything any more.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// SIGTERM: the process finishes what it has begun. Answers whether it ended well.
    pub fn stop(mut self) -> bool {
        signal(self.child.id(), Signal::TERM);
        self.child.wait().unwrap().success()
    }

    /// SIGTERM, and all that it logged until it ended well.
    pub fn stop_and_tell(mut self) -> String {
        let log = self.log.take().expect("its log is kept");
        assert!(self.stop(), "it ended well");
        fs::read_to_string(log).unwrap()
    }

    /// SIGSTOP: the process is there, and does nothing.
    pub fn freeze(&self) {
        signal(self.child.id(), Signal::STOP);
    }

    /// SIGCONT: it goes on where it was.
    pub fn thaw(&self) {
        signal(self.child.id(), Signal::CONT);
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn command(mesh: &Mesh, service: &str, flags: &[&str]) -> Command {
    let mut command = Command::new(binary(&format!("kez-{service}")));
    command
        .arg("--nats-url")
        .arg(&mesh.plan.nats_url)
        .arg("--nats-seed-file")
        .arg(mesh.keys.seed_file(service))
        .args(flags)
        .stdin(Stdio::null());
    command
}

/// A binary of this workspace, as `cargo build --workspace --bins` left it beside the tests.
pub fn binary(name: &str) -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let folder = test.ancestors().nth(2).expect("tests run from target/<profile>/deps");
    let path = folder.join(name);
    assert!(path.exists(), "{} is missing: run cargo build --workspace --bins first", path.display());
    path
}

/// SIGKILL by number.
pub fn kill(pid: u32) {
    signal(pid, Signal::KILL);
}

pub(crate) fn signal(pid: u32, signal: Signal) {
    let pid = Pid::from_raw(i32::try_from(pid).unwrap()).unwrap();
    kill_process(pid, signal).unwrap();
}
