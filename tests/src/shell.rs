//! Somebody who types `kez …`: a home with an identity in it, and the server of a mesh.

use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStderr, ChildStdout, Stdio};

use kez::identity::{Identity, Passphrase};
use kez_crypto::SecretKey;
use serde_json::Value;
use tempfile::TempDir;

use crate::command::{self, Done};
use crate::mesh::Mesh;

const PASSPHRASE: &str = "correct horse battery";

pub struct Shell {
    home: TempDir,
    server: Option<String>,
}

impl Shell {
    /// Somebody who knows the mesh's gateway, and whose identity has that key.
    pub fn of(mesh: &Mesh, secret: &SecretKey) -> Self {
        Self { server: Some(mesh.http()), ..Self::offline(secret) }
    }

    /// Somebody who has an identity and no server.
    pub fn offline(secret: &SecretKey) -> Self {
        let shell = Self { home: tempfile::tempdir().unwrap(), server: None };
        let identity = Identity { key: secret.clone(), phrase: None, device_of: None };
        let passphrase = Passphrase::from(PASSPHRASE.to_owned());
        identity.save(&shell.path(".config/kez/identity.json"), &passphrase, false).unwrap();
        shell
    }

    /// A file in the home.
    pub fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    /// Types a command and waits for its end. Whatever else runs in this test goes on.
    pub fn kez(&self, arguments: &[&str]) -> Done {
        tokio::task::block_in_place(|| command::kez(self.home.path(), arguments, &self.variables()))
    }

    /// The same, with something on standard input.
    pub fn kez_reading(&self, arguments: &[&str], input: &[u8]) -> Done {
        tokio::task::block_in_place(|| {
            let path = self.path("input");
            std::fs::File::create(&path).unwrap().write_all(input).unwrap();
            command::kez_reading(self.home.path(), arguments, &self.variables(), &path)
        })
    }

    /// Types a command that goes on until it is dropped.
    pub fn begin(&self, arguments: &[&str]) -> Ongoing {
        let mut command = command::command(self.home.path(), "kez");
        command.args(arguments).envs(self.variables()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let stderr = BufReader::new(child.stderr.take().unwrap());
        Ongoing { child, stdout, stderr }
    }

    fn variables(&self) -> Vec<(&str, &str)> {
        let mut variables = vec![("KEZ_PASSPHRASE", PASSPHRASE)];
        variables.extend(self.server.as_deref().map(|url| ("KEZ_URL", url)));
        variables
    }
}

/// A command that goes on.
pub struct Ongoing {
    child: Child,
    stdout: BufReader<ChildStdout>,
    stderr: BufReader<ChildStderr>,
}

impl Ongoing {
    /// Its next line of JSON.
    pub fn next_line(&mut self) -> Value {
        let mut line = String::new();
        tokio::task::block_in_place(|| self.stdout.read_line(&mut line).unwrap());
        serde_json::from_str(&line).unwrap_or_else(|_| panic!("{line:?}: {:?}", self.child.try_wait()))
    }

    /// The next line that it says to whoever sits there.
    pub fn next_warning(&mut self) -> String {
        let mut line = String::new();
        tokio::task::block_in_place(|| self.stderr.read_line(&mut line).unwrap());
        line
    }

    /// Its end, by itself.
    pub fn end(mut self) -> Option<i32> {
        tokio::task::block_in_place(|| self.child.wait().unwrap().code())
    }
}

impl Drop for Ongoing {
    fn drop(&mut self) {
        // It may have ended by itself.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
