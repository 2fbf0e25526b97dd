//! The schemas of the types that travel. The tests below hold them against the types themselves.

use serde_json::{Value, json};
use torii_backend_types::{
    AllowedOrigins, CreateImpersonationToken, CreateInvitation, CreateUser, ImpersonationToken, Invitation,
    InvitationDetail, InvitationStatus, Locale, Member, Membership, Organization, Problem, Session,
    SetAllowedOrigins, UpdateMetadata, UpdateUser, UpdateUserMetadata, User, UserFilter, UserStatus,
};

use super::schema::{
    Described, Object, Schemas, bag, described, instant, int32, int64, list, nullable, one_of, text, uuid,
};
use crate::domain::{IMPERSONATION_LIFETIME_SECONDS, MAX_REASON_CHARS};

described! {
    User = Object::reply()
        .required("id", uuid())
        .required("environmentId", uuid())
        .optional("name", nullable(text()))
        .optional("firstName", nullable(text()))
        .optional("lastName", nullable(text()))
        .optional("locale", nullable(locales()))
        .required("status", one_of(UserStatus::KNOWN.iter().map(UserStatus::as_str)))
        .required("createdAt", instant())
        .required("updatedAt", instant())
        .optional("email", nullable(text()))
        .optional("emailVerifiedAt", nullable(instant()))
        .optional("deletedAt", nullable(instant()))
        .required("publicMetadata", bag())
        .required("privateMetadata", bag())
        .required("unsafeMetadata", bag());

    CreateUser = Object::request()
        .optional("email", nullable(text()))
        .optional("password", nullable(text()))
        .optional("firstName", nullable(text()))
        .optional("lastName", nullable(text()))
        .deprecated("name")
        .deprecated("phone")
        .deprecated("address")
        .deprecated("dateOfBirth")
        .optional("publicMetadata", bag())
        .optional("privateMetadata", bag())
        .optional("unsafeMetadata", bag());

    UpdateUser = Object::request()
        .optional("firstName", nullable(text()))
        .optional("lastName", nullable(text()))
        .optional("locale", nullable(locales()))
        .deprecated("name")
        .deprecated("phone")
        .deprecated("address")
        .deprecated("dateOfBirth")
        .optional("unsafeMetadata", bag());

    UpdateUserMetadata = Object::request()
        .optional("publicMetadata", bag())
        .optional("privateMetadata", bag())
        .optional("unsafeMetadata", bag());

    UserFilter = Object::request()
        .optional("name", nullable(text()))
        .optional("userIds", list(uuid()))
        .optional("emailAddresses", list(text()))
        .optional("email", nullable(text()))
        .optional("statuses", statuses())
        .optional("createdAfter", nullable(instant()))
        .optional("createdBefore", nullable(instant()))
        .optional("organizationId", nullable(uuid()));

    Session = Object::reply()
        .required("id", uuid())
        .required("userId", uuid())
        .required("environmentId", uuid())
        .optional("userAgent", nullable(text()))
        .optional("ipAddress", nullable(text()))
        .required("createdAt", instant())
        .required("expiresAt", instant())
        .required("lastUsedAt", instant())
        .optional("activeOrganizationId", nullable(uuid()))
        .optional("impersonatedBy", nullable(uuid()));

    Organization = Object::reply()
        .required("id", uuid())
        .required("name", text())
        .optional("slug", nullable(text()))
        .optional("roleSetId", nullable(uuid()))
        .required("publicMetadata", bag())
        .required("privateMetadata", bag())
        .required("createdAt", instant());

    Member = Object::reply()
        .required("organizationId", uuid())
        .required("userId", uuid())
        .required("role", text())
        .optional("roleName", nullable(text()))
        .required("publicMetadata", bag())
        .required("privateMetadata", bag())
        .required("joinedAt", instant());

    Membership = Object::reply()
        .required("organizationId", uuid())
        .required("name", text())
        .optional("slug", nullable(text()))
        .required("role", text())
        .optional("roleName", nullable(text()))
        .required("publicMetadata", bag())
        .required("privateMetadata", bag())
        .required("joinedAt", instant());

    UpdateMetadata = Object::request()
        .optional("publicMetadata", bag())
        .optional("privateMetadata", bag());

    Invitation = invitation();

    InvitationDetail = invitation()
        .required("publicMetadata", bag())
        .required("privateMetadata", bag());

    CreateInvitation = Object::request()
        .required("email", text())
        .optional("expiresInDays", nullable(int32()))
        .optional("redirectUrl", nullable(text()))
        .required("publicMetadata", bag())
        .required("privateMetadata", bag());

    CreateImpersonationToken = Object::request()
        .required("actorUserId", uuid())
        .required("reason", json!({ "type": "string", "minLength": 1, "maxLength": MAX_REASON_CHARS }))
        .optional("redirectUrl", nullable(text()))
        .optional("expiresInSeconds", nullable(impersonation_lifetime()));

    ImpersonationToken = Object::reply()
        .required("token", text())
        .required("expiresInSeconds", int64())
        .optional("url", nullable(text()));

    AllowedOrigins = Object::reply().required("origins", list(text()));

    SetAllowedOrigins = Object::request().required("origins", list(text()));

    Problem = Object::reply()
        .optional("type", json!({ "type": "string", "format": "uri" }))
        .optional("title", text())
        .optional("status", int32())
        .optional("detail", text())
        .optional("instance", json!({ "type": "string", "format": "uri" }))
        .optional("code", text())
        .optional("supportId", text())
        .optional("invitationStatus", invitation_statuses());
}

fn locales() -> Value {
    one_of(Locale::KNOWN.iter().map(Locale::as_str))
}

fn statuses() -> Value {
    let mut statuses = list(one_of(UserStatus::KNOWN.iter().map(UserStatus::as_str)));
    statuses["uniqueItems"] = json!(true);
    statuses
}

fn invitation_statuses() -> Value {
    one_of(InvitationStatus::KNOWN.iter().map(InvitationStatus::as_str))
}

fn impersonation_lifetime() -> Value {
    let mut seconds = int64();
    seconds["minimum"] = json!(IMPERSONATION_LIFETIME_SECONDS.start());
    seconds["maximum"] = json!(IMPERSONATION_LIFETIME_SECONDS.end());
    seconds
}

fn invitation() -> Object {
    Object::reply()
        .required("id", uuid())
        .required("environmentId", uuid())
        .required("email", text())
        .required("status", invitation_statuses())
        .required("expiresAt", instant())
        .required("createdAt", instant())
        .optional("acceptedAt", nullable(instant()))
        .optional("revokedAt", nullable(instant()))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde::de::{DeserializeOwned, Deserializer, Error as _, Visitor};
    use serde::{Serialize, forward_to_deserialize_any};

    use super::*;

    #[test]
    fn a_request_is_described_as_it_is_read() {
        check_request::<CreateUser>();
        check_request::<UpdateUser>();
        check_request::<UpdateUserMetadata>();
        check_request::<UserFilter>();
        check_request::<UpdateMetadata>();
        check_request::<CreateInvitation>();
        check_request::<CreateImpersonationToken>();
        check_request::<SetAllowedOrigins>();
    }

    #[test]
    fn a_reply_is_described_as_it_is_written() {
        check_reply::<User>();
        check_reply::<Session>();
        check_reply::<Organization>();
        check_reply::<Member>();
        check_reply::<Membership>();
        check_reply::<Invitation>();
        check_reply::<InvitationDetail>();
        check_reply::<ImpersonationToken>();
        check_reply::<AllowedOrigins>();
    }

    /// Every field is a property; one can be left out or be `null` exactly if the schema says so.
    fn check_request<T: Described + DeserializeOwned>() {
        let schema = component::<T>();
        let properties = schema["properties"].as_object().expect("properties");
        let fields: BTreeSet<&str> = fields_of::<T>().iter().copied().collect();
        assert_eq!(names(&schema), fields, "{schema}");
        let whole = sample(&schema, |_| true);
        let reads = |body: &Value| serde_json::from_value::<T>(body.clone()).is_ok();
        assert!(reads(&whole), "{whole}");
        for (name, property) in properties {
            let mut without = whole.clone();
            without.as_object_mut().expect("an object").remove(name);
            assert_eq!(reads(&without), !is_required(&schema, name), "without {name}");
            let mut with_null = whole.clone();
            with_null[name] = Value::Null;
            assert_eq!(reads(&with_null), property["type"].is_array(), "{name}: null");
        }
    }

    /// From the required members alone the type makes all that are described. A member is required or may be `null`.
    fn check_reply<T: Described + Serialize + DeserializeOwned>() {
        let schema = component::<T>();
        let least = sample(&schema, |name| is_required(&schema, name));
        let read: T = serde_json::from_value(least).expect("the required members suffice");
        let written = serde_json::to_value(read).expect("JSON");
        let members: BTreeSet<&str> = written
            .as_object()
            .expect("an object")
            .keys()
            .map(String::as_str)
            .collect();
        assert_eq!(names(&schema), members);
        for (name, property) in schema["properties"].as_object().expect("properties") {
            let nullable = property["type"].is_array();
            assert_ne!(nullable, is_required(&schema, name), "{name}");
            assert_eq!(written[name].is_null(), nullable, "{name}");
        }
    }

    fn component<T: Described>() -> Value {
        let mut schemas = Schemas::default();
        T::schema(&mut schemas);
        let (_, schema) = schemas.into_components().into_iter().next().expect("a schema");
        schema
    }

    fn names(schema: &Value) -> BTreeSet<&str> {
        let properties = schema["properties"].as_object().expect("properties");
        properties.keys().map(String::as_str).collect()
    }

    fn is_required(schema: &Value, name: &str) -> bool {
        let required = schema["required"].as_array();
        required.is_some_and(|names| names.iter().any(|required| required == name))
    }

    fn sample(schema: &Value, wanted: impl Fn(&str) -> bool) -> Value {
        let properties = schema["properties"].as_object().expect("properties");
        let members = properties.iter().filter(|(name, _)| wanted(name));
        Value::Object(
            members
                .map(|(name, property)| (name.clone(), value(property)))
                .collect(),
        )
    }

    fn value(schema: &Value) -> Value {
        let kind = schema["type"].as_str().or(schema["type"][0].as_str());
        match (kind.expect("a type"), schema["format"].as_str()) {
            ("string", Some("uuid")) => json!("01931a73-8b00-7000-8000-000000000000"),
            ("string", Some("date-time")) => json!("2026-05-16T09:30:00Z"),
            ("string", _) => schema["enum"].get(0).cloned().unwrap_or(json!("text")),
            ("integer", _) => json!(60),
            ("array", _) => json!([value(&schema["items"])]),
            ("object", _) => json!({}),
            (kind, _) => panic!("no sample of {kind}"),
        }
    }

    /// The names of a struct's fields, as its reader asks for them.
    fn fields_of<T: DeserializeOwned>() -> &'static [&'static str] {
        struct Ask<'a>(&'a mut &'static [&'static str]);

        impl<'de> Deserializer<'de> for Ask<'_> {
            type Error = serde_json::Error;

            fn deserialize_struct<V: Visitor<'de>>(
                self,
                _: &'static str,
                fields: &'static [&'static str],
                _: V,
            ) -> Result<V::Value, Self::Error> {
                *self.0 = fields;
                Err(Self::Error::custom("asked"))
            }

            fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Self::Error> {
                Err(Self::Error::custom("not a struct"))
            }

            forward_to_deserialize_any! {
                bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit
                unit_struct newtype_struct seq tuple tuple_struct map enum identifier ignored_any
            }
        }

        let mut fields: &'static [&'static str] = &[];
        let _ = T::deserialize(Ask(&mut fields));
        fields
    }
}
