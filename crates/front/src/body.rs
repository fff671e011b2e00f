//! From a body to calls, for bodies that hold nothing but what is answered here; every other one is left to others.
use std::fmt;
use std::marker::PhantomData;

use serde::de::{value::MapAccessDeserializer, Deserializer, MapAccess, Visitor};
use serde::Deserialize;
use serde_json::value::RawValue;

/// Bytes of an id.
const ID_BYTES_MAX: usize = 256;

/// What is asked, with parameters that are not looked into yet.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Call<'a> {
    /// JSON of the id.
    pub id: &'a str,
    /// Name.
    pub method: &'a str,
    /// JSON of the parameters; empty where there are none.
    pub params: &'a str,
}

/// All calls of a body.
#[derive(Debug)]
pub(crate) struct Body<'a> {
    pub calls: Vec<Call<'a>>,
    /// Whether the answer is a list.
    pub is_batch: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Member<'a> {
    #[serde(borrow)]
    jsonrpc: &'a RawValue,
    #[serde(borrow)]
    id: &'a RawValue,
    #[serde(borrow)]
    method: &'a RawValue,
    #[serde(borrow, default)]
    params: Option<&'a RawValue>,
}

/// What stands as an object: a struct alone would be read from a list of its values too.
pub(crate) struct Object<T>(pub T);

struct Members<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for Members<T> {
    type Value = Object<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Object<T>, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map)).map(Object)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Members(PhantomData))
    }
}

/// Reads a body; None where anything about it is unusual: then the dispatcher says what.
pub(crate) fn parse(body: &[u8], batch_max: usize) -> Option<Body<'_>> {
    let start = body.iter().find(|byte| !byte.is_ascii_whitespace())?;
    if *start != b'[' {
        let Object(member): Object<Member<'_>> = serde_json::from_slice(body).ok()?;
        return Some(Body {
            calls: vec![call(&member)?],
            is_batch: false,
        });
    }
    let members: Vec<Object<Member<'_>>> = serde_json::from_slice(body).ok()?;
    if members.is_empty() || members.len() > batch_max {
        return None;
    }
    Some(Body {
        calls: members
            .iter()
            .map(|Object(member)| call(member))
            .collect::<Option<_>>()?,
        is_batch: true,
    })
}

fn call<'a>(member: &Member<'a>) -> Option<Call<'a>> {
    let id = member.id.get();
    let plain = match id.as_bytes()[0] {
        b'"' => !id.contains('\\'),
        b'n' => true,
        _ => id.bytes().all(|byte| byte.is_ascii_digit()),
    };
    if !plain || id.len() > ID_BYTES_MAX || member.jsonrpc.get() != "\"2.0\"" {
        return None;
    }
    let method = member.method.get().strip_prefix('"')?.strip_suffix('"')?;
    let params = member.params.map_or("", RawValue::get);
    // Nothing that is answered here nests deeper than a list of objects of strings.
    Some(Call { id, method, params })
}

/// Parameters as JSON each; None where they are no list, or more than `most`.
pub(crate) fn params(json: &str, most: usize) -> Option<Vec<&str>> {
    if json.is_empty() {
        return Some(vec![]);
    }
    let all: Vec<&RawValue> = serde_json::from_str(json).ok()?;
    (all.len() <= most).then(|| all.into_iter().map(RawValue::get).collect())
}

/// A string without escapes.
pub(crate) fn text(json: &str) -> Option<&str> {
    let inner = json.strip_prefix('"')?.strip_suffix('"')?;
    (!inner.contains('\\')).then_some(inner)
}
