"""The rules of one cached method, as the engine sees them."""

from __future__ import annotations

from dataclasses import field

from wats_accel.cache.ages import AgeRules
from wats_accel.cache.copying import CopyMode
from wats_accel.cache.keys import KeyRules
from wats_accel.cache.results import ResultLiteral
from wats_accel.records import record


@record(frozen=True, slots=True)
class RegionRules:
    """What the configuration says of one cached method. `ttl_seconds` 0: until invalidated.

    `wait_seconds` is how long a call waits for the load of another one before it runs the method itself.
    `reads` are tables, and columns as ``table.column``, that it reads besides what can be seen.
    `verify_share` is the share of hits whose answer is compared with the method's own. With
    `disable_on_difference` the method is switched off when they differ. In the `shadow` no call is answered.
    `whole` is the text of all that its wrapper is made from: a reload keeps the entries if it is the same.
    """

    namespace: str
    method: str
    target: str
    ttl_seconds: float
    key: KeyRules = KeyRules()
    copy_mode: CopyMode = "auto"
    unless_results: tuple[ResultLiteral, ...] = ()
    ages: AgeRules = AgeRules()
    wait_seconds: float = 5.0
    reads: tuple[str, ...] = ()
    verify_share: float = 0.0
    disable_on_difference: bool = False
    shadow: bool = False
    whole: str = field(default="", repr=False)
