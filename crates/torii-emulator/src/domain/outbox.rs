//! Mail that a torii would send, and that the emulator shows to tests instead.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::Serialize;
use torii_backend_types::{EnvironmentId, InvitationId, Timestamp};

use crate::records::CodePurpose;

/// How many mails are remembered; the oldest are forgotten first.
const MAX_MAILS: usize = 1_000;

/// A mail that would have been sent. `Debug` shows neither its link, which holds a token, nor its code.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Mail {
    /// What it is about.
    pub kind: MailKind,
    /// Whom it is for.
    pub to: String,
    /// Where it leads, if it leads anywhere.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
    /// The code to type, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// Which environment sends it.
    pub environment_id: EnvironmentId,
    /// The invitation that it brings, if it brings one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub invitation_id: Option<InvitationId>,
    /// When it was sent, by the emulator's clock.
    pub sent_at: Timestamp,
}

/// What a mail is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum MailKind {
    /// An invitation to sign up.
    Invitation,
    /// A code that confirms the address of who signs up.
    SignUpCode,
    /// A code by which a forgotten password is replaced.
    PasswordResetCode,
}

impl Mail {
    pub(super) fn with_code(
        purpose: CodePurpose,
        to: String,
        code: String,
        environment_id: EnvironmentId,
        sent_at: Timestamp,
    ) -> Self {
        Self {
            kind: match purpose {
                CodePurpose::SignUp => MailKind::SignUpCode,
                CodePurpose::PasswordReset => MailKind::PasswordResetCode,
            },
            to,
            link: None,
            code: Some(code),
            environment_id,
            invitation_id: None,
            sent_at,
        }
    }
}

impl fmt::Debug for Mail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mail")
            .field("kind", &self.kind)
            .field("to", &self.to)
            .field("sent_at", &self.sent_at)
            .finish_non_exhaustive()
    }
}

/// In memory only: links and codes are in the clear. Clones are the same outbox.
#[derive(Clone, Default)]
pub(crate) struct Outbox {
    mails: Arc<Mutex<VecDeque<Mail>>>,
}

impl Outbox {
    pub(super) fn send(&self, mail: Mail) {
        let mut mails = self.mails();
        if mails.len() == MAX_MAILS {
            mails.pop_front();
        }
        mails.push_back(mail);
    }

    /// In the order in which they were sent.
    pub(crate) fn list(&self) -> Vec<Mail> {
        self.mails().iter().cloned().collect()
    }

    pub(crate) fn clear(&self) {
        self.mails().clear();
    }

    fn mails(&self) -> MutexGuard<'_, VecDeque<Mail>> {
        self.mails.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
