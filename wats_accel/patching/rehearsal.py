"""The rehearsal: everything that installing a plan would do, but for putting anything in place."""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Iterator
from types import ModuleType

from wats_accel.errors import Problem, TargetError, TargetNotFoundError
from wats_accel.patching.plan import Patch, PatchPlan, PatchSpec
from wats_accel.patching.resolver import resolve
from wats_accel.patching.wrapping import while_patching, wrapped


def rehearse(plan: PatchPlan) -> list[Problem]:
    """Import every module that the plan names, and say what could not be patched.

    The application's modules are really imported, with whatever that does.
    """
    return [problem for patch in plan for problem in _rehearse_one(patch)]


def _rehearse_one(patch: Patch) -> Iterable[Problem]:
    problems: list[Problem] = []

    def leave_out(specs: Iterable[PatchSpec], why: str) -> None:
        problems.extend(_problems(specs, why))

    try:
        found = resolve(_imported(patch), patch.target, needs_signature=patch.needs_signature)
        wrapped(found, patch.specs, leave_out)
    except TargetError as error:
        leave_out(patch.specs, str(error))
    except Exception as error:  # noqa: BLE001 - as the patcher does
        leave_out(patch.specs, while_patching(error))
    return problems


def _imported(patch: Patch) -> ModuleType:
    try:
        return importlib.import_module(patch.target.module)
    except (Exception, SystemExit) as error:
        # The import system's own texts are harmless; any other might hold a secret.
        text = f": {error}" if isinstance(error, (ImportError, SyntaxError)) else ""
        raise TargetNotFoundError(
            f"the module {patch.target.module} cannot be imported: {type(error).__name__}{text}"
        ) from error


def _problems(specs: Iterable[PatchSpec], why: str) -> Iterator[Problem]:
    for spec in specs:
        yield Problem(why, spec.key_path, target=str(spec.target))
