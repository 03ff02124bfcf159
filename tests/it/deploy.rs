//! The example environments: each holds only variables that its service knows, and starts it on a broker of one node.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tests::broker::free_addresses;
use tests::process::binary;
use tests::{Mesh, operator};
use tokio::net::TcpStream;

const PATIENCE: Duration = Duration::from_secs(20);

/// The examples: whose they are, and their text.
fn examples() -> BTreeMap<String, String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/env");
    let paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let service = |path: &PathBuf| path.file_stem().unwrap().to_str().unwrap().to_owned();
    let examples: BTreeMap<_, _> =
        paths.map(|path| (service(&path), fs::read_to_string(path).unwrap())).collect();
    assert_eq!(examples.len(), 6, "one for each service");
    examples
}

fn variables(example: &str) -> impl Iterator<Item = (&str, &str)> {
    example.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once('='))
}

#[test]
fn example_environments_name_variables_that_exist() {
    for (service, example) in examples() {
        let help = Command::new(binary(&format!("kez-{service}"))).arg("--help").output().unwrap();
        let help = String::from_utf8(help.stdout).unwrap();
        for (variable, _) in variables(&example) {
            assert!(help.contains(variable), "kez-{service} does not know {variable}");
        }
    }
}

/// Ended with the test.
struct Started(Child);

impl Drop for Started {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn services_start_with_the_examples_on_one_node() {
    let mesh = Mesh::broker().await;
    let operator = mesh.user("operator").await;
    let [web] = free_addresses();
    let mut running = Vec::new();
    for (service, example) in examples() {
        // What is particular to the machine is the test's own; all else is as it stands there.
        let example = example
            .replace("nats://127.0.0.1:4222", &mesh.plan.nats_url)
            .replace("ws://127.0.0.1:4223", &mesh.plan.nats_websocket_url)
            .replace("/etc/kez/keys", mesh.folder().join("keys").to_str().unwrap())
            .replace("postgres://kez:password@127.0.0.1/kez", &mesh.plan.database_url)
            .replace("127.0.0.1:8080", &web.to_string())
            .replace("127.0.0.1:9090", "127.0.0.1:0");
        let log = File::create(mesh.folder().join(&service)).unwrap();
        let child = Command::new(binary(&format!("kez-{service}")))
            .env_clear()
            .envs(variables(&example))
            .current_dir(mesh.folder())
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn();
        running.push(Started(child.unwrap()));
        if service == "gateway" {
            until_listening(&web.to_string()).await;
        } else {
            operator::until_replicas(&operator, &service, 1).await;
        }
    }
    for service in &mut running {
        assert_eq!(service.0.try_wait().unwrap(), None, "it goes on");
    }
}

async fn until_listening(address: &str) {
    let deadline = Instant::now() + PATIENCE;
    while TcpStream::connect(address).await.is_err() {
        assert!(Instant::now() < deadline, "nobody listens");
    }
}
