//! Our types, operations and wire cases, against torii's published API description.

mod description;
mod shape;

use std::collections::BTreeSet;
use std::path::PathBuf;

use serde_json::{Value, json};
use torii_backend_types::{
    AllowedOrigins, CreateImpersonationToken, CreateInvitation, CreateUser, ImpersonationToken, Invitation,
    InvitationDetail, InvitationStatus, Locale, Member, Membership, Organization, Page, Problem, Session,
    SetAllowedOrigins, UpdateMetadata, UpdateUser, UpdateUserMetadata, User, UserFilter, UserStatus,
};
use url::Url;

use crate::contract::{Case, File, files, rows};
use description::{Description, Endpoint};
use shape::Shape;

/// Names the file with the description, where it is not beside the checkout.
const DESCRIPTION: &str = "TORII_API_DESCRIPTION";
const BESIDE_THE_CHECKOUT: &str = "../../../shared/spec/server-v1.json";

#[test]
fn nothing_has_drifted_from_the_published_description() {
    let Some(description) = published() else { return };
    let found = drift(&description);
    assert!(found.is_empty(), "{}", found.join("\n"));
}

/// Each change is one that torii could publish; beside it, what is found.
#[test]
fn every_kind_of_drift_is_noticed() {
    let Some(published) = published() else { return };
    let (path, schema) = ("/paths/~1api~1server~1v1~1", "/components/schemas/");
    const CREATE_DAYS: &str = "CreateEnvironmentInvitationServerRequest/properties/expiresInDays/format";
    let (text, gone) = (|| json!({"type": "string"}), || Value::Null);
    #[rustfmt::skip] // One change to a line.
    let changes = [
        (path, "hooks", json!({"get": {"responses": {}}}), "operation GET /hooks: described, not ours"),
        (path, "invitations/post", gone(), "operation POST /invitations: ours, not described"),
        (path, "invitations/get/parameters/1", gone(), "parameter search: ours, not described"),
        (path, "invitations/get/parameters/4", json!({"in": "query", "name": "by"}), "parameter by: described"),
        (path, "users/post/responses/201", gone(), "the status 201 is not described"),
        (path, "users/post/responses/409", gone(), "the status 409 is not described"),
        (path, "users/post/responses/201/content", gone(), "a body is described: false"),
        (schema, "Hook", json!({"type": "object", "properties": {}}), "schema Hook: described, not ours"),
        (schema, "UserSessionResponse/properties/device", text(), "member device: described, not ours"),
        (schema, "UserSessionResponse/properties/userAgent", gone(), "member userAgent: ours, not described"),
        (schema, "UserSessionResponse/required", json!(["id"]), "userId: may be absent, and is not read so"),
        (schema, "UserSessionResponse/required/6", json!("ipAddress"), "ipAddress: is required, and not missed"),
        (schema, "UserSessionResponse/properties/id/type", json!(["string", "null"]), "id: may be null"),
        (schema, "UserSessionResponse/properties/id/type", json!("integer"), "a full value is refused: invalid type: integer"),
        (schema, "UserSessionResponse/properties/userAgent/format", json!("date-time"), "takes \"yesterday\""),
        (schema, "UserSessionResponse/properties/userAgent/format", json!("uuid"), "takes \"some text\""),
        (schema, "UserSessionResponse/properties/id/format", gone(), "a full value is refused: UUID parsing failed"),
        (schema, "ServerUserResponse/properties/status/enum/3", json!("asleep"), "status: does not know asleep"),
        (schema, "ServerUserResponse/properties/locale/enum/1", gone(), "no enumeration of ours is [\"en\"]"),
        (schema, "UpdateUserRequest/properties/nickname", text(), "a full value is refused: unknown field `nickname`"),
        (schema, "UpdateUserRequest/properties/lastName", gone(), "member lastName: ours, not described"),
        (schema, "UpdateUserRequest/required", json!(["lastName"]), "lastName: is required, and not missed"),
        (schema, "UpdateUserRequest/properties/lastName/type", json!("string"), "lastName: is never null"),
        (schema, "UpdateUserRequest/properties/unsafeMetadata/type", json!(["object", "null"]), "unsafeMetadata: "),
        (schema, CREATE_DAYS, json!("int64"), "a full value is refused: invalid value"),
        (schema, "ServerUserSearchRequest/properties/email/type", json!("string"), "email: is never null"),
        (schema, "ProblemDetail/properties/hint", text(), "extension of a problem hint: described"),
    ];
    for (base, pointer, value, found) in changes {
        let drift = drift(&published.with(&format!("{base}{pointer}"), value));
        assert!(
            drift.iter().any(|line| line.contains(found)),
            "{pointer}: {drift:#?}"
        );
    }
}

/// The description; without one, `None` and a word about it.
#[expect(clippy::print_stdout, reason = "a test that is skipped says so")]
fn published() -> Option<Description> {
    let named = std::env::var_os(DESCRIPTION).map(PathBuf::from);
    let beside = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(BESIDE_THE_CHECKOUT);
    if named.is_none() && !beside.exists() {
        println!("skipped: no API description at {BESIDE_THE_CHECKOUT}, and {DESCRIPTION} names none");
        return None;
    }
    let text = std::fs::read_to_string(named.unwrap_or(beside)).unwrap();
    Some(Description::new(serde_json::from_str(&text).unwrap()))
}

/// What has drifted, a line for each thing.
fn drift(description: &Description) -> Vec<String> {
    let (rows, files, shapes) = (rows(), files(), shapes());
    let described = description.endpoints().map(|endpoint| endpoint.to_string());
    let mut found = difference("operation", rows.keys().cloned().collect(), described.collect());
    let ours = shapes
        .iter()
        .map(Shape::schema)
        .chain(["ProblemDetail"])
        .map(str::to_owned);
    let described = description.schemas().map(|schema| schema.name().to_owned());
    found.extend(difference("schema", ours.collect(), described.collect()));
    found.extend(shapes.iter().flat_map(|shape| shape.drift(description)));
    found.extend(values(description));
    found.extend(problem(description));
    for endpoint in description.endpoints() {
        let row = rows.get(&endpoint.to_string());
        let file = row.and_then(|row| files.iter().find(|file| file.operation == row.name));
        found.extend(file.into_iter().flat_map(|file| wire_cases(&endpoint, file)));
    }
    found
}

/// Our types, and what the description calls them.
fn shapes() -> Vec<Shape> {
    vec![
        Shape::of::<AllowedOrigins>("AllowedOriginsResponse"),
        Shape::of::<SetAllowedOrigins>("SetAllowedOriginsRequest"),
        Shape::of::<CreateUser>("CreateUserRequest").with_first_generation(),
        Shape::of::<UpdateUser>("UpdateUserRequest").with_first_generation(),
        Shape::of::<UpdateUserMetadata>("UpdateUserMetadataRequest"),
        Shape::of::<UserFilter>("ServerUserSearchRequest"),
        Shape::of::<User>("ServerUserResponse"),
        Shape::of::<Page<User>>("CursorPageResponseServerUserResponse"),
        Shape::of::<Session>("UserSessionResponse"),
        Shape::of::<CreateImpersonationToken>("ServerImpersonationTokenRequest"),
        Shape::of::<ImpersonationToken>("ServerImpersonationTokenResponse"),
        Shape::of::<Organization>("ServerOrganizationResponse"),
        Shape::of::<Page<Organization>>("CursorPageResponseServerOrganizationResponse"),
        Shape::of::<UpdateMetadata>("UpdateOrganizationMetadataRequest"),
        Shape::of::<Member>("ServerOrganizationMemberResponse"),
        Shape::of::<Page<Member>>("CursorPageResponseServerOrganizationMemberResponse"),
        Shape::of::<Membership>("ServerUserOrganizationResponse"),
        Shape::of::<Page<Membership>>("CursorPageResponseServerUserOrganizationResponse"),
        Shape::of::<CreateInvitation>("CreateEnvironmentInvitationServerRequest"),
        Shape::of::<UpdateMetadata>("UpdateEnvironmentInvitationMetadataRequest"),
        Shape::of::<Invitation>("EnvironmentInvitationResponse"),
        Shape::of::<InvitationDetail>("EnvironmentInvitationDetailResponse"),
        Shape::of::<Page<Invitation>>("CursorPageResponseEnvironmentInvitationResponse"),
    ]
}

/// The values that our enumerations know, no more and no fewer. Which enumeration a member has, its [`Shape`] tells.
fn values(description: &Description) -> Vec<String> {
    let texts = |known: &[&str]| known.iter().map(|text| text.to_string()).collect::<BTreeSet<_>>();
    let ours = [
        texts(
            &UserStatus::KNOWN
                .iter()
                .map(|value| value.as_str())
                .collect::<Vec<_>>(),
        ),
        texts(
            &Locale::KNOWN
                .iter()
                .map(|value| value.as_str())
                .collect::<Vec<_>>(),
        ),
        texts(
            &InvitationStatus::KNOWN
                .iter()
                .map(|value| value.as_str())
                .collect::<Vec<_>>(),
        ),
    ];
    let members = description.schemas().flat_map(|schema| schema.members());
    let described = members.map(|member| (member.name().to_owned(), member.values()));
    let strange = described.filter(|(_, values)| !values.is_empty() && !ours.contains(&texts(values)));
    strange
        .map(|(name, values)| format!("{name}: no enumeration of ours is {values:?}"))
        .collect()
}

/// A problem is read leniently and by hand, so it has no [`Shape`].
fn problem(description: &Description) -> Vec<String> {
    let mut sample = description.schema("ProblemDetail").sample();
    sample["status"] = json!(404);
    let problem = Problem::from_json(sample.to_string().as_bytes()).unwrap();
    let named = problem.extensions.keys().cloned().collect();
    let mut found = difference(
        "extension of a problem",
        BTreeSet::from(["properties".to_owned()]),
        named,
    );
    if json!(problem) != sample {
        found.push(format!("ProblemDetail: {} is not {sample}", json!(problem)));
    }
    found
}

/// The wire cases of an operation: what they send and are sent is as described, and every parameter is tried.
fn wire_cases(endpoint: &Endpoint<'_>, File { operation, cases }: &File) -> Vec<String> {
    let tried = cases.iter().flat_map(parameters).collect();
    let mut found = difference("parameter", tried, endpoint.parameters());
    for case in cases {
        let body = case.request.body.as_deref();
        let mut strange = agree(
            endpoint.request(),
            body.map(|body| serde_json::from_str(body).unwrap()),
        );
        match (&case.reply, &case.error) {
            (Some(reply), _) => match endpoint.reply(reply.status) {
                Some(schema) => strange.extend(agree(schema, reply.body.clone())),
                None => strange.push(format!("the status {} is not described", reply.status)),
            },
            (_, Some(error)) if endpoint.refuses() && endpoint.reply(error.status).is_none() => {
                strange.push(format!("the status {} is not described", error.status));
            }
            _ => {}
        }
        found.extend(
            strange
                .iter()
                .map(|strange| format!("{operation}: {}: {strange}", case.behaviour)),
        );
    }
    found
}

fn parameters(case: &Case) -> BTreeSet<String> {
    let url = Url::parse("http://localhost")
        .unwrap()
        .join(&case.request.path)
        .unwrap();
    url.query_pairs().map(|(name, _)| name.into_owned()).collect()
}

fn agree(schema: Option<description::Schema<'_>>, body: Option<Value>) -> Vec<String> {
    match (schema, body) {
        (Some(schema), Some(body)) => schema.faults(&body),
        (None, None) => Vec::new(),
        (schema, _) => vec![format!("a body is described: {}", schema.is_some())],
    }
}

fn difference(what: &str, ours: BTreeSet<String>, described: BTreeSet<String>) -> Vec<String> {
    let new = described
        .difference(&ours)
        .map(|name| format!("{what} {name}: described, not ours"));
    let gone = ours
        .difference(&described)
        .map(|name| format!("{what} {name}: ours, not described"));
    new.chain(gone).collect()
}
