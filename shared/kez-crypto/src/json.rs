//! JSON as the protocol takes it: refused before it is canonicalised, then written one way only.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use crate::Fault;

/// Arrays and objects may stand inside each other this many levels deep.
pub const MAX_DEPTH: usize = 64;

/// The largest whole number that every JSON implementation holds exactly: 2^53 − 1.
pub const MAX_INTEGER: i64 = (1 << 53) - 1;

/// Parses strict JSON (protocol section 3): no duplicate keys, only integers within ±(2^53 − 1), no lone
/// surrogates, no byte-order mark, nothing after the value, at most 64 levels, valid UTF-8.
///
/// # Errors
/// [`Fault::Malformed`] for everything else.
pub fn parse(text: &[u8]) -> Result<Value, Fault> {
    let text = std::str::from_utf8(text).map_err(|_| Fault::Malformed)?;
    let mut reader = serde_json::Deserializer::from_str(text);
    let value = Strict { levels_left: MAX_DEPTH }.deserialize(&mut reader).map_err(|_| Fault::Malformed)?;
    reader.end().map_err(|_| Fault::Malformed)?;
    Ok(value)
}

/// Writes a value as JCS (RFC 8785): members sorted by UTF-16, shortest escapes, ECMAScript numbers, no spaces.
pub fn canonical(value: &Value) -> Vec<u8> {
    // JCS cannot write NaN and infinities, which a `Value` cannot hold either.
    serde_json_canonicalizer::to_vec(value).unwrap_or_else(|_| value.to_string().into_bytes())
}

/// Writes an object's members as JCS, like [`canonical`].
pub fn canonical_object(members: &Map<String, Value>) -> Vec<u8> {
    serde_json_canonicalizer::to_vec(members).unwrap_or_else(|_| canonical(&Value::Object(members.clone())))
}

/// Builds a value while it counts levels and refuses what `serde_json` alone would let pass.
#[derive(Clone, Copy)]
struct Strict {
    levels_left: usize,
}

impl Strict {
    fn deeper<E: Error>(self) -> Result<Self, E> {
        match self.levels_left.checked_sub(1) {
            Some(levels_left) => Ok(Self { levels_left }),
            None => Err(E::custom("too many levels")),
        }
    }
}

impl<'de> DeserializeSeed<'de> for Strict {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("strict JSON")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        if (-MAX_INTEGER..=MAX_INTEGER).contains(&value) {
            Ok(Value::Number(Number::from(value)))
        } else {
            Err(E::custom("integer out of range"))
        }
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        self.visit_i64(i64::try_from(value).map_err(|_| E::custom("integer out of range"))?)
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.into()))
    }

    fn visit_string<E: Error>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let inner = self.deeper()?;
        let mut array = Vec::new();
        while let Some(item) = items.next_element_seed(inner)? {
            array.push(item);
        }
        Ok(Value::Array(array))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let inner = self.deeper()?;
        let mut object = Map::new();
        while let Some(name) = members.next_key::<String>()? {
            if object.contains_key(&name) {
                return Err(A::Error::custom("duplicate key"));
            }
            let value = members.next_value_seed(inner)?;
            object.insert(name, value);
        }
        Ok(Value::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuses_what_the_vectors_leave_out() {
        for text in
            ["", " ", "-", "01", "+1", "1.", "\"\u{1}\"", "\"\\ud83d\\u0041\"", "{\"a\":1,}", "[1,]", "nul"]
        {
            assert_eq!(parse(text.as_bytes()), Err(Fault::Malformed), "{text}");
        }
        for text in
            ["-0.0", "1E2", "1e400", "18446744073709551616", "9223372036854775808", "-9007199254740992"]
        {
            assert_eq!(parse(text.as_bytes()), Err(Fault::Malformed), "{text}");
        }
        assert_eq!(parse(b"\"\xff\""), Err(Fault::Malformed));
        assert_eq!(parse(b"\"\xed\xa0\x80\""), Err(Fault::Malformed));
    }

    #[test]
    fn reads_keys_that_serde_json_uses_itself() {
        let text = br#"{"$serde_json::private::RawValue":"1","$serde_json::private::Number":"2"}"#;
        assert_eq!(parse(text).map(|value| canonical(&value).len()), Ok(text.len()));
    }

    #[test]
    fn sorts_members_by_utf16() {
        let value = parse("{\"\u{e000}\":1,\"\u{1f600}\":2,\"a\":3}".as_bytes()).unwrap();
        assert_eq!(canonical(&value), "{\"a\":3,\"\u{1f600}\":2,\"\u{e000}\":1}".as_bytes());
    }

    #[test]
    fn writes_zero_and_the_largest_integers() {
        for text in ["0", "-9007199254740991", "9007199254740991"] {
            assert_eq!(canonical(&parse(text.as_bytes()).unwrap()), text.as_bytes());
        }
    }
}
