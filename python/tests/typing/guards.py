"""`Require` and `FromPath`: what they are given."""

from torii_backend import FromPath, Require, ToriiAuth


def staff(auth: ToriiAuth) -> bool:
    return auth.user_id.endswith("-staff")


async def waits(auth: ToriiAuth) -> bool:
    return True


def text(auth: ToriiAuth) -> str:
    return "yes"


Require(
    verified_email=True,
    complete_profile=True,
    organization=FromPath("org_id"),
    role="org:administrator",
    claim={"plan": ["pro", "team"], "beta": True},
    impersonation=False,
    max_age=300,
    any_of=[Require(organization=True), Require(organization="organization-1")],
    predicate={"staff": staff, "named": lambda auth: auth.email_verified},
).check(ToriiAuth.for_tests(), {"org_id": "organization-1"}, now=lambda: 1.0)

Require("org:administrator")  # expect-error
Require(roles="org:administrator")  # expect-error
Require(verified_email="yes")  # expect-error
Require(organization=["organization-1"])  # expect-error
Require(organization=1)  # expect-error
Require(role=["org:administrator"])  # expect-error
Require(claim="plan")  # expect-error
Require(impersonation="no")  # expect-error
Require(max_age="300")  # expect-error
Require(any_of=Require())  # expect-error
Require(any_of=[{"role": "org:administrator"}])  # expect-error
Require(predicate=staff)  # expect-error
Require(predicate={"waits": waits})  # expect-error
Require(predicate={"text": text})  # expect-error
Require().check({"sub": "user-1"})  # expect-error
Require().check(None)  # expect-error
FromPath(1)  # expect-error
FromPath()  # expect-error
