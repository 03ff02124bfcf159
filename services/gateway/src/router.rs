//! Every route, by who calls it.

use axum::handler::Handler;
use axum::http::Method;
use axum::routing::{MethodFilter, on};
use axum::{Router, middleware};
use kez_contract::{Code, http};
use tower_http::catch_panic::CatchPanicLayer;

use crate::app::App;
use crate::problem::Refusal;
use crate::{
    assets, claims, client_config, errors, guard, health, inbox, inbox_stream, messages, metrics, page,
};
use crate::{profiles, push, sigchains, tunnel, unread, users, webfinger};

fn routes() -> Routes {
    Routes::default()
        // Anyone
        .get(http::LANDING, page::landing)
        .get(http::LANDING_STYLE, page::style)
        .get(http::ERROR, errors::explain)
        .get(http::OPENAPI, page::openapi)
        .get(http::CONFIG, client_config::config)
        .get(http::USER, users::by_handle)
        .get(http::BY_PRIMARY, users::by_primary)
        .get(http::WEBFINGER, webfinger::find)
        .get(http::PROFILE, profiles::get)
        .get(http::SIGCHAIN, sigchains::get)
        .get(http::CLAIMS, claims::claimants)
        .get(http::VERIFY, claims::verify)
        .post(http::MESSAGES, messages::send)
        .get(http::VAPID_KEY, push::vapid_key)
        // Whoever signs the body
        .post(http::REGISTER, users::register)
        .post(http::SIGCHAIN, sigchains::append)
        // Whoever signs the request
        .put(http::PROFILE, profiles::put)
        .put(http::PROOFS, profiles::put_proofs)
        .get(http::INBOX, inbox::fetch)
        .get(http::INBOX_STREAM, inbox_stream::stream)
        .post(http::PUSH_SUBSCRIBE, push::subscribe)
        .post(http::PUSH_UNSUBSCRIBE, push::unsubscribe)
        .get(http::PUSH_SUBSCRIPTIONS, push::subscriptions)
        // Browsers that speak NATS; the broker signs them in
        .get(http::NATS, tunnel::open)
        // Operators and their machines
        .get(http::HEALTHZ, health::healthz)
        .get(http::READYZ, health::readyz)
}

/// The public listener.
pub fn public(app: &App) -> Router {
    routes()
        .router
        .fallback(assets::serve)
        .method_not_allowed_fallback(method_not_allowed)
        .layer(CatchPanicLayer::custom(guard::panicked))
        .layer(middleware::from_fn_with_state(app.clone(), guard::pace))
        .layer(middleware::from_fn(unread::discard))
        .layer(middleware::map_response(guard::headers))
        .layer(middleware::from_fn_with_state(app.clone(), metrics::count))
        .with_state(app.clone())
}

/// The operators' listener.
pub fn operators(app: &App) -> Router {
    Router::new()
        .route(http::METRICS, axum::routing::get(metrics::metrics))
        .fallback(not_found)
        .method_not_allowed_fallback(method_not_allowed)
        .with_state(app.clone())
}

async fn not_found() -> Refusal {
    Refusal::new(Code::NotFound, "there is no such route; /v1/openapi.json lists them all")
}

async fn method_not_allowed() -> Refusal {
    Refusal::new(Code::MethodNotAllowed, "the header Allow says which methods this route takes")
}

/// Routes as axum has them, and a list of them, which axum does not give.
#[derive(Default)]
struct Routes {
    router: Router<App>,
    listed: Vec<(Method, &'static str)>,
}

impl Routes {
    fn get<H: Handler<T, App>, T: 'static>(self, path: &'static str, handler: H) -> Self {
        self.on(Method::GET, MethodFilter::GET, path, handler)
    }

    fn put<H: Handler<T, App>, T: 'static>(self, path: &'static str, handler: H) -> Self {
        self.on(Method::PUT, MethodFilter::PUT, path, handler)
    }

    fn post<H: Handler<T, App>, T: 'static>(self, path: &'static str, handler: H) -> Self {
        self.on(Method::POST, MethodFilter::POST, path, handler)
    }

    fn on<H: Handler<T, App>, T: 'static>(
        mut self,
        method: Method,
        filter: MethodFilter,
        path: &'static str,
        handler: H,
    ) -> Self {
        self.listed.push((method, path));
        Self { router: self.router.route(path, on(filter, handler)), listed: self.listed }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::openapi;

    #[test]
    fn the_document_lists_every_route_and_nothing_else() {
        let document = serde_json::to_value(openapi::document(None)).unwrap();
        let described: BTreeSet<(String, String)> = document["paths"]
            .as_object()
            .unwrap()
            .iter()
            .flat_map(|(path, methods)| {
                methods.as_object().unwrap().keys().map(|method| (method.to_uppercase(), path.clone()))
            })
            .collect();
        let routed: BTreeSet<(String, String)> =
            routes().listed.iter().map(|(method, path)| (method.to_string(), (*path).to_owned())).collect();
        assert_eq!(described, routed);
        assert_eq!(routed.len(), routes().listed.len(), "a route stands twice");
    }
}
