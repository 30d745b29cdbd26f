"""Numbers as a document may hold them: within 64 bits, which no size and no time exceeds."""

from typing import Annotated

from msgspec import Meta

Integer = Annotated[int, Meta(ge=1 - 2**63, le=2**63 - 1)]
# what is there, in bytes or files; a difference of two may be negative
Size = Annotated[int, Meta(ge=0, le=2**63 - 1)]
Number = Annotated[float, Meta(gt=-(2.0**63), lt=2.0**63)]  # so neither NaN nor infinity
