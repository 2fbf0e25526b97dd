"""For the reference: the examples of docstrings become blocks of code."""

from __future__ import annotations

import re
from typing import Any

from griffe import Extension, Object

# From a `>>>` to the next empty line.
EXAMPLE = re.compile(r"^( *)>>> .*?(?=\n\s*\n|\Z)", re.DOTALL | re.MULTILINE)


class Examples(Extension):
    def on_object(self, *, obj: Object, **_: Any) -> None:
        if obj.docstring:
            obj.docstring.value = EXAMPLE.sub(r"\1```pycon\n\g<0>\n\1```", obj.docstring.value)
