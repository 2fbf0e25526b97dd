//! What requests to the client API bring.

use serde::Deserialize;
use torii_backend_types::{Locale, Metadata, Password, Patch, UpdateUser};

use crate::http::openapi::schema::{Object, bag, boolean, nullable, one_of, text};
use crate::http::openapi::{Described, Schemas, described};

macro_rules! requests {
    ($($(#[$attribute:meta])* $name:ident { $($(#[$field_attribute:meta])* $field:ident: $type:ty),+ $(,)? })+) => {
        $(
            $(#[$attribute])*
            #[derive(Deserialize)]
            #[serde(rename_all = "camelCase", deny_unknown_fields)]
            pub(super) struct $name {
                $($(#[$field_attribute])* pub(super) $field: $type),+
            }
        )+
    };
}

requests! {
    SignUpRequest {
        email: String,
        password: Password,
        #[serde(default)]
        name: Option<String>,
        /// Never asked for here, as no captcha is configured.
        #[serde(default)]
        #[expect(dead_code, reason = "taken and not looked at")]
        captcha_token: Option<String>,
        #[serde(default)]
        legal_consent_accepted: bool,
        #[serde(default)]
        unsafe_metadata: Option<Metadata>,
    }
    CodeRequest { token: String, code: String }
    LogInRequest { email: String, password: Password }
    TokenRequest { token: String }
    EmailRequest { email: String }
    ResetRequest { email: String, code: String, new_password: Password }
    ChangePasswordRequest {
        #[serde(default)]
        current_password: Option<Password>,
        new_password: Password,
    }
    InvitationRequest {
        token: String,
        password: Password,
        #[serde(default)]
        legal_consent_accepted: bool,
    }
    NewOrganizationRequest { name: String }
    ProfileRequest {
        #[serde(default)]
        first_name: Patch<String>,
        #[serde(default)]
        last_name: Patch<String>,
        #[serde(default)]
        locale: Patch<Locale>,
        #[serde(default)]
        unsafe_metadata: Option<Metadata>,
    }
}

impl From<ProfileRequest> for UpdateUser {
    fn from(request: ProfileRequest) -> Self {
        let ProfileRequest {
            first_name,
            last_name,
            locale,
            unsafe_metadata,
        } = request;
        Self {
            first_name,
            last_name,
            locale,
            unsafe_metadata,
            ..Self::default()
        }
    }
}

described! {
    SignUpRequest = Object::request()
        .required("email", text())
        .required("password", text())
        .optional("name", nullable(text()))
        .optional("captchaToken", nullable(text()))
        .optional("legalConsentAccepted", boolean())
        .optional("unsafeMetadata", nullable(bag()));

    CodeRequest = Object::request().required("token", text()).required("code", text());

    LogInRequest = Object::request().required("email", text()).required("password", text());

    TokenRequest = Object::request().required("token", text());

    EmailRequest = Object::request().required("email", text());

    ResetRequest = Object::request()
        .required("email", text())
        .required("code", text())
        .required("newPassword", text());

    ChangePasswordRequest = Object::request()
        .optional("currentPassword", nullable(text()))
        .required("newPassword", text());

    InvitationRequest = Object::request()
        .required("token", text())
        .required("password", text())
        .optional("legalConsentAccepted", boolean());

    NewOrganizationRequest = Object::request().required("name", text());

    ProfileRequest = Object::request()
        .optional("firstName", nullable(text()))
        .optional("lastName", nullable(text()))
        .optional("locale", nullable(one_of(Locale::KNOWN.iter().map(Locale::as_str))))
        .optional("unsafeMetadata", nullable(bag()));
}
