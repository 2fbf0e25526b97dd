//! What a user search asks for, checked and in the form that the store compares.

use torii_backend_types::{Patch, Timestamp, UserFilter, UserId, UserStatus};

use crate::error::Error;
use crate::page::Paging;
use crate::records::{CreatedRange, NameFilter, UserQuery, fold};

/// Most entries in `userIds` and in `emailAddresses`.
pub(crate) const MAX_SELECTORS: usize = 100;

impl UserQuery {
    pub(crate) fn new(filter: UserFilter, paging: Paging<UserId>) -> Result<Self, Error> {
        let UserFilter {
            name,
            user_ids,
            email_addresses,
            email,
            statuses,
            created_after,
            created_before,
            organization_id,
        } = filter;
        check_selectors("userIds", user_ids.as_deref())?;
        check_selectors("emailAddresses", email_addresses.as_deref())?;
        check_statuses(statuses.as_deref())?;
        Ok(Self {
            paging,
            name: match name {
                Patch::Keep => NameFilter::Any,
                Patch::Clear => NameFilter::Missing,
                Patch::Set(part) => NameFilter::Contains(fold(&part)),
            },
            user_ids,
            email_addresses: email_addresses
                .map(|addresses| addresses.iter().map(|address| fold(address)).collect()),
            email: email
                .filter(|part| !part.trim().is_empty())
                .map(|part| fold(&part)),
            statuses,
            created: CreatedRange {
                from: created_after.map(micros_at_or_after),
                // Truncation is the floor of the positive half, which is where users are created.
                until: created_before.map(|instant| instant.as_microsecond()),
            },
            organization_id,
        })
    }
}

fn check_selectors<T>(field: &str, selectors: Option<&[T]>) -> Result<(), Error> {
    match selectors {
        Some(selectors) if selectors.len() > MAX_SELECTORS => Err(Error::invalid(format!(
            "{field} has {} entries; {MAX_SELECTORS} is the most",
            selectors.len()
        ))),
        _ => Ok(()),
    }
}

fn check_statuses(statuses: Option<&[UserStatus]>) -> Result<(), Error> {
    let statuses = statuses.unwrap_or_default();
    let is_odd = |(place, status)| {
        !UserStatus::KNOWN.contains(status) || statuses.iter().take(place).any(|earlier| earlier == status)
    };
    if statuses.iter().enumerate().any(is_odd) {
        return Err(Error::invalid(
            "statuses may hold active, banned and deleted, each once",
        ));
    }
    Ok(())
}

/// The first whole microsecond that is not before `instant`: what the store keeps has no finer parts.
fn micros_at_or_after(instant: Timestamp) -> i64 {
    let micros = instant.as_microsecond();
    let has_rest = instant.as_nanosecond() > i128::from(micros) * 1_000;
    micros + i64::from(has_rest)
}
