//! Cases about signatures: of requests, and of anything under the strict rule.

use data_encoding::HEXLOWER;
use serde::Deserialize;

use super::{Outcome, Report, bytes, fault, same};
use crate::{Handle, PublicKey, Timestamp, request_auth};

#[derive(Deserialize)]
pub(super) struct Request {
    name: String,
    text: String,
    header: String,
    primary: String,
}

pub(super) fn request(case: &Request) -> (String, Outcome) {
    (case.name.clone(), check_request(case))
}

fn check_request(case: &Request) -> Outcome {
    let (lines, time) = case.text.rsplit_once('\n').ok_or("the vector has no lines")?;
    let seconds: i64 = time.parse().map_err(|_| "the vector's last line is no time")?;
    let handle = Handle::parse("tudisco").map_err(fault)?;
    let built = match case.name.as_str() {
        "inbox" => request_auth::inbox(&handle, 0),
        "stream" => request_auth::stream(&handle),
        "push" => request_auth::push_subscribe(&handle, "https://push.example/abc"),
        "push_unsubscribe" => request_auth::push_unsubscribe(&handle, "https://push.example/abc"),
        "push_subscriptions" => request_auth::push_subscriptions(&handle),
        _ => lines.into(),
    };
    same("text", &built.as_str(), &lines)?;
    let key = PublicKey::parse(&case.primary).map_err(fault)?;
    let now = Timestamp::from_unix(seconds);
    let checked = request_auth::check(&case.header, lines, &key, now, request_auth::SKEW_SECONDS);
    same("time", &checked.map_err(|fault| fault.code()), &Ok(seconds))
}

#[derive(Deserialize)]
pub(super) struct Strict {
    cases: Vec<StrictCase>,
}

#[derive(Deserialize)]
struct StrictCase {
    name: String,
    key: String,
    sig: String,
    message: String,
    accept: bool,
}

pub(super) fn strict(file: &Strict, report: &mut Report) {
    for case in &file.cases {
        report.note(&case.name, check_strict(case));
    }
}

fn check_strict(case: &StrictCase) -> Outcome {
    let key = PublicKey::from_bytes(bytes(&case.key)?);
    let message = HEXLOWER.decode(case.message.as_bytes()).map_err(|error| error.to_string())?;
    same("accepted", &key.verify_strict(&message, &bytes(&case.sig)?).is_ok(), &case.accept)
}
