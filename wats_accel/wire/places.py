"""Places: where a value belongs, so that it is refused anywhere else."""

from __future__ import annotations

from wats_accel.records import record


@record(frozen=True, slots=True)
class Place:
    """What a value is the answer to. Whoever reads it must name the same.

    Attributes:
        namespace: of the method's answers.
        key: the name of the entry.
        version: which of all answers that have ever had this key it is: a fence's number, or the versions of
            its tables, as far as the reader can find them out without believing whoever keeps the value. Then
            an old value under its own key is refused, too. Empty: any old one is taken.
    """

    namespace: str
    key: str
    version: int | str = ""

    def spelled(self) -> bytes:
        """The same for the same place only."""
        version = b"i%d" % self.version if isinstance(self.version, int) else b"s" + _bytes(self.version)
        parts = (_bytes(self.namespace), _bytes(self.key), version)
        return b"".join([len(part).to_bytes(4, "big") + part for part in parts])


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
