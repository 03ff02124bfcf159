//! Server-sent events (WHATWG HTML, section 9.2), as far as an inbox stream needs them.

use bytes::Bytes;
use kez_contract::inbox::Stored;

pub const MEDIA_TYPE: &str = "text/event-stream";

/// One message. The browser hands its sequence back as `Last-Event-ID`.
pub fn event(message: &Stored) -> Bytes {
    // Between its tokens JSON may have line breaks, which would end the event; inside strings they are escaped.
    let data = serde_json::to_string(message).unwrap_or_default().replace(['\r', '\n'], " ");
    format!("id: {}\ndata: {data}\n\n", message.seq).into()
}

/// A line that readers skip.
pub fn comment(text: &str) -> Bytes {
    format!(": {text}\n\n").into()
}

#[cfg(test)]
mod tests {
    use serde_json::value::RawValue;

    use super::*;

    #[test]
    fn an_envelope_cannot_break_out_of_its_event() {
        let envelope = RawValue::from_string("{\"a\":\r\n\n\"b\\n\"}".to_owned()).unwrap();
        let text = event(&Stored { seq: 7, received_at: "2026-05-25T03:00:00Z".to_owned(), envelope });
        assert_eq!(
            text,
            "id: 7\ndata: {\"seq\":7,\"received_at\":\"2026-05-25T03:00:00Z\",\"envelope\":{\"a\":   \"b\\n\"}}\n\n"
        );
    }
}
