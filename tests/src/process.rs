//! Services as processes of their own, for tests that kill them.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};

use crate::mesh::Mesh;

/// A service's own binary, killed when this is dropped.
pub struct Process {
    child: Child,
}

impl Process {
    /// Starts `kez-<service>` with its own key on the mesh's broker.
    pub fn start(mesh: &Mesh, service: &str, flags: &[&str]) -> Self {
        let child = Command::new(binary(&format!("kez-{service}")))
            .arg("--nats-url")
            .arg(&mesh.plan.nats_url)
            .arg("--nats-seed-file")
            .arg(mesh.keys.seed_file(service))
            .args(flags)
            .env("KEZ_LOG", "warn")
            .stdin(Stdio::null())
            .spawn()
            .unwrap();
        Self { child }
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

fn signal(pid: u32, signal: Signal) {
    let pid = Pid::from_raw(i32::try_from(pid).unwrap()).unwrap();
    kill_process(pid, signal).unwrap();
}
