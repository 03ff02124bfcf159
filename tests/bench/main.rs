//! `kez-bench`: measures the mesh and the raw limit of the same machine in the same run, and prints one table.
//!
//! Ours is `kez up` in a process of its own; raw is the same nats-server asked directly. Each figure is the median of
//! several runs. Load generator, services and broker share the machine, so figures are those of the whole of it.

#![expect(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a benchmark that cannot do its work ends at once"
)]

mod bed;
mod chains;
mod fetch;
mod http;
mod latency;
mod load;
mod people;
mod pushes;
mod report;
mod sends;
mod sign_ins;

use std::path::PathBuf;

use clap::Parser;

use report::{Report, Row};

/// Measure the mesh
#[derive(Parser)]
struct Arguments {
    /// Rows to run, by name or by the beginning of a name [default: all]
    rows: Vec<String>,

    /// Runs a row; the median counts
    #[arg(long, default_value_t = 3)]
    runs: usize,

    /// Write a line a row to this file, as JSON
    #[arg(long)]
    json: Option<PathBuf>,

    /// List the rows
    #[arg(long)]
    list: bool,
}

/// What can be measured: a name, and what measures it. One group may give several rows.
const GROUPS: [(&str, &[&str]); 11] = [
    ("sends", &["send-512", "send-64"]),
    ("latency", &["latency-p50", "latency-p99"]),
    ("http", &["http-send"]),
    ("sign-ins", &["sign-in"]),
    ("idle", &["idle-mesh-memory"]),
    ("people", &["idle-people-memory", "deliver-10000"]),
    ("pushes", &["push-10000", "push-memory", "push-p50"]),
    ("appends", &["append-512"]),
    ("chains", &["chain-1000", "head-p50"]),
    ("fetch-1", &["fetch-1-warm", "fetch-1-p99", "fetch-1-idle"]),
    ("fetch-16", &["fetch-16-warm", "fetch-16-p99", "fetch-16-idle"]),
];

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    if arguments.list {
        GROUPS.iter().flat_map(|(_, rows)| rows.iter()).for_each(|row| println!("{row}"));
        return Ok(());
    }
    rlimit::increase_nofile_limit(u64::MAX)?;
    let wanted = |rows: &[&str]| {
        arguments.rows.is_empty()
            || rows.iter().any(|row| arguments.rows.iter().any(|wanted| row.starts_with(wanted.as_str())))
    };
    let groups: Vec<_> = GROUPS.iter().filter(|(_, rows)| wanted(rows)).map(|(group, _)| *group).collect();
    anyhow::ensure!(!groups.is_empty(), "no such row; see --list");
    let mut report = Report::default();
    for group in groups {
        eprintln!("measuring {group} …");
        for row in measure(group, arguments.runs).await? {
            eprintln!("  {row}");
            report.add(row);
        }
    }
    println!("{report}");
    if let Some(path) = &arguments.json {
        report.write(path)?;
    }
    Ok(())
}

async fn measure(group: &str, runs: usize) -> anyhow::Result<Vec<Row>> {
    match group {
        "sends" => sends::measure(runs).await,
        "latency" => latency::measure(runs).await,
        "http" => http::measure(runs).await,
        "sign-ins" => sign_ins::measure(runs).await,
        "idle" => people::idle_mesh(runs).await,
        "people" => people::measure(runs).await,
        "pushes" => pushes::measure(runs).await,
        "appends" => chains::appends(runs).await,
        "chains" => chains::reads(runs).await,
        "fetch-1" => fetch::measure(1, runs).await,
        _ => fetch::measure(16, runs).await,
    }
}
