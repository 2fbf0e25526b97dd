//! JSON as a security token needs it: one object, no duplicate members, bounded depth.
//!
//! `serde_json` already refuses a byte order mark, lone surrogates, `NaN`, numbers out of range, invalid UTF-8 and
//! anything after the value. It keeps the last of duplicate members and allows a depth of 128; this does neither.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;

use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use serde_json::{Map, Number, Value};

/// Deepest nesting of objects and arrays, the outermost included.
pub(crate) const MAX_DEPTH: usize = 64;

/// Reads exactly one JSON object, strictly.
pub(crate) fn object(text: &[u8]) -> Result<Map<String, Value>, serde_json::Error> {
    let mut reader = serde_json::Deserializer::from_slice(text);
    let value = Strict::outermost(true).deserialize(&mut reader)?;
    reader.end()?;
    match value {
        Json::Other(Value::Object(members)) => Ok(members),
        _ => Err(serde_json::Error::custom("not an object")),
    }
}

/// A value as far as it is needed: a text is copied only where it is written with escapes.
#[derive(Debug)]
pub(crate) enum Json<'t> {
    Text(Cow<'t, str>),
    Other(Value),
}

impl Json<'_> {
    fn into_value(self) -> Value {
        match self {
            Self::Text(text) => text.into(),
            Self::Other(value) => value,
        }
    }

    pub(crate) fn as_str(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Other(_) => None,
        }
    }

    pub(crate) fn as_bool(&self) -> Option<bool> {
        match self {
            Self::Text(_) => None,
            Self::Other(value) => value.as_bool(),
        }
    }
}

/// Members of an object that somebody wants.
pub(crate) trait Wanted<'t> {
    /// Where the value of the member goes; `None` if it is only to be checked.
    fn slot(&mut self, name: &str) -> Option<&mut Option<Json<'t>>>;
}

/// Reads exactly one JSON object, as strictly as [`object`] does, and makes values only of what is wanted.
pub(crate) fn pick<'t, W: Wanted<'t> + Default>(text: &'t str) -> Result<W, serde_json::Error> {
    let mut wanted = W::default();
    let mut reader = serde_json::Deserializer::from_str(text);
    reader.deserialize_map(Pick(&mut wanted))?;
    reader.end()?;
    Ok(wanted)
}

/// Reads exactly one JSON object, as strictly as [`object`] does, but for what is in the member `name`: that is returned as
/// it is written.
pub(crate) fn member<'t>(text: &'t str, name: &str) -> Result<Option<&'t RawValue>, serde_json::Error> {
    let mut reader = serde_json::Deserializer::from_str(text);
    let member = reader.deserialize_map(Unread(name))?;
    reader.end()?;
    Ok(member)
}

struct Unread<'n>(&'n str);

impl<'de> Visitor<'de> for Unread<'_> {
    type Value = Option<&'de RawValue>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object without duplicate members")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Self::Value, A::Error> {
        let (mut names, mut unread) = (Names::default(), None);
        let strict = Strict::outermost(false).deeper()?;
        while let Some(Name(name)) = access.next_key()? {
            if *name == *self.0 {
                unread = Some(access.next_value()?);
            } else {
                access.next_value_seed(strict)?;
            }
            names.add(name)?;
        }
        Ok(unread)
    }
}

struct Pick<'w, W>(&'w mut W);

impl<'de, W: Wanted<'de>> Visitor<'de> for Pick<'_, W> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object without duplicate members")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<(), A::Error> {
        let mut names = Names::default();
        while let Some(Name(name)) = access.next_key()? {
            let slot = self.0.slot(&name);
            let strict = Strict::outermost(slot.is_some()).deeper()?;
            match slot {
                Some(slot) => *slot = Some(access.next_value_seed(strict)?),
                None => drop(access.next_value_seed(strict)?),
            }
            names.add(name)?;
        }
        Ok(())
    }
}

/// The name of a member, copied only where it is written with escapes.
struct Name<'de>(Cow<'de, str>);

impl<'de> Deserialize<'de> for Name<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;

        impl<'de> Visitor<'de> for Text {
            type Value = Name<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a name")
            }

            fn visit_borrowed_str<E: Error>(self, name: &'de str) -> Result<Name<'de>, E> {
                Ok(Name(name.into()))
            }

            fn visit_str<E: Error>(self, name: &str) -> Result<Name<'de>, E> {
                Ok(Name(name.to_owned().into()))
            }
        }

        deserializer.deserialize_str(Text)
    }
}

/// The names of an object's members so far. Few are compared with each other, many are hashed.
#[derive(Default)]
struct Names<'de> {
    few: [Cow<'de, str>; 16],
    count: usize,
    many: HashSet<Cow<'de, str>>,
}

impl<'de> Names<'de> {
    /// Takes a name in, unless it is there already.
    fn add<E: Error>(&mut self, name: Cow<'de, str>) -> Result<(), E> {
        let few = self.count.min(self.few.len());
        let is_new = !self.few[..few].contains(&name)
            && match self.few.get_mut(self.count) {
                Some(place) => {
                    *place = name;
                    true
                }
                None => self.many.insert(name),
            };
        self.count += 1;
        is_new.then_some(()).ok_or_else(|| E::custom("duplicate member"))
    }
}

/// Reads a value in which at most `depth` more levels may be opened, and keeps it or only checks it.
#[derive(Clone, Copy)]
struct Strict {
    depth: usize,
    keep: bool,
}

impl Strict {
    fn outermost(keep: bool) -> Self {
        Self {
            depth: MAX_DEPTH,
            keep,
        }
    }

    fn deeper<E: Error>(self) -> Result<Self, E> {
        let depth = self
            .depth
            .checked_sub(1)
            .ok_or_else(|| E::custom("nested too deeply"))?;
        Ok(Self { depth, ..self })
    }
}

/// Whether a member of this name holds the text of a number. With `serde_json`'s feature `arbitrary_precision`, which any
/// crate in the application may switch on for all, numbers that are not whole arrive as such a member.
fn is_number(name: &str) -> bool {
    name == "$serde_json::private::Number" && serde_json::from_str::<Number>("1e999").is_ok()
}

impl<'de> DeserializeSeed<'de> for Strict {
    type Value = Json<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Json<'de>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict {
    type Value = Json<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON without duplicate members")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Json<'de>, A::Error> {
        let mut next = access.next_key()?;
        if let Some(Name(name)) = &next
            && is_number(name)
        {
            return self.visit_f64(access.next_value::<String>()?.parse().map_err(A::Error::custom)?);
        }
        let inner = self.deeper()?;
        let (mut names, mut members) = (Names::default(), Map::new());
        while let Some(Name(name)) = next {
            let value = access.next_value_seed(inner)?;
            if !self.keep {
                names.add(name)?;
            } else if members.insert(name.into_owned(), value.into_value()).is_some() {
                return Err(A::Error::custom("duplicate member"));
            }
            next = access.next_key()?;
        }
        Ok(Json::Other(members.into()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Json<'de>, A::Error> {
        let inner = self.deeper()?;
        let mut items = Vec::new();
        while let Some(item) = access.next_element_seed(inner)? {
            if self.keep {
                items.push(item.into_value());
            }
        }
        Ok(Json::Other(items.into()))
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Json<'de>, E> {
        Ok(match self.keep {
            true => Json::Text(text.into()),
            false => Json::Other(Value::Null),
        })
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Json<'de>, E> {
        Ok(match self.keep {
            true => Json::Text(text.to_owned().into()),
            false => Json::Other(Value::Null),
        })
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Json<'de>, E> {
        Ok(Json::Other(number.into()))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Json<'de>, E> {
        Ok(Json::Other(number.into()))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Json<'de>, E> {
        Number::from_f64(number)
            .map(|number| Json::Other(number.into()))
            .ok_or_else(|| E::custom("not a finite number"))
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Json<'de>, E> {
        Ok(Json::Other(value.into()))
    }

    fn visit_unit<E: Error>(self) -> Result<Json<'de>, E> {
        Ok(Json::Other(Value::Null))
    }
}
