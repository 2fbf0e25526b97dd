//! Mail that a torii would send, and that the emulator shows to tests instead.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::Serialize;
use torii_backend_types::{EnvironmentId, InvitationId, Timestamp};

/// How many mails are remembered; the oldest are forgotten first.
const MAX_MAILS: usize = 1_000;

/// A mail that would have been sent. `Debug` does not show its link, which holds a token.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Mail {
    /// What it is about.
    pub kind: MailKind,
    /// Whom it is for.
    pub to: String,
    /// Where it leads.
    pub link: String,
    /// Which environment sends it.
    pub environment_id: EnvironmentId,
    /// The invitation that it brings.
    pub invitation_id: InvitationId,
    /// When it was sent, by the emulator's clock.
    pub sent_at: Timestamp,
}

/// What a mail is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum MailKind {
    /// An invitation to sign up.
    Invitation,
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

/// In memory only: links are tokens in the clear. Clones are the same outbox.
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
