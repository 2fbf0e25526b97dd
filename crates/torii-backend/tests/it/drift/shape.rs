//! One of our types, against the schema that it is for.
//!
//! What the type is, is read from what it does: a value is made from the schema, changed in one member, read by the type
//! and written again.

use std::collections::BTreeSet;
use std::fmt::Debug;

use serde::de::value::Error as Refusal;
use serde::de::{DeserializeOwned, Deserializer, Error as _, Visitor};
use serde::{Serialize, forward_to_deserialize_any};
use serde_json::{Value, json};

use super::description::{Description, FIRST_GENERATION, Schema};
use super::difference;

/// A cursor is described as a UUID and as opaque; we hold to the latter.
const OPAQUE: &str = "nextCursor";
/// A value that no enumeration has.
const NEW_VALUE: &str = "a value of next year";

pub(super) struct Shape {
    schema: &'static str,
    /// The members by their names, if reading does not go through a map.
    named: BTreeSet<String>,
    first_generation: bool,
    /// Reads a value and writes it again.
    rewrite: fn(Value) -> Result<Value, String>,
    debug: fn(Value) -> String,
}

impl Shape {
    pub(super) fn of<T: DeserializeOwned + Serialize + Debug>(schema: &'static str) -> Self {
        Self {
            schema,
            named: member_names::<T>(),
            first_generation: false,
            rewrite: |value| {
                let read: T = serde_json::from_value(value).map_err(|error| error.to_string())?;
                serde_json::to_value(read).map_err(|error| error.to_string())
            },
            debug: |value| format!("{:?}", serde_json::from_value::<T>(value)),
        }
    }

    /// The type has the fields of the first generation as well.
    pub(super) fn with_first_generation(mut self) -> Self {
        self.first_generation = true;
        self
    }

    pub(super) fn schema(&self) -> &'static str {
        self.schema
    }

    pub(super) fn drift(&self, description: &Description) -> Vec<String> {
        let schema = description.schema(self.schema);
        let asks = |schema: &Schema<'_>, patch: bool| {
            let mut endpoints = description
                .endpoints()
                .filter(|endpoint| !patch || endpoint.is_patch());
            endpoints.any(|endpoint| endpoint.request().is_some_and(|request| request.is(schema)))
        };
        let role = Role {
            is_request: asks(&schema, false),
            is_patch: asks(&schema, true),
        };
        if let Err(refusal) = (self.rewrite)(schema.sample()) {
            return vec![format!("{}: a full value is refused: {refusal}", self.schema)];
        }
        let mut found = self.members(&schema);
        for member in schema.members() {
            let strange = self.member(&schema, &member, role);
            found.extend(
                strange
                    .into_iter()
                    .map(|strange| format!("{}: {strange}", member.name())),
            );
        }
        found.extend(self.stranger(&schema, role));
        found
            .into_iter()
            .map(|found| format!("{}: {found}", self.schema))
            .collect()
    }

    /// The names of the members, both ways. A type that keeps unknown members shows its own when it writes what it was
    /// not given; that it knows the required ones shows in [`member`](Self::member).
    fn members(&self, schema: &Schema<'_>) -> Vec<String> {
        let described: BTreeSet<_> = schema.members().map(|member| member.name().to_owned()).collect();
        let required = described.iter().filter(|name| schema.requires(name));
        let sample = schema.sample();
        let least: Value = required
            .map(|name| (name.clone(), sample[name].clone()))
            .collect();
        let mut ours = self.named.clone();
        if ours.is_empty() {
            match (self.rewrite)(least) {
                Ok(Value::Object(members)) => ours.extend(members.into_iter().map(|(name, _)| name)),
                other => return vec![format!("the required members alone: {other:?}")],
            }
        }
        if self.first_generation {
            ours.retain(|name| !FIRST_GENERATION.contains(&name.as_str()));
        }
        difference("member", ours, described)
    }

    fn member(&self, schema: &Schema<'_>, member: &Schema<'_>, role: Role) -> Vec<String> {
        let (name, sample) = (member.name(), schema.sample());
        let with = |value: Value| {
            let mut sample = sample.clone();
            sample[name] = value;
            sample
        };
        let read = |value: Value| (self.rewrite)(value).map(|written| written.get(name).cloned());
        let without = {
            let mut sample = sample.clone();
            drop(sample.as_object_mut().unwrap().remove(name));
            sample
        };
        let mut found = Vec::new();
        let mut hold = |holds: bool, what: &str| {
            if !holds {
                found.push(what.to_owned());
            }
        };
        hold(
            read(sample.clone()) == Ok(sample.get(name).cloned()),
            "is not written as it was read",
        );
        if schema.requires(name) {
            // A reply without a bag is read as if the bag were empty.
            let lenient = member.is_bag() && !role.is_request;
            hold(read(without).is_err() || lenient, "is required, and not missed");
        } else {
            let nothing = if role.is_request { None } else { Some(Value::Null) };
            hold(read(without) == Ok(nothing), "may be absent, and is not read so");
        }
        match (member.is_nullable(), role.is_patch) {
            (true, true) => hold(
                read(with(Value::Null)) == Ok(Some(Value::Null)),
                "is cleared by null",
            ),
            (true, false) => hold(read(with(Value::Null)).is_ok(), "may be null"),
            // Absent and null are one to whoever reads a reply.
            (false, _) if !role.is_request && !schema.requires(name) => {}
            (false, _) => hold(read(with(Value::Null)).is_err(), "is never null"),
        }
        for stranger in member.strangers() {
            let opaque = name == OPAQUE && stranger.is_string();
            hold(
                read(with(stranger.clone())).is_err() || opaque,
                &format!("takes {stranger}"),
            );
        }
        for value in member.values() {
            let debug = (self.debug)(with(member.holding(value)));
            hold(
                !debug.contains(&format!("Unknown({value:?})")),
                &format!("does not know {value}"),
            );
        }
        if !member.values().is_empty() {
            let new = member.holding(NEW_VALUE);
            hold(
                read(with(new.clone())) == Ok(Some(new)),
                "does not keep a new value",
            );
        }
        found
    }

    /// Requests are strict, replies are not.
    fn stranger(&self, schema: &Schema<'_>, role: Role) -> Option<String> {
        let mut sample = schema.sample();
        sample["aMemberOfNextYear"] = json!(true);
        let read = (self.rewrite)(sample);
        (read.is_err() != role.is_request).then(|| format!("with an unknown member: {read:?}"))
    }
}

/// What the schema is for.
#[derive(Clone, Copy)]
struct Role {
    is_request: bool,
    is_patch: bool,
}

/// The names that a type asks its deserializer for: none, if it asks for a map.
fn member_names<T: DeserializeOwned>() -> BTreeSet<String> {
    let refusal = T::deserialize(Names).err().unwrap().to_string();
    refusal.split_whitespace().map(str::to_owned).collect()
}

/// Refuses with the names of the members that were asked for.
struct Names;

impl<'de> Deserializer<'de> for Names {
    type Error = Refusal;

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        fields: &'static [&'static str],
        _visitor: V,
    ) -> Result<V::Value, Refusal> {
        Err(Refusal::custom(fields.join(" ")))
    }

    fn deserialize_any<V: Visitor<'de>>(self, _visitor: V) -> Result<V::Value, Refusal> {
        Err(Refusal::custom(""))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}
