//! Calling a service: request, reply, and refusals as [`Problem`]s.

use std::time::Duration;

use async_nats::client::RequestErrorKind;
use async_nats::{Client, Message};
use kez_contract::problem::PROBLEM_HEADER;
use kez_contract::{Code, Endpoint, Problem};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::trace;

/// Asks another service of the mesh, with the current trace.
pub async fn ask<F, Request: Serialize, Reply: DeserializeOwned>(
    nats: &Client,
    endpoint: Endpoint<F, Request, Reply>,
    request: &Request,
) -> Result<Reply, Problem> {
    let asked = async_nats::Request::new().headers(trace::headers());
    send(nats, endpoint.service(), endpoint.pattern().to_owned(), asked, request).await
}

/// Asks something that may take longer than most do.
pub async fn ask_patiently<F, Request: Serialize, Reply: DeserializeOwned>(
    nats: &Client,
    endpoint: Endpoint<F, Request, Reply>,
    request: &Request,
    patience: Duration,
) -> Result<Reply, Problem> {
    let asked = async_nats::Request::new().headers(trace::headers()).timeout(Some(patience));
    send(nats, endpoint.service(), endpoint.pattern().to_owned(), asked, request).await
}

/// Asks as a person does, on a subject that names the caller.
pub async fn ask_as<Request: Serialize, Reply: DeserializeOwned>(
    nats: &Client,
    service: &str,
    subject: String,
    request: &Request,
    patience: Duration,
) -> Result<Reply, Problem> {
    send(nats, service, subject, async_nats::Request::new().timeout(Some(patience)), request).await
}

async fn send<Request: Serialize, Reply: DeserializeOwned>(
    nats: &Client,
    service: &str,
    subject: String,
    asked: async_nats::Request,
    request: &Request,
) -> Result<Reply, Problem> {
    let body =
        serde_json::to_vec(request).map_err(|error| Problem::new(Code::Malformed, error.to_string()))?;
    let reply = nats.send_request(subject, asked.payload(body.into())).await;
    read(&reply.map_err(|error| unanswered(service, &error))?)
}

/// The reply in a message, or the refusal in its headers.
pub fn read<Reply: DeserializeOwned>(message: &Message) -> Result<Reply, Problem> {
    if let Some(headers) = &message.headers {
        if let Some(problem) = headers.get(PROBLEM_HEADER) {
            return Err(serde_json::from_str(problem.as_str())
                .unwrap_or_else(|_| Problem::new(Code::Internal, "the refusal cannot be read")));
        }
        if let Some(code) = headers.get(async_nats::service::NATS_SERVICE_ERROR) {
            let code = Code::named(code.as_str()).unwrap_or(Code::Internal);
            return Err(Problem::new(code, code.title()));
        }
    }
    serde_json::from_slice(&message.payload)
        .map_err(|_| Problem::new(Code::Internal, "the reply cannot be read"))
}

fn unanswered(service: &str, error: &async_nats::RequestError) -> Problem {
    match error.kind() {
        RequestErrorKind::NoResponders => Problem::unavailable(format!("no {service} service is running")),
        RequestErrorKind::TimedOut => {
            Problem::unavailable(format!("the {service} service did not answer in time"))
        }
        RequestErrorKind::MaxPayloadExceeded => {
            Problem::new(Code::TooLarge, "the request is larger than the broker takes")
        }
        _ => Problem::unavailable(format!("the {service} service could not be reached")),
    }
}
