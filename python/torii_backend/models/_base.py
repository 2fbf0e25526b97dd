"""What all models have in common."""

from __future__ import annotations

import pprint
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel

if TYPE_CHECKING:
    from collections.abc import Mapping

    from typing_extensions import Self


class Model(BaseModel):
    """A document of the API: snake_case here and camelCase there, and both are understood."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        validate_by_name=True,
        validate_by_alias=True,
        loc_by_alias=False,
        validate_assignment=True,
        # A document may hold a password or a token.
        hide_input_in_errors=True,
        # JSON has no such numbers. As null, they would delete what they were to set.
        ser_json_inf_nan="constants",
    )

    def to_dict(self) -> dict[str, Any]:
        """Return the document as it travels, with what was given and nothing else."""
        return self.model_dump(by_alias=True, exclude_unset=True)

    def to_json(self) -> str:
        """Return the document as it travels, as text."""
        return self.model_dump_json(by_alias=True, exclude_unset=True)

    def to_str(self) -> str:
        """Return every field, laid out to be read."""
        return pprint.pformat(self.model_dump(by_alias=True))

    @classmethod
    def from_dict(cls, obj: Mapping[str, Any] | None) -> Self | None:
        """Make a model of a document; `None` of `None`."""
        return None if obj is None else cls.model_validate(dict(obj))

    @classmethod
    def from_json(cls, json_str: str | bytes) -> Self | None:
        """Make a model of a document's text."""
        return cls.model_validate_json(json_str)


class Reply(Model):
    """A document that torii sends. Members that this version does not know are kept, in `model_extra`."""

    model_config = ConfigDict(extra="allow")


class Input(Model):
    """A document that torii is sent. Members that the API does not have are refused.

    What was not given does not travel: `model_fields_set` says what was.
    """

    model_config = ConfigDict(extra="forbid")
