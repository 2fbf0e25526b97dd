//! The handle by which a test drives the emulator from inside the process.

use std::fmt;
use std::sync::Arc;

use serde_json::{Map, Value};
use tokio::runtime::Handle;
use tokio::task::JoinHandle;
use torii_backend_types::{
    CreateUser, InvitationId, Member, Organization, OrganizationId, Session, User, UserId,
};

use crate::domain::{
    Mail, MintToken, MintedToken, NewMember, NewOrganization, OpenSession, Settings, Snapshot,
};
use crate::engine::Engine;
use crate::error::Error;
use crate::faults::Fault;
use crate::requests::RequestRecord;

/// What `/_emulator/v1` does, as methods. Clones are cheap and drive the same emulator.
///
/// The work runs where the emulator does, so the futures can be awaited on any runtime, and without one.
///
/// After [`Emulator::shutdown`](crate::Emulator::shutdown) the methods that need the store are refused as
/// [`ErrorKind::Unavailable`](crate::ErrorKind::Unavailable).
#[derive(Clone)]
pub struct Control {
    engine: Arc<Engine>,
    runtime: Handle,
}

impl Control {
    /// Its work runs on `runtime`, the emulator's own.
    pub(crate) fn new(engine: Arc<Engine>, runtime: Handle) -> Self {
        Self { engine, runtime }
    }

    /// Signs a token for a user.
    pub async fn mint_token(&self, request: &MintToken) -> Result<MintedToken, Error> {
        let request = request.clone();
        self.run(async move |engine| engine.domain.mint_token(request).await)
            .await
    }

    /// Creates a user of the main environment, as `POST /api/server/v1/users` does.
    pub async fn create_user(&self, request: &CreateUser) -> Result<User, Error> {
        let request = request.clone();
        self.run(async move |engine| {
            let environment = engine.domain.environment(0)?;
            engine.domain.create_user(environment, request).await
        })
        .await
    }

    /// Marks the address of a user as verified, so that tokens say `email_verified`.
    pub async fn verify_email(&self, user: UserId) -> Result<User, Error> {
        self.run(async move |engine| engine.domain.verify_email(user).await)
            .await
    }

    /// Opens a session, as a sign-in would.
    pub async fn open_session(&self, request: &OpenSession) -> Result<Session, Error> {
        let request = request.clone();
        self.run(async move |engine| engine.domain.open_session(request).await)
            .await
    }

    /// Creates an organization.
    pub async fn create_organization(&self, request: &NewOrganization) -> Result<Organization, Error> {
        let request = request.clone();
        self.run(async move |engine| engine.domain.create_organization(request).await)
            .await
    }

    /// Makes a user a member of an organization.
    pub async fn add_member(
        &self,
        organization: OrganizationId,
        request: &NewMember,
    ) -> Result<Member, Error> {
        let request = request.clone();
        self.run(async move |engine| engine.domain.add_member(organization, request).await)
            .await
    }

    /// Accepts an invitation, as signing up through its link would, and returns the user.
    pub async fn accept_invitation(&self, invitation: InvitationId) -> Result<User, Error> {
        self.run(async move |engine| engine.domain.accept_invitation(invitation).await)
            .await
    }

    /// The mails that would have been sent, in that order.
    pub fn outbox(&self) -> Vec<Mail> {
        self.engine.domain.outbox().list()
    }

    /// Forgets the mails.
    pub fn clear_outbox(&self) {
        self.engine.domain.outbox().clear();
    }

    /// What torii's dashboard would configure.
    pub fn settings(&self) -> Settings {
        self.engine.domain.settings().as_ref().clone()
    }

    /// Replaces the settings. In a file they last.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let torii = torii_emulator::Emulator::builder().start().await?;
    /// let mut settings = torii.control().settings();
    /// settings.impersonation.enabled = false;
    /// torii.control().set_settings(&settings).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn set_settings(&self, settings: &Settings) -> Result<(), Error> {
        let settings = settings.clone();
        self.run(async move |engine| engine.domain.change_settings(move |_| Ok(settings)).await)
            .await?;
        Ok(())
    }

    /// Replaces the settings that `changes` names.
    pub(crate) async fn change_settings(&self, changes: Map<String, Value>) -> Result<Settings, Error> {
        self.run(async move |engine| {
            let change = move |settings: &Settings| settings.with(changes);
            engine.domain.change_settings(change).await
        })
        .await
    }

    /// The whole state as a document.
    pub async fn export(&self) -> Result<Snapshot, Error> {
        self.run(async |engine| engine.domain.export().await).await
    }

    /// Replaces the whole state by what was exported, here or by another emulator. Environments are matched by the
    /// order of their secret keys and keep their ids; mails are forgotten, faults and requests stay.
    pub async fn import(&self, snapshot: &Snapshot) -> Result<(), Error> {
        let snapshot = snapshot.clone();
        self.run(async move |engine| engine.domain.import(snapshot).await)
            .await
    }

    /// Signs with a new key from now on, and returns its id. The key before it stays published unless `retire`.
    pub async fn rotate_keys(&self, retire: bool) -> Result<String, Error> {
        self.on_disk(move |engine| engine.domain.keys().rotate(retire))
            .await
    }

    /// Withdraws a published key. The one that signs is refused as a conflict: rotate first.
    pub async fn remove_key(&self, kid: &str) -> Result<(), Error> {
        let kid = kid.to_owned();
        self.on_disk(move |engine| engine.domain.keys().remove(&kid))
            .await
    }

    /// By how many seconds the emulator's clock is ahead of the system's.
    pub fn clock_offset(&self) -> i64 {
        self.engine.domain.clock().offset_seconds()
    }

    /// Moves the emulator's clock, at most by [`MAX_CLOCK_OFFSET_SECONDS`](crate::MAX_CLOCK_OFFSET_SECONDS) either way.
    pub fn set_clock_offset(&self, seconds: i64) -> Result<(), Error> {
        self.engine.domain.clock().set_offset_seconds(seconds)
    }

    /// Adds a fault behind the others.
    pub fn add_fault(&self, fault: Fault) -> Result<(), Error> {
        self.engine.faults.add(fault)
    }

    /// The faults that may still strike, each with the `times` that it has left.
    pub fn faults(&self) -> Vec<Fault> {
        self.engine.faults.list()
    }

    /// Removes every fault.
    pub fn clear_faults(&self) {
        self.engine.faults.clear();
    }

    /// The requests that arrived, in that order. Calls under `/_emulator/v1` are not among them.
    pub fn requests(&self) -> Vec<RequestRecord> {
        self.engine.requests.list()
    }

    /// Forgets the requests that arrived.
    pub fn clear_requests(&self) {
        self.engine.requests.clear();
    }

    /// Forgets all data, settings, mails, faults and requests, and puts the clock right. The signing keys and the
    /// environments' ids stay.
    pub async fn reset(&self) -> Result<(), Error> {
        self.run(async |engine| engine.reset().await).await
    }

    /// Runs `work` where the emulator runs, to its end even if the caller goes away.
    async fn run<T, F>(&self, work: impl FnOnce(Arc<Engine>) -> F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, Error>> + Send + 'static,
    {
        finished(self.runtime.spawn(work(Arc::clone(&self.engine)))).await
    }

    /// Key changes are written to a file.
    async fn on_disk<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Engine) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let engine = Arc::clone(&self.engine);
        finished(self.runtime.spawn_blocking(move || work(&engine))).await
    }
}

async fn finished<T>(task: JoinHandle<Result<T, Error>>) -> Result<T, Error> {
    task.await.unwrap_or_else(|error| match error.is_cancelled() {
        true => Err(Error::unavailable("the local torii has stopped")),
        false => Err(Error::internal(error)),
    })
}

impl fmt::Debug for Control {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Control")
            .field("issuer", &self.engine.domain.issuer())
            .finish_non_exhaustive()
    }
}
