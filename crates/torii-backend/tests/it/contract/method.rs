//! From an operation's name in the contract to the public method.

use std::future::ready;
use std::pin::Pin;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use torii_backend::{Async, Blocking, Call, Error, List, Mode, Torii};

/// A method that has been called, and will bring its reply as JSON.
pub(crate) struct Called {
    /// Whether the method returns a [`List`].
    pub(crate) paged: bool,
    pub(crate) outcome: Outcome,
}

pub(crate) type Outcome = Pin<Box<dyn Future<Output = Result<Value, Error>> + Send>>;

macro_rules! dispatcher {
    ($(#[$doc:meta])* $name:ident, $mode:ty) => {
        $(#[$doc])*
        pub(crate) fn $name(torii: &Torii<$mode>, operation: &str, args: &Value) -> Called {
            let id = |name: &str| args[name].as_str().unwrap().to_owned();
            let (users, sessions) = (torii.users(), torii.sessions());
            let (organizations, invitations) = (torii.organizations(), torii.invitations());
            let (impersonation, origins) = (torii.impersonation(), torii.allowed_origins());
            match operation {
                "users.list" => begin(users.list(&typed(&args["filter"])), args),
                "users.get" => begin(users.get(id("userId")), args),
                "users.create" => begin(users.create(&typed(&args["user"])), args),
                "users.update" => begin(users.update(id("userId"), &typed(&args["patch"])), args),
                "users.update_metadata" => {
                    begin(users.update_metadata(id("userId"), &typed(&args["patch"])), args)
                }
                "users.delete" => begin(users.delete(id("userId")), args),
                "users.ban" => begin(users.ban(id("userId")), args),
                "users.unban" => begin(users.unban(id("userId")), args),
                "sessions.list_for_user" => begin(sessions.list_for_user(id("userId")), args),
                "sessions.revoke" => begin(sessions.revoke(id("userId"), id("sessionId")), args),
                "sessions.revoke_all_for_user" => begin(sessions.revoke_all_for_user(id("userId")), args),
                "organizations.list" => begin(organizations.list(&typed(&args["filter"])), args),
                "organizations.get" => begin(organizations.get(id("organizationId")), args),
                "organizations.update_metadata" => {
                    let patch = typed(&args["patch"]);
                    begin(organizations.update_metadata(id("organizationId"), &patch), args)
                }
                "organizations.list_members" => begin(organizations.list_members(id("organizationId")), args),
                "organizations.update_member_metadata" => {
                    let (organization, user, patch) = (id("organizationId"), id("userId"), typed(&args["patch"]));
                    begin(organizations.update_member_metadata(organization, user, &patch), args)
                }
                "organizations.list_for_user" => begin(organizations.list_for_user(id("userId")), args),
                "invitations.list" => begin(invitations.list(&typed(&args["filter"])), args),
                "invitations.create" => begin(invitations.create(&typed(&args["invitation"])), args),
                "invitations.get" => begin(invitations.get(id("invitationId")), args),
                "invitations.resend" => begin(invitations.resend(id("invitationId")), args),
                "invitations.revoke" => begin(invitations.revoke(id("invitationId")), args),
                "invitations.update_metadata" => {
                    begin(invitations.update_metadata(id("invitationId"), &typed(&args["patch"])), args)
                }
                "impersonation.create_token" => {
                    begin(impersonation.create_token(id("userId"), &typed(&args["token"])), args)
                }
                "allowed_origins.list" => begin(origins.list(), args),
                "allowed_origins.set" => begin(origins.set(typed::<Vec<String>>(&args["origins"])), args),
                other => panic!("the contract lists {other}, which has no method"),
            }
        }
    };
}

dispatcher!(
    /// Calls a method of the asynchronous client. The call is made when its outcome is awaited.
    call,
    Async
);
dispatcher!(
    /// Calls a method of the blocking client. The call has been made when this returns.
    call_blocking,
    Blocking
);

fn begin<T: Unmade>(made: T, args: &Value) -> Called {
    Called {
        paged: T::PAGED,
        outcome: made.page(args).make(),
    }
}

fn typed<T: DeserializeOwned>(args: &Value) -> T {
    serde_json::from_value(args.clone()).unwrap()
}

/// What a method returns.
trait Unmade: Sized {
    const PAGED: bool = false;

    fn page(self, args: &Value) -> Self {
        let page = args.get("limit").or(args.get("cursor"));
        assert!(page.is_none(), "{args}: this is no list");
        self
    }

    fn make(self) -> Outcome;
}

impl<T: Serialize + Send + 'static> Unmade for Call<Async, T> {
    fn make(self) -> Outcome {
        let call = self.into_future();
        Box::pin(async { call.await.map(|value| json!(value)) })
    }
}

impl<T: Serialize> Unmade for Call<Blocking, T> {
    fn make(self) -> Outcome {
        Box::pin(ready(self.send().map(|value| json!(value))))
    }
}

impl<T: Serialize + DeserializeOwned + Send + 'static> Unmade for List<Async, T> {
    const PAGED: bool = true;

    fn page(self, args: &Value) -> Self {
        page_of(self, args)
    }

    fn make(self) -> Outcome {
        let page = self.into_future();
        Box::pin(async { page.await.map(|page| json!(page)) })
    }
}

impl<T: Serialize + DeserializeOwned> Unmade for List<Blocking, T> {
    const PAGED: bool = true;

    fn page(self, args: &Value) -> Self {
        page_of(self, args)
    }

    fn make(self) -> Outcome {
        Box::pin(ready(self.send().map(|page| json!(page))))
    }
}

fn page_of<M: Mode, T: DeserializeOwned>(list: List<M, T>, args: &Value) -> List<M, T> {
    let list = match args["limit"].as_u64() {
        Some(limit) => list.limit(limit.try_into().unwrap()),
        None => list,
    };
    match args["cursor"].as_str() {
        Some(cursor) => list.cursor(cursor.to_owned()),
        None => list,
    }
}
