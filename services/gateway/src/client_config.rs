//! What a client needs to know of this server before it talks to it.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use kez_contract::config::{ClientConfig, Limits};
use kez_contract::push::{AskVapidKey, WEB_VAPID_KEY};
use kez_contract::{http, inbox};

use crate::app::App;

/// Nobody waits longer for the push service to open a page.
const PATIENCE: Duration = Duration::from_millis(500);

/// Learn what a client needs
#[utoipa::path(get, path = http::CONFIG, tag = "Server",
    responses((status = 200, description = "Addresses and limits", body = ClientConfig)))]
pub async fn config(State(app): State<App>) -> Json<ClientConfig> {
    let settings = &app.settings;
    let vapid = kez_service::ask::ask_patiently(&app.nats, WEB_VAPID_KEY, &AskVapidKey {}, PATIENCE).await;
    Json(ClientConfig {
        server: settings.server.clone(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        nats: settings.nats_public_urls.iter().cloned().chain([http::NATS.to_owned()]).collect(),
        vapid_public_key: vapid.ok().map(|vapid| vapid.key),
        limits: Limits {
            envelope_bytes: inbox::MAX_ENVELOPE,
            page: inbox::MAX_PAGE,
            retention_days: inbox::RETENTION_DAYS,
            http_sends_per_minute: settings.sends_per_minute.get(),
        },
    })
}

#[cfg(test)]
mod tests {
    #[test]
    fn mail_is_kept_as_long_as_clients_are_told() {
        let streams: serde_json::Value =
            serde_json::from_str(include_str!("../../../nats/streams.json")).unwrap();
        let day = 24 * 3600 * 1_000_000_000_u64;
        assert_eq!(streams["inbox"]["max_age"], day * u64::from(super::inbox::RETENTION_DAYS));
    }
}
