"""Flask: `current_auth` is a `ToriiAuth`, whose claims take the type that a view names."""

from flask import Flask
from pydantic import BaseModel
from torii_backend import Require, ToriiAuth
from torii_backend.flask import Torii, current_auth
from typing_extensions import assert_type


class MyClaims(BaseModel):
    plan: str


app = Flask(__name__)
torii = Torii(app, issuer="https://acme.torii.so", claims=MyClaims)


@app.get("/plan")
@torii.require_auth(require=Require(verified_email=True))
def plan() -> str:
    auth: ToriiAuth[MyClaims] = current_auth
    assert_type(current_auth.user_id, str)
    assert_type(auth.claims, MyClaims)
    current_auth.user  # expect-error
    return auth.claims.plan


Torii(app, issuer="https://acme.torii.so", cookies="session")  # expect-error
torii.require_auth(require="org:administrator")  # expect-error
torii.require_auth(role="org:administrator")  # expect-error
