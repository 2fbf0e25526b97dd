//! What may stand in a user's profile, and how the pieces of a name relate.

use torii_backend_types::{Locale, Password, Patch};

use crate::error::{Error, ErrorKind};
use crate::records::LegacyProfile;

/// Most characters in a first name and in a last name.
pub(super) const MAX_NAME_CHARS: usize = 200;
/// Most characters in an address of a mailbox: 64 before the `@`, 255 after it.
pub(super) const MAX_EMAIL_CHARS: usize = 320;
/// Fewest characters in a password.
pub(super) const MIN_PASSWORD_CHARS: usize = 8;
/// Most characters in a password, so that hashing it stays cheap.
pub(super) const MAX_PASSWORD_CHARS: usize = 1_000;
/// Most characters in every other text of a profile.
pub(super) const MAX_TEXT_CHARS: usize = 1_000;

/// First and last name from a full one: the last word is the last name, and a single word is a first name.
pub(super) fn split_name(full: &str) -> (Option<String>, Option<String>) {
    let full = full.trim();
    match full.rsplit_once(char::is_whitespace) {
        Some((first, last)) => (Some(first.trim_end().to_owned()), Some(last.to_owned())),
        None if full.is_empty() => (None, None),
        None => (Some(full.to_owned()), None),
    }
}

pub(super) fn check_email(email: &str) -> Result<(), Error> {
    check_length("email", email, MAX_EMAIL_CHARS)?;
    let well_formed = email
        .split_once('@')
        .is_some_and(|(local, domain)| is_local_part(local) && is_domain(domain));
    if !well_formed {
        return Err(Error::new(
            ErrorKind::Invalid,
            "invalid_email",
            "email is not an address of the form name@domain",
        ));
    }
    Ok(())
}

pub(super) fn check_password(password: &Password) -> Result<(), Error> {
    let chars = password.expose().chars().count();
    if chars < MIN_PASSWORD_CHARS {
        return Err(Error::new(
            ErrorKind::Invalid,
            "weak_password",
            format!("password must have {MIN_PASSWORD_CHARS} characters or more"),
        ));
    }
    check_length("password", password.expose(), MAX_PASSWORD_CHARS)
}

pub(super) fn check_names(first: Option<&str>, last: Option<&str>) -> Result<(), Error> {
    for (field, name) in [("firstName", first), ("lastName", last)] {
        check_length(field, name.unwrap_or_default(), MAX_NAME_CHARS)?;
    }
    Ok(())
}

pub(super) fn check_locale(locale: &Patch<Locale>) -> Result<(), Error> {
    match locale {
        Patch::Set(Locale::En | Locale::Da) | Patch::Clear | Patch::Keep => Ok(()),
        Patch::Set(_) => Err(Error::invalid("locale must be en, da or null")),
    }
}

pub(super) fn check_legacy(profile: &LegacyProfile) -> Result<(), Error> {
    let LegacyProfile {
        phone,
        address,
        date_of_birth,
    } = profile;
    check_length("phone", phone.as_deref().unwrap_or_default(), MAX_TEXT_CHARS)?;
    check_length("address", address.as_deref().unwrap_or_default(), MAX_TEXT_CHARS)?;
    match date_of_birth.as_deref() {
        Some(text) if !is_date(text) => Err(Error::invalid("dateOfBirth must be a date such as 1815-12-10")),
        _ => Ok(()),
    }
}

pub(super) fn check_length(field: &str, text: &str, most: usize) -> Result<(), Error> {
    if text.chars().count() > most {
        return Err(Error::invalid(format!(
            "{field} must have at most {most} characters"
        )));
    }
    Ok(())
}

/// [`check_length`], and refuses a blank text.
pub(super) fn check_required(field: &str, text: &str, most: usize) -> Result<(), Error> {
    if text.trim().is_empty() {
        return Err(Error::invalid(format!("{field} must not be blank")));
    }
    check_length(field, text, most)
}

fn is_date(text: &str) -> bool {
    text.len() == "YYYY-MM-DD".len() && text.parse::<jiff::civil::Date>().is_ok()
}

fn is_local_part(text: &str) -> bool {
    !text.is_empty()
        && !text.starts_with('.')
        && !text.ends_with('.')
        && !text.contains("..")
        && is_plain(text)
}

fn is_domain(text: &str) -> bool {
    is_plain(text)
        && text
            .split('.')
            .all(|label| !label.is_empty() && !label.starts_with('-') && !label.ends_with('-'))
}

/// Quoted local parts, comments and address lists are not taken.
fn is_plain(text: &str) -> bool {
    !text.contains(|c: char| c.is_whitespace() || c.is_control() || "@\"(),:;<>[\\]".contains(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_splits_at_its_last_space() {
        let cases = [
            ("Ada Lovelace", Some("Ada"), Some("Lovelace")),
            ("Ada King Lovelace", Some("Ada King"), Some("Lovelace")),
            ("Ada", Some("Ada"), None),
            ("  Ada  ", Some("Ada"), None),
            (" ", None, None),
        ];
        for (full, first, last) in cases {
            let (found_first, found_last) = split_name(full);
            assert_eq!(
                (found_first.as_deref(), found_last.as_deref()),
                (first, last),
                "{full:?}"
            );
        }
    }

    #[test]
    fn addresses_that_cannot_be_mailed_are_refused() {
        for good in [
            "ada@example.com",
            "a+b.c@localhost",
            "ærø@blåbær.dk",
            "o'hara@ex-ample.com",
        ] {
            assert_eq!(check_email(good), Ok(()), "{good:?}");
        }
        for bad in [
            "",
            " ",
            "ada",
            "@example.com",
            "ada@",
            "a@b@c",
            "a b@c.dk",
            "a@b..c",
            "a@.b",
            "a@-b.dk",
            ".a@b.dk",
            "a@b.dk\n",
            "<a@b.dk>",
        ] {
            let error = check_email(bad).expect_err(bad);
            assert_eq!(error.code(), "invalid_email", "{bad:?}");
        }
    }
}
