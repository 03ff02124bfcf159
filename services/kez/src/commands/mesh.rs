//! `kez mesh`: which services run, and how they do.

use std::collections::BTreeMap;
use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use std::time::Duration;

use async_nats::Client;
use async_nats::service::Stats;
use clap::Args;
use kez_contract::roll_call::STATS;
use kez_service::{NatsConfig, connect, roll_call};
use serde::Serialize;

use crate::failure::{Exit, Failure};
use crate::output::{Output, table};
use crate::visible;

/// How long replicas may take to answer the roll call.
const PATIENCE: Duration = Duration::from_millis(400);

const REFRESH: Duration = Duration::from_secs(1);

/// Watch the services: replicas, requests, errors, latency (for operators)
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  kez mesh\n  kez mesh --once --endpoints\n  kez mesh --json | jq .replicas\n\n\
    On a terminal it is drawn anew every second, until Ctrl-C. Errors count refusals, too."
)]
pub struct MeshArgs {
    /// Draw it once
    #[arg(long)]
    once: bool,

    /// A line an endpoint
    #[arg(long)]
    endpoints: bool,

    /// URL of the NATS server
    #[arg(
        long = "nats-url",
        env = "KEZ_NATS_URL",
        value_name = "KEZ_NATS_URL",
        default_value = "nats://127.0.0.1:4222"
    )]
    nats_url: String,

    /// File that holds the operator's nkey seed
    #[arg(
        long,
        env = "KEZ_OPERATOR_SEED_FILE",
        value_name = "KEZ_OPERATOR_SEED_FILE",
        default_value = "data/keys/operator.nk"
    )]
    operator_seed_file: PathBuf,

    #[command(flatten)]
    pub output: Output,
}

pub async fn run(args: MeshArgs) -> Result<(), Failure> {
    let seed_file = &args.operator_seed_file;
    if !seed_file.exists() {
        let message = format!("there is no operator's key at {}", seed_file.display());
        return Err(Failure::new(Exit::NotFound, "no_operator_key", message)
            .advise("run it where kez up runs, or name the file with --operator-seed-file"));
    }
    let config = NatsConfig { url: args.nats_url.clone(), seed_file: seed_file.clone(), concurrency: 1 };
    let nats = connect("operator", &config).await.map_err(|error| {
        Failure::new(Exit::Unavailable, "unreachable", format!("{error:#}"))
            .advise("is it running? ./justw up starts one here")
    })?;
    let is_watched = !args.once && !args.output.json && std::io::stdout().is_terminal();
    loop {
        let services = roll_call(&nats).await?;
        if is_watched {
            // Home, draw, clear what is left of the last picture: no flicker.
            print!("\u{1b}[H{}\u{1b}[J", picture(&services, args.endpoints).replace('\n', "\u{1b}[K\n"));
            std::io::stdout().flush()?;
            tokio::time::sleep(REFRESH).await;
            continue;
        }
        return print_once(&services, &args);
    }
}

fn print_once(services: &[ServiceState], args: &MeshArgs) -> Result<(), Failure> {
    if args.output.json {
        return services.iter().try_for_each(|service| args.output.item(service, String::new));
    }
    args.output.note(picture(services, args.endpoints).trim_end())
}

/// How all replicas of a service do, together.
#[derive(Debug, Default, Serialize)]
struct ServiceState {
    name: String,
    versions: Vec<String>,
    replicas: usize,
    requests: usize,
    errors: usize,
    average_ms: f64,
    endpoints: Vec<EndpointState>,
}

#[derive(Debug, Default, Clone, Serialize)]
struct EndpointState {
    name: String,
    requests: usize,
    errors: usize,
    average_ms: f64,
    #[serde(skip)]
    spent: Duration,
}

async fn roll_call(nats: &Client) -> Result<Vec<ServiceState>, Failure> {
    let replicas: Vec<Stats> = roll_call::gather(nats, &STATS, PATIENCE).await?;
    Ok(summed(replicas))
}

fn summed(replicas: Vec<Stats>) -> Vec<ServiceState> {
    let mut services: BTreeMap<String, ServiceState> = BTreeMap::new();
    for replica in replicas {
        let service = services.entry(replica.name.clone()).or_default();
        service.name = replica.name;
        service.replicas += 1;
        if !service.versions.contains(&replica.version) {
            service.versions.push(replica.version);
        }
        for endpoint in replica.endpoints {
            let known = service.endpoints.iter().position(|known| known.name == endpoint.name);
            let at = known.unwrap_or_else(|| {
                service
                    .endpoints
                    .push(EndpointState { name: endpoint.name.clone(), ..EndpointState::default() });
                service.endpoints.len() - 1
            });
            if let Some(sum) = service.endpoints.get_mut(at) {
                sum.requests += endpoint.requests;
                sum.errors += endpoint.errors;
                sum.spent += endpoint.processing_time;
                sum.average_ms = average_ms(sum.spent, sum.requests);
            }
        }
    }
    services.into_values().map(total).collect()
}

fn total(mut service: ServiceState) -> ServiceState {
    service.endpoints.sort_by(|a, b| a.name.cmp(&b.name));
    service.requests = service.endpoints.iter().map(|endpoint| endpoint.requests).sum();
    service.errors = service.endpoints.iter().map(|endpoint| endpoint.errors).sum();
    let spent = service.endpoints.iter().map(|endpoint| endpoint.spent).sum();
    service.average_ms = average_ms(spent, service.requests);
    service
}

fn average_ms(spent: Duration, requests: usize) -> f64 {
    u32::try_from(requests)
        .ok()
        .and_then(|requests| spent.checked_div(requests))
        .unwrap_or_default()
        .as_secs_f64()
        * 1000.0
}

fn picture(services: &[ServiceState], endpoints: bool) -> String {
    if services.is_empty() {
        return "No service answers.\n".to_owned();
    }
    let mut rows =
        vec![["SERVICE", "REPLICAS", "VERSION", "REQUESTS", "ERRORS", "AVERAGE"].map(str::to_owned).to_vec()];
    for service in services {
        let numbers = [
            service.requests.to_string(),
            service.errors.to_string(),
            format!("{:.2} ms", service.average_ms),
        ];
        let heading = [
            visible::line(&service.name),
            service.replicas.to_string(),
            visible::line(&service.versions.join(", ")),
        ];
        rows.push([heading, numbers].concat());
        for endpoint in service.endpoints.iter().filter(|_| endpoints) {
            let numbers = [
                endpoint.requests.to_string(),
                endpoint.errors.to_string(),
                format!("{:.2} ms", endpoint.average_ms),
            ];
            let heading = [format!("  {}", visible::line(&endpoint.name)), String::new(), String::new()];
            rows.push([heading, numbers].concat());
        }
    }
    table(&rows) + "\n"
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn replica(name: &str, endpoints: &[(&str, usize, usize, u64)]) -> Stats {
        let endpoints: Vec<_> = endpoints
            .iter()
            .map(|(name, requests, errors, nanoseconds)| {
                json!({ "name": name, "subject": "kez.rpc.x", "queue_group": "q", "num_requests": requests,
                    "num_errors": errors, "processing_time": nanoseconds, "average_processing_time": 0, "last_error": "" })
            })
            .collect();
        serde_json::from_value(json!({ "type": "io.nats.micro.v1.stats_response", "name": name, "id": "x",
            "version": "0.1.0", "started": "2027-01-15T08:00:00Z", "endpoints": endpoints }))
        .unwrap()
    }

    #[test]
    fn replicas_are_summed() {
        let services = summed(vec![
            replica("inbox", &[("rpc-send", 2, 1, 4_000_000), ("rpc-fetch", 0, 0, 0)]),
            replica("auth-callout", &[("sign-in", 1, 0, 1_500_000)]),
            replica("inbox", &[("rpc-send", 2, 0, 8_000_000)]),
        ]);
        assert_eq!(
            picture(&services, true),
            "SERVICE       REPLICAS  VERSION  REQUESTS  ERRORS  AVERAGE\n\
             auth-callout  1         0.1.0    1         0       1.50 ms\n\
             \x20 sign-in                        1         0       1.50 ms\n\
             inbox         2         0.1.0    4         1       3.00 ms\n\
             \x20 rpc-fetch                      0         0       0.00 ms\n\
             \x20 rpc-send                       4         1       3.00 ms\n"
        );
    }

    #[test]
    fn an_empty_mesh_says_so() {
        assert_eq!(picture(&[], false), "No service answers.\n");
    }
}
