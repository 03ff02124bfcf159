//! The OpenAPI document: what stands above the routes, which are described where they are.

use kez_contract::Code;
use kez_contract::http::AUTH_HEADER;
use kez_contract::sigchain::Head;
use serde_json::json;
use utoipa::openapi::schema::{ObjectBuilder, Schema, SchemaType, Type};
use utoipa::openapi::security::{ApiKey, ApiKeyValue, SecurityScheme};
use utoipa::openapi::server::Server;
use utoipa::openapi::{OpenApi, RefOr};
use utoipa::{OpenApi as _, PartialSchema, ToSchema};

use crate::problem::Document;
use crate::{
    claims, client_config, errors, health, inbox, inbox_stream, messages, page, profiles, push, sigchains,
    tunnel, users, webfinger,
};

/// Refusals are problem documents (RFC 9457) with a stable `code`, listed by route. Where it may help to try again,
/// `Retry-After` says when. A body is limited to what its route needs.
#[derive(utoipa::OpenApi)]
#[openapi(
    info(title = "Kez", license(name = "MIT OR Apache-2.0")),
    paths(
        page::landing,
        page::style,
        page::openapi,
        errors::explain,
        client_config::config,
        health::healthz,
        health::readyz,
        users::register,
        users::by_handle,
        users::by_primary,
        webfinger::find,
        profiles::get,
        profiles::put,
        profiles::put_proofs,
        sigchains::get,
        sigchains::append,
        claims::claimants,
        claims::verify,
        messages::send,
        inbox::fetch,
        inbox_stream::stream,
        push::vapid_key,
        push::subscribe,
        push::unsubscribe,
        push::subscriptions,
        tunnel::open,
    )
)]
struct Routes;

/// The document for a server that is reached under this URL.
pub fn document(public_url: Option<&str>) -> OpenApi {
    let mut document = Routes::openapi();
    document.servers = public_url.map(|url| vec![Server::new(url)]);
    let signature = ApiKeyValue::with_description(
        AUTH_HEADER,
        "`<unix seconds>:<128 hex>`: a strict Ed25519 signature by the handle's primary over lines that the route names, \
         at most 60 seconds old",
    );
    let components = document.components.get_or_insert_default();
    components.add_security_scheme("X-KEZ-Auth", SecurityScheme::ApiKey(ApiKey::Header(signature)));
    document
}

/// A signed envelope, as its signer wrote it
#[derive(ToSchema)]
#[expect(dead_code, reason = "envelopes are passed on as text; this describes them")]
pub struct Envelope {
    /// What kind of document it is
    kez: String,
    /// What is signed, in its canonical form (RFC 8785)
    #[schema(value_type = Object)]
    payload: (),
    signature: Signature,
}

/// Who signed it
#[derive(ToSchema)]
#[expect(dead_code, reason = "envelopes are passed on as text; this describes them")]
struct Signature {
    #[schema(example = "ed25519-sha512-jcs")]
    alg: String,
    /// `ed25519:<64 hex>`
    key: String,
    /// 128 lower-case hex digits
    sig: String,
}

impl ToSchema for Document {
    fn name() -> std::borrow::Cow<'static, str> {
        "Problem".into()
    }
}

impl PartialSchema for Document {
    fn schema() -> RefOr<Schema> {
        let text = || ObjectBuilder::new().schema_type(SchemaType::new(Type::String));
        let number = || ObjectBuilder::new().schema_type(SchemaType::new(Type::Integer));
        ObjectBuilder::new()
            .description(Some("A refusal (RFC 9457)"))
            .property("type", text().description(Some("Where the code is explained")))
            .property("title", text().description(Some("What the code means")))
            .property("status", number())
            .property("code", text().enum_values(Some(Code::ALL.iter().map(|code| code.as_str()))))
            .property("detail", text().description(Some("What was wrong with this request")))
            .property("limit_per_minute", number().description(Some("The limit that was hit")))
            .property("current", Head::schema())
            .required("type")
            .required("title")
            .required("status")
            .required("code")
            .required("detail")
            .examples([json!({
                "type": "/errors/handle_taken", "title": Code::HandleTaken.title(), "status": 409,
                "code": "handle_taken", "detail": "alice is registered already",
            })])
            .into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_document_changes_only_on_purpose() {
        insta::assert_json_snapshot!(document(Some("https://kez.example")));
    }
}
