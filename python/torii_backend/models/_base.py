"""What all models have in common."""

# ruff: noqa: FA100 (pydantic evaluates the annotations, on Python 3.9 too)

import pprint
from collections.abc import Mapping
from functools import cached_property
from typing import Any, ClassVar, Optional, Union

from pydantic import BaseModel, ConfigDict, FieldSerializationInfo, field_serializer
from pydantic.alias_generators import to_camel
from typing_extensions import Self

from torii_backend.models._json import plain_json


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

    _none_is_absent: ClassVar[bool] = False

    def to_dict(self) -> dict[str, Any]:
        """Return the document with torii's names, and with what was given and nothing else.

        Ids and instants stay `UUID` and `datetime`; `to_json` has what travels.
        """
        return self.model_dump(by_alias=True, exclude_unset=True, exclude_none=self._none_is_absent)

    def to_json(self) -> str:
        """Return the document as it travels, as text."""
        return self.model_dump_json(by_alias=True, exclude_unset=True, exclude_none=self._none_is_absent)

    def to_str(self) -> str:
        """Return every field, laid out to be read. A password and a token are not shown."""
        hidden = {name for name, field in type(self).model_fields.items() if not field.repr}
        shown = self.model_dump(by_alias=True)
        shown.update({to_camel(name): "***" for name in hidden if getattr(self, name) is not None})
        return pprint.pformat(shown)

    def model_copy(self, *, update: Optional[Mapping[str, Any]] = None, deep: bool = False) -> Self:
        """Copy the document with changes, whose names are snake_case or torii's. They are not checked."""
        return super().model_copy(update=self._named(update or {}), deep=deep)

    @classmethod
    def _named(cls, values: Mapping[str, Any]) -> dict[str, Any]:
        names = {field.alias: name for name, field in cls.model_fields.items()}
        return {names.get(key, key): value for key, value in values.items()}

    @classmethod
    def from_dict(cls, obj: Optional[Mapping[str, Any]]) -> Optional[Self]:
        """Make a model of a document; `None` of `None`."""
        return None if obj is None else cls.model_validate(dict(obj))

    @classmethod
    def from_json(cls, json_str: Union[str, bytes]) -> Optional[Self]:
        """Make a model of a document's text."""
        return cls.model_validate_json(json_str)


class Reply(Model):
    """A document that torii sends. Members that this version does not know are kept, in `model_extra`."""

    model_config = ConfigDict(extra="allow")


class Input(Model):
    """A document that torii is sent. Members that the API does not have are refused.

    What was not given does not travel: `model_fields_set` says what was. To keep or queue a
    document, dump it with `to_json`, or with `exclude_unset=True`, so that what was not given stays so.
    """

    model_config = ConfigDict(extra="forbid")

    @field_serializer(
        "public_metadata", "private_metadata", "unsafe_metadata", when_used="json", check_fields=False
    )
    def _bag(self, bag: Any, info: FieldSerializationInfo) -> Optional[dict[str, Any]]:
        plain: Optional[dict[str, Any]] = plain_json(bag, info.field_name)
        return plain

    def model_copy(self, *, update: Optional[Mapping[str, Any]] = None, deep: bool = False) -> Self:
        """Copy the document with changes, whose names are snake_case or torii's.

        Raises:
            ValidationError: A change cannot be sent.

        """
        copy = super().model_copy(deep=deep)
        return type(self).model_validate({**copy.given(), **self._named(update)}) if update else copy

    @classmethod
    def model_construct(cls, _fields_set: Optional[set[str]] = None, **values: Any) -> Self:
        """Make the document without a check of the values, which is made when it is sent.

        Raises:
            TypeError: The API has no such member.

        """
        unknown = sorted(cls._named(values).keys() - cls.model_fields.keys())
        if unknown:
            raise TypeError(f"{cls.__name__} has no {', '.join(unknown)}")
        return super().model_construct(_fields_set, **values)

    def given_as(self, kind: type["Input"]) -> dict[str, Any]:
        """Return what was given, in whatever way, to be sent as `kind`, of which this may be a subclass."""
        decorators = type(self).__pydantic_decorators__
        own = decorators.field_serializers.keys() - kind.__pydantic_decorators__.field_serializers.keys()
        if own or decorators.model_serializers or decorators.computed_fields:
            raise ValueError(f"body: {type(self).__name__} has serializers of its own, which are not used")
        return self.given()

    def given(self) -> dict[str, Any]:
        """Return what was given, by the constructor, an assignment or any other change."""
        fields, values = type(self).model_fields, {**self.__dict__, **(self.__pydantic_extra__ or {})}
        for name, value in self.__dict__.items():
            if name in fields and name not in self.model_fields_set:
                default = fields[name].get_default(call_default_factory=True)
                if value is default or value == default:
                    del values[name]
            elif isinstance(getattr(type(self), name, None), cached_property):
                del values[name]
        unknown = dict.fromkeys(self.model_fields_set - fields.keys())
        return self._named({**unknown, **values})


class NewInput(Input):
    """A document that torii makes something new of: `None` is the same as what was not given."""

    _none_is_absent = True
