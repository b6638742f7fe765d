"""A target is patched whether it is imported before or after the install, under all its names."""

from __future__ import annotations

import gc
import importlib
import sys
import types
import weakref
from typing import Any

import pytest

from wats_accel.event_bus import EventBus
from wats_accel.patching.patcher import Patcher
from wats_accel.patching.plan import PatchPlan

REPO = (
    "class Repo:\n    def m(self, value): return ('m', value)\n    @classmethod\n    def c(cls): return cls\n"
)
FUNCTION = "def function(value): return ('function', value)\n"


def test_a_class_imported_by_name_before_the_install_is_patched(bench: Any, applications: Any) -> None:
    name = applications.write(REPO)
    user = applications.load(f"from {name} import Repo\n")
    bench.install(f"{name}:Repo.m")
    assert (user.Repo().m(1), bench.calls) == (("m", 1), ["Repo.m"])


def test_an_object_made_before_the_install_is_patched(bench: Any, applications: Any) -> None:
    module = applications.load(REPO)
    repo = module.Repo()
    bench.install(f"{module.__name__}:Repo.m")
    assert (repo.m(1), bench.calls) == (("m", 1), ["Repo.m"])


def test_a_module_imported_later_is_patched_by_its_import(bench: Any, applications: Any) -> None:
    name = applications.write(REPO)
    bench.install(f"{name}:Repo.m", f"{name}:Repo.c")
    assert name not in sys.modules
    assert [str(target) for target in bench.patcher.waiting] == [f"{name}:Repo.m", f"{name}:Repo.c"]
    user = applications.load(f"from {name} import Repo\n")
    assert (bench.patcher.waiting, len(bench.patcher.patched)) == ((), 2)
    assert (user.Repo().m(1), bench.calls) == (("m", 1), ["Repo.m"])
    bench.uninstall()
    assert "__wrapped__" not in vars(vars(user.Repo)["m"])


def test_a_package_and_its_module_imported_later_are_patched(bench: Any, applications: Any) -> None:
    package = applications.write("")
    (applications.folder / f"{package}.py").unlink()
    folder = applications.folder / package
    folder.mkdir()
    (folder / "__init__.py").write_text("from .inner import Repo\n" + FUNCTION, encoding="utf-8")
    (folder / "inner.py").write_text(REPO, encoding="utf-8")
    importlib.invalidate_caches()
    bench.install(f"{package}.inner:Repo.m", f"{package}:function")
    module = importlib.import_module(package)
    assert (module.Repo().m(1), module.function(2)) == (("m", 1), ("function", 2))
    assert bench.calls == ["Repo.m", "function"]


def test_a_module_that_fails_to_import_is_patched_once_it_succeeds(bench: Any, applications: Any) -> None:
    name = applications.write("raise RuntimeError('not yet')\n")
    bench.install(f"{name}:Repo.m")
    with pytest.raises(RuntimeError, match="not yet"):
        importlib.import_module(name)
    module = importlib.import_module(applications.write(REPO + "# of another length, so read again\n", name))
    assert (module.Repo().m(1), bench.calls) == (("m", 1), ["Repo.m"])


def test_nothing_is_patched_by_an_import_after_the_uninstall(bench: Any, applications: Any) -> None:
    name = applications.write(REPO)
    bench.install(f"{name}:Repo.m")
    bench.uninstall()
    assert bench.patcher.waiting == ()
    module = importlib.import_module(name)
    assert (module.Repo().m(1), bench.calls, bench.messages) == (("m", 1), [], [])


def test_what_waits_is_patched_once_after_a_second_install(bench: Any, applications: Any) -> None:
    name = applications.write(REPO)
    for _ in range(2):
        bench.install(f"{name}:Repo.m")
        bench.uninstall()
    bench.install(f"{name}:Repo.m")
    importlib.import_module(name).Repo().m(1)
    assert (bench.calls, bench.messages) == (["Repo.m"], [])


def test_installing_from_within_a_wrapped_import_patches_what_that_imports(
    bench: Any, applications: Any
) -> None:
    inner = applications.write(REPO)
    outer = applications.write(f"import {inner}\n" + FUNCTION)
    bench.install(f"{outer}:function", f"{inner}:Repo.m")
    importlib.import_module(outer)
    assert len(bench.patcher.patched) == 2


# -- module-level functions ------------------------------------------------------------------------


def test_a_function_is_patched_under_all_its_names_and_given_back_under_all(
    bench: Any, applications: Any
) -> None:
    module = applications.load(FUNCTION + "again = function\n")
    user = applications.load(
        f"from {module.__name__} import function\nfrom {module.__name__} import again as own\n"
    )
    original = module.function
    bench.install(f"{module.__name__}:function")
    for function in (module.function, module.again, user.function, user.own):
        assert function(1) == ("function", 1)
    assert bench.calls == ["function"] * 4
    bench.uninstall()
    assert {id(known) for known in (module.function, module.again, user.function, user.own)} == {id(original)}


def test_a_name_that_a_function_got_while_patched_is_given_back_too(bench: Any, applications: Any) -> None:
    module = applications.load(FUNCTION)
    original = module.function
    bench.install(f"{module.__name__}:function")
    user = applications.load(f"from {module.__name__} import function as own\n")
    assert (user.own(1), bench.calls) == (("function", 1), ["function"])
    bench.uninstall()
    assert user.own is original


def test_a_function_that_its_module_gives_when_asked_goes_away_again(bench: Any, applications: Any) -> None:
    module = applications.load(
        "def _hidden(value): return value\ndef __getattr__(name):\n"
        "    if name == 'function': return _hidden\n    raise AttributeError(name)\n"
    )
    bench.install(f"{module.__name__}:function")
    assert (module.function(1), module._hidden(1), bench.calls) == (1, 1, ["function"] * 2)
    bench.uninstall()
    assert "function" not in vars(module)
    assert module.function is vars(module)["_hidden"]


def test_things_in_sys_modules_that_are_no_modules_are_left_alone(
    bench: Any, applications: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = applications.load(FUNCTION)
    oddity: Any = types.SimpleNamespace(function=module.function)
    monkeypatch.setitem(sys.modules, "application_oddity", oddity)
    bench.install(f"{module.__name__}:function")
    assert "__wrapped__" not in vars(oddity.function)


# -- what must not escape --------------------------------------------------------------------------


@pytest.mark.parametrize("error", [ValueError("secret"), KeyError("secret"), RecursionError(), MemoryError()])
def test_no_failure_of_a_rule_escapes_into_the_application_s_import(
    bench: Any, applications: Any, error: Exception
) -> None:
    def wrap(call: Any, info: Any) -> Any:
        raise error

    name = applications.write(REPO)
    bench.install(bench.spec(f"{name}:Repo.m", wrap), f"{name}:Repo.m", f"{name}:Repo.c")
    module = importlib.import_module(name)
    assert bench.messages == [f"{name}:Repo.m: {type(error).__name__} while patching"]
    assert bench.left_out == bench.messages
    assert (module.Repo().m(1), module.Repo.c()) == (("m", 1), module.Repo)
    assert bench.calls == ["Repo.m", "Repo.c"]


def test_no_failure_of_the_resolution_escapes(bench: Any, applications: Any) -> None:
    name = applications.write(
        REPO + "def __getattr__(name): raise ValueError(name)\n"
        "def looping(): pass\nlooping.__wrapped__ = looping\n"
    )
    bench.install(f"{name}:missing", f"{name}:looping", f"{name}:Repo.m")
    module = importlib.import_module(name)
    assert bench.messages == [
        f"{name}:missing: ValueError while patching",
        f"{name}:looping: ValueError while patching",
    ]
    assert (module.Repo().m(1), bench.calls) == (("m", 1), ["Repo.m"])


def test_no_failure_of_a_listener_or_a_callback_escapes(bench: Any, applications: Any) -> None:
    def fail(*_: Any) -> None:
        raise RuntimeError("secret")

    name = applications.write(REPO)
    bench.install(bench.spec(f"{name}:Repo.missing", on_left_out=fail), f"{name}:Repo.m")
    module = importlib.import_module(name)
    assert bench.messages[1:] == [f"{name}:Repo.missing: RuntimeError while its rule was left out"]
    assert (module.Repo().m(1), bench.calls) == (("m", 1), ["Repo.m"])


def test_no_failure_of_the_report_escapes(bench: Any, applications: Any) -> None:
    def fail(_: Any) -> None:
        raise RuntimeError("secret")

    name = applications.write(REPO)
    patcher = Patcher(bus=EventBus(), report=fail)
    patcher.install(PatchPlan.of([bench.spec(f"{name}:Repo.missing"), bench.spec(f"{name}:Repo.m")]))
    module = importlib.import_module(name)
    assert (module.Repo().m(1), bench.calls, len(bench.left_out)) == (("m", 1), ["Repo.m"], 1)
    patcher.uninstall()


# -- patchers that nobody has any more -------------------------------------------------------------


def test_a_dropped_patcher_is_not_kept_alive_and_its_hook_does_nothing(bench: Any, applications: Any) -> None:
    name = applications.write(REPO)
    dropped = Patcher(bus=EventBus(), report=bench.problems.append)
    dropped.install(PatchPlan.of([bench.spec(f"{name}:Repo.m")]))
    reference = weakref.ref(dropped)
    del dropped
    gc.collect()
    assert reference() is None
    module = importlib.import_module(name)
    assert (module.Repo().m(1), bench.calls, bench.messages) == (("m", 1), [], [])


# -- two patchers ----------------------------------------------------------------------------------

ALREADY = "it is patched already; an accelerator can be installed once"


@pytest.mark.parametrize(
    "path",
    [
        "Repo.plain",
        "Repo.of_class",
        "Repo.of_nobody",
        "function",
        "Repo.inherited",
        "Repo.traced",
        "Repo.remembered",
    ],
)
def test_a_second_patcher_is_refused_and_harms_nothing(
    bench: Any, second_bench: Any, sample: Any, path: str
) -> None:
    target = f"{sample.__name__}:{path}"
    bench.install(target)
    second_bench.install(target, f"{sample.__name__}:Repo.everything")
    assert second_bench.messages == [f"{target}: {ALREADY}"]
    assert second_bench.left_out == second_bench.messages
    second_bench.uninstall()
    bench.uninstall()
    second_bench.install(target)
    assert len(second_bench.problems) == 1


@pytest.mark.parametrize("path", ["plain", "of_class", "of_nobody"])
def test_a_second_patcher_is_refused_below_another_library_s_wrapper(
    bench: Any, second_bench: Any, sample: Any, path: str
) -> None:
    bench.install(f"{sample.__name__}:Repo.{path}")
    plain = vars(sample.Repo)[path]
    function = plain.__func__ if path != "plain" else plain
    again = sample.noted(function)
    setattr(sample.Repo, path, again if path == "plain" else type(plain)(again))
    second_bench.install(f"{sample.__name__}:Repo.{path}")
    assert second_bench.messages == [f"{sample.__name__}:Repo.{path}: {ALREADY}"]


def test_a_chain_of_wrappers_that_loops_is_no_concern(bench: Any, second_bench: Any, sample: Any) -> None:
    bench.install(f"{sample.__name__}:Repo.plain")

    def looping(self: Any, value: int) -> int:
        return value

    stand_in = sample.Repo.plain
    looping.__wrapped__ = looping  # type: ignore[attr-defined]  # a broken decorator
    sample.Repo.plain = looping
    bench.uninstall()
    assert sample.Repo.plain is looping
    second_bench.install(f"{sample.__name__}:Repo.plain")
    assert second_bench.messages == [f"{sample.__name__}:Repo.plain: ValueError while patching"]
    assert stand_in(sample.Repo(1), 2) == ("plain", 1, 2)
