"""What `CryptoPan.packet()` returns."""

from typing import NoReturn, Self


class Anonymised(int):
    """The number of addresses that were replaced in a packet, an int, and what is unknown.

    `unknown` names the layers that may hold addresses and were not looked through, at most eight:
    "ESP", "IP protocol 253", "ethertype 0x88b5". `understood` is True where there is none.
    """

    understood: bool
    unknown: tuple[str, ...]

    def __new__(cls, replaced: int = 0, unknown: tuple[str, ...] = ()) -> Self:
        self = super().__new__(cls, replaced)
        self.__dict__["unknown"] = tuple(unknown)
        self.__dict__["understood"] = not unknown
        return self

    def __reduce__(self) -> tuple[type[Self], tuple[int, tuple[str, ...]]]:
        return type(self), (int(self), self.unknown)

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"an Anonymised can't be changed: {name}")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"an Anonymised can't be changed: {name}")

    __str__ = int.__repr__

    def __repr__(self) -> str:
        return f"Anonymised({int(self)}, unknown={self.unknown!r})"
