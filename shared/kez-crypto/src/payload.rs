//! Reading and writing the members of a signed payload.

use serde_json::{Map, Value};

use crate::{Fault, Primary, PublicKey, Timestamp};

/// A payload's members, each of which must be there and of the right kind or the payload is malformed.
#[derive(Clone, Copy)]
pub(crate) struct Members<'a>(pub(crate) &'a Map<String, Value>);

impl<'a> Members<'a> {
    pub(crate) fn value(self, name: &str) -> Result<&'a Value, Fault> {
        self.0.get(name).ok_or(Fault::Malformed)
    }

    pub(crate) fn text(self, name: &str) -> Result<&'a str, Fault> {
        self.value(name)?.as_str().ok_or(Fault::Malformed)
    }

    pub(crate) fn optional_text(self, name: &str) -> Result<Option<&'a str>, Fault> {
        self.0.contains_key(name).then(|| self.text(name)).transpose()
    }

    pub(crate) fn integer(self, name: &str) -> Result<i64, Fault> {
        self.value(name)?.as_i64().ok_or(Fault::Malformed)
    }

    pub(crate) fn object(self, name: &str) -> Result<&'a Map<String, Value>, Fault> {
        self.value(name)?.as_object().ok_or(Fault::Malformed)
    }

    pub(crate) fn time(self, name: &str) -> Result<Timestamp, Fault> {
        Timestamp::parse(self.text(name)?)
    }

    pub(crate) fn key(self, name: &str) -> Result<PublicKey, Fault> {
        PublicKey::parse(self.text(name)?)
    }

    pub(crate) fn primary(self, name: &str) -> Result<Primary, Fault> {
        Primary::parse(self.text(name)?)
    }
}

/// A payload of these members; those without a value are left out.
pub(crate) fn payload<const N: usize>(members: [(&str, Option<Value>); N]) -> Map<String, Value> {
    members.into_iter().filter_map(|(name, value)| Some((name.into(), value?))).collect()
}

/// A member's value that is a text.
pub(crate) fn text(value: &(impl ToString + ?Sized)) -> Option<Value> {
    Some(Value::String(value.to_string()))
}
