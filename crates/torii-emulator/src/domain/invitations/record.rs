//! An invitation as it is kept: its status, its mail and its two views.

use torii_backend_types::{Invitation, InvitationDetail, InvitationStatus, Metadata, Timestamp};
use url::Url;

use crate::clock::from_micros;
use crate::domain::outbox::{Mail, MailKind};
use crate::error::Error;
use crate::records::InvitationRecord;

/// The longest that an invitation can be accepted.
const MAX_INVITATION_DAYS: i32 = 365;
const MICROS_PER_DAY: i64 = 24 * 60 * 60 * 1_000_000;

impl InvitationRecord {
    pub(super) fn status(&self, now: Timestamp) -> InvitationStatus {
        match self {
            Self {
                accepted_at: Some(_), ..
            } => InvitationStatus::Accepted,
            Self {
                revoked_at: Some(_), ..
            } => InvitationStatus::Revoked,
            Self { expires_at, .. } if *expires_at <= now => InvitationStatus::Expired,
            _ => InvitationStatus::Pending,
        }
    }

    pub(in crate::domain) fn check_pending(&self, now: Timestamp) -> Result<(), Error> {
        match self.status(now) {
            InvitationStatus::Pending => Ok(()),
            status => Err(Error::conflict(
                "invitation_not_pending",
                format!("the invitation is {status}: only a pending one can be changed"),
            )
            .with("invitationStatus", status.as_str())),
        }
    }

    pub(super) fn mail(&self, mut sign_up: Url, token: &str, now: Timestamp) -> Mail {
        let mut query = sign_up.query_pairs_mut();
        query.append_pair("token", token);
        if let Some(url) = &self.redirect_url {
            query.append_pair("redirect_url", url);
        }
        drop(query);
        Mail {
            kind: MailKind::Invitation,
            to: self.email.clone(),
            link: Some(sign_up.into()),
            code: None,
            environment_id: self.environment_id,
            invitation_id: Some(self.id),
            sent_at: now,
        }
    }

    pub(super) fn summary(&self, now: Timestamp) -> Invitation {
        Invitation {
            id: self.id,
            environment_id: self.environment_id,
            email: self.email.clone(),
            status: self.status(now),
            expires_at: self.expires_at,
            created_at: self.created_at,
            accepted_at: self.accepted_at,
            revoked_at: self.revoked_at,
            extra: Metadata::new(),
        }
    }

    pub(super) fn detail(&self, now: Timestamp) -> InvitationDetail {
        let Invitation {
            id,
            environment_id,
            email,
            status,
            expires_at,
            created_at,
            accepted_at,
            revoked_at,
            extra,
        } = self.summary(now);
        InvitationDetail {
            id,
            environment_id,
            email,
            status,
            expires_at,
            created_at,
            accepted_at,
            revoked_at,
            public_metadata: self.public_metadata.clone(),
            private_metadata: self.private_metadata.clone(),
            extra,
        }
    }
}

pub(in crate::domain) fn check_lifetime(days: i32) -> Result<(), Error> {
    if !(1..=MAX_INVITATION_DAYS).contains(&days) {
        return Err(Error::invalid(format!(
            "expiresInDays must be within 1–{MAX_INVITATION_DAYS}"
        )));
    }
    Ok(())
}

pub(super) fn expiry(now: Timestamp, days: i32) -> Timestamp {
    from_micros(
        now.as_microsecond()
            .saturating_add(i64::from(days) * MICROS_PER_DAY),
    )
}
