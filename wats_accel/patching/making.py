"""Making: from a patch and what stands at its target to a stand-in, or to the reason why there is none."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from types import ModuleType
from typing import Any

from wats_accel.errors import Problem, TargetError, TargetNotFoundError, UnsupportedTargetError
from wats_accel.patching.installation import Installation
from wats_accel.patching.plan import Patch, PatchSpec
from wats_accel.patching.resolver import Found, resolve
from wats_accel.patching.stand_in import stand_in
from wats_accel.patching.standing import has_stand_in
from wats_accel.patching.wrapping import while_patching, wrapped

Report = Callable[[Problem], None]
"""Where the patcher says what it had to leave out."""


class StandInMaker:
    """Makes stand-ins. Raises nothing: what does not fit is left out, and told.

    Args:
        report: told of each spec that had to be left out.
    """

    def __init__(self, report: Report) -> None:
        self._report = report

    def found(self, module: ModuleType, patch: Patch) -> Found | None:
        """What stands at the target of a patch; None if that is nothing that can be patched."""
        try:
            return resolve(module, patch.target, needs_signature=patch.needs_signature)
        except TargetError as error:
            self.leave_out(patch.specs, str(error))
        except Exception as error:  # noqa: BLE001 - what classes and modules raise when they are looked at
            self.leave_out(patch.specs, while_patching(error))
        return None

    @staticmethod
    def is_there(module: ModuleType, patch: Patch) -> bool:
        """Whether anything stands at the target of a patch yet; nothing is told."""
        try:
            resolve(module, patch.target, needs_signature=patch.needs_signature)
        except TargetNotFoundError:
            return False
        except Exception:  # noqa: BLE001 - something is there, and `found` says what is wrong with it
            return True
        return True

    def prepared(self, patch: Patch, found: Found) -> Installation | None:
        """As `made`, where nothing of ours stands yet."""
        if has_stand_in(found):
            self.leave_out(patch.specs, "it is patched already; an accelerator can be installed once")
            return None
        return self.made(patch, found)

    def made(self, patch: Patch, found: Found) -> Installation | None:
        """The stand-in of a patch, put nowhere yet; None if no rule fits what was found."""
        left_out: list[PatchSpec] = []

        def leave_out(specs: Iterable[PatchSpec], why: str) -> None:
            left_out.extend(specs)
            self.leave_out(specs, why)

        try:
            wrapper = wrapped(found, patch.specs, leave_out)
            if wrapper is not None:
                return Installation(patch, found, _sound(stand_in(found, _sound(wrapper))), not left_out)
        except TargetError as error:
            self.leave_out(patch.specs, str(error))
        except Exception as error:  # noqa: BLE001 - as above
            self.leave_out(patch.specs, while_patching(error))
        return None

    def leave_out(self, specs: Iterable[PatchSpec], why: str) -> None:
        """Report what is not applied, and tell each rule, which may have to degrade toward freshness."""
        for spec in specs:
            self.tell(Problem(why, spec.key_path, target=str(spec.target)))
            try:
                spec.on_left_out(f"{spec.target}: {why}")
            except Exception as error:  # noqa: BLE001 - the others must be told all the same
                failed = f"{type(error).__name__} while its rule was left out"
                self.tell(Problem(failed, spec.key_path, target=str(spec.target)))

    def tell(self, problem: Problem) -> None:
        """Report a problem. Raises nothing."""
        try:
            self._report(problem)
        except Exception:
            logging.getLogger("wats_accel").debug("problem not reported: %s", problem, exc_info=True)


def _sound(made: Any) -> Any:
    """What can stand in for a method, or be called by what does.

    Raises:
        UnsupportedTargetError: it is nothing of the kind.
    """
    if not callable(made) and not isinstance(made, (staticmethod, classmethod)):
        raise UnsupportedTargetError("what was made of it cannot be called")
    return made
