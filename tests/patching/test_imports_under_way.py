"""A module whose import is under way when the patcher comes is patched when that import ends."""

from __future__ import annotations

import importlib
import sys
import threading
import types
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from typing import Any

import pytest

from wats_accel.patching import imports

REPO = "class Repo:\n    def m(self, value): return ('m', value)\n"
PAUSE = "from application_gate import gate\ngate.pause()\n"
SECONDS = 30


class Gate:
    """Where a thread stands still until it is let on."""

    def __init__(self) -> None:
        self.reached = threading.Event()
        self.opened = threading.Event()
        self.fails = False

    def pause(self) -> None:
        self.reached.set()
        assert self.opened.wait(SECONDS)
        if self.fails:
            raise RuntimeError("not yet")


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Iterator[Gate]:
    gate = Gate()
    module: Any = types.ModuleType("application_gate")
    module.gate = gate
    monkeypatch.setitem(sys.modules, "application_gate", module)
    yield gate
    gate.opened.set()


Importing = Callable[[str], "Future[Any]"]


@pytest.fixture
def importing(gate: Gate) -> Iterator[Importing]:
    """Begins an import in another thread; gives what it will have imported when the thread stands still."""
    with ThreadPoolExecutor(2) as pool:

        def begin(name: str) -> Future[Any]:
            gate.reached.clear()
            begun = pool.submit(importlib.import_module, name)
            assert gate.reached.wait(SECONDS)
            return begun

        yield begin
        gate.opened.set()


def test_it_is_patched_when_its_import_ends(
    bench: Any, applications: Any, gate: Gate, importing: Importing
) -> None:
    name = applications.write(PAUSE + REPO)
    begun = importing(name)
    bench.install(f"{name}:Repo.m")
    assert [str(target) for target in bench.patcher.waiting] == [f"{name}:Repo.m"]
    gate.opened.set()
    module = begun.result(SECONDS)
    assert (bench.patcher.waiting, len(bench.patcher.patched), bench.messages) == ((), 1, [])
    assert (module.Repo().m(1), bench.calls) == (("m", 1), ["Repo.m"])
    bench.uninstall()
    assert "__wrapped__" not in vars(vars(module.Repo)["m"])


def test_it_is_patched_before_the_import_statement_is_over(
    bench: Any, applications: Any, gate: Gate, importing: Importing
) -> None:
    name = applications.write(PAUSE + REPO)
    user = applications.write(f"from {name} import Repo\nanswer = Repo().m(1)\n")
    begun = importing(user)
    bench.install(f"{name}:Repo.m")
    gate.opened.set()
    assert (begun.result(SECONDS).answer, bench.calls) == (("m", 1), ["Repo.m"])


def test_what_is_there_already_is_patched_at_once_and_the_rest_later(
    bench: Any, applications: Any, gate: Gate, importing: Importing
) -> None:
    name = applications.write(f"def early(value): return value\n{PAUSE}{REPO}")
    begun = importing(name)
    bench.install(f"{name}:early", f"{name}:Repo.m")
    assert [str(target) for target in bench.patcher.patched] == [f"{name}:early"]
    assert sys.modules[name].early(3) == 3
    gate.opened.set()
    begun.result(SECONDS).Repo().m(1)
    assert (bench.calls, bench.messages) == (["early", "Repo.m"], [])


def test_what_the_rest_of_the_module_defines_anew_is_patched_anew(
    bench: Any, applications: Any, gate: Gate, importing: Importing
) -> None:
    name = applications.write(f"{REPO}First = Repo\n{PAUSE}{REPO}")
    begun = importing(name)
    bench.install(f"{name}:Repo.m")
    assert len(bench.patcher.patched) == 1
    gate.opened.set()
    module = begun.result(SECONDS)
    assert module.Repo is not module.First
    assert (module.Repo().m(1), bench.calls, bench.messages) == (("m", 1), ["Repo.m"], [])
    assert "__wrapped__" not in vars(vars(module.First)["m"])


def test_what_is_not_there_in_the_end_is_left_out_then(
    bench: Any, applications: Any, gate: Gate, importing: Importing
) -> None:
    name = applications.write(PAUSE + REPO)
    begun = importing(name)
    bench.install(f"{name}:Repo.missing")
    assert bench.messages == []
    gate.opened.set()
    begun.result(SECONDS)
    assert len(bench.messages) == len(bench.left_out) == 1


def test_an_import_that_fails_is_followed_by_one_that_is_patched(
    bench: Any, applications: Any, gate: Gate, importing: Importing
) -> None:
    name = applications.write(PAUSE + REPO)
    begun = importing(name)
    bench.install(f"{name}:Repo.m")
    gate.fails = True
    gate.opened.set()
    with pytest.raises(RuntimeError, match="not yet"):
        begun.result(SECONDS)
    assert (len(bench.patcher.waiting), bench.messages) == (1, [])
    gate.fails = False
    module = importlib.import_module(name)
    assert (module.Repo().m(1), bench.calls, bench.patcher.waiting) == (("m", 1), ["Repo.m"], ())


def test_after_the_uninstall_nothing_is_patched_by_its_end(
    bench: Any, applications: Any, gate: Gate, importing: Importing
) -> None:
    name = applications.write(PAUSE + REPO)
    begun = importing(name)
    bench.install(f"{name}:Repo.m")
    bench.uninstall()
    gate.opened.set()
    module = begun.result(SECONDS)
    assert (module.Repo().m(1), bench.calls, bench.messages) == (("m", 1), [], [])
    assert "__wrapped__" not in vars(vars(module.Repo)["m"])


def test_installed_twice_during_one_import_it_is_patched_once(
    bench: Any, applications: Any, gate: Gate, importing: Importing
) -> None:
    name = applications.write(PAUSE + REPO)
    begun = importing(name)
    for _ in range(2):
        bench.install(f"{name}:Repo.m")
        bench.uninstall()
    bench.install(f"{name}:Repo.m")
    gate.opened.set()
    begun.result(SECONDS).Repo().m(1)
    assert (bench.calls, bench.messages) == (["Repo.m"], [])


def test_two_patchers_wait_for_one_import(
    bench: Any, second_bench: Any, applications: Any, gate: Gate, importing: Importing
) -> None:
    name = applications.write(PAUSE + REPO + "    def n(self): return 'n'\n")
    begun = importing(name)
    bench.install(f"{name}:Repo.m")
    second_bench.install(f"{name}:Repo.n")
    gate.opened.set()
    repo = begun.result(SECONDS).Repo()
    assert (repo.m(1), repo.n(), bench.calls, second_bench.calls) == (("m", 1), "n", ["Repo.m"], ["Repo.n"])


def test_the_submodule_of_a_package_that_is_half_there_is_patched(
    bench: Any, applications: Any, gate: Gate, importing: Importing
) -> None:
    package = applications.write("")
    (applications.folder / f"{package}.py").unlink()
    folder = applications.folder / package
    folder.mkdir()
    (folder / "__init__.py").write_text(PAUSE, encoding="utf-8")
    (folder / "inner.py").write_text(REPO, encoding="utf-8")
    importlib.invalidate_caches()
    begun = importing(f"{package}.inner")  # the import of the inner one waits for the outer one
    bench.install(f"{package}.inner:Repo.m")
    gate.opened.set()
    assert (begun.result(SECONDS).Repo().m(1), bench.calls) == (("m", 1), ["Repo.m"])


# -- the module is being looked for: it is not even half there -----------------------------------------


class Slow(MetaPathFinder, Loader):
    """Finds one module, and pauses before it makes it: as a driver does, whose library is being loaded."""

    def __init__(self, name: str, gate: Gate) -> None:
        self._name, self._gate = name, gate

    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        return ModuleSpec(fullname, self) if fullname == self._name else None

    def create_module(self, spec: ModuleSpec) -> None:
        self._gate.pause()

    def exec_module(self, module: types.ModuleType) -> None:
        exec(REPO, vars(module))


@pytest.fixture
def slow(gate: Gate, applications: Any) -> Iterator[str]:
    finder = Slow("application_slow", gate)
    sys.meta_path.append(finder)  # this very list: others put their finders in front
    yield "application_slow"
    sys.meta_path.remove(finder)


def test_one_that_is_being_made_is_patched_when_its_import_ends(
    bench: Any, gate: Gate, importing: Importing, slow: str
) -> None:
    begun = importing(slow)
    assert slow not in sys.modules
    bench.install(f"{slow}:Repo.m")
    gate.opened.set()
    assert (begun.result(SECONDS).Repo().m(1), bench.calls) == (("m", 1), ["Repo.m"])


def test_one_that_could_not_be_made_is_patched_when_it_could(
    bench: Any, gate: Gate, importing: Importing, slow: str
) -> None:
    begun = importing(slow)
    bench.install(f"{slow}:Repo.m")
    gate.fails = True
    gate.opened.set()
    with pytest.raises(RuntimeError, match="not yet"):
        begun.result(SECONDS)
    gate.fails = False
    assert importlib.import_module(slow).Repo().m(1) == ("m", 1)
    assert (bench.calls, bench.messages) == (["Repo.m"], [])


# -- who waits for whom ---------------------------------------------------------------------------------


def test_nobody_waits_for_the_import_that_is_under_way(
    bench: Any, applications: Any, gate: Gate, importing: Importing
) -> None:
    name = applications.write(PAUSE + REPO)
    begun = importing(name)
    with ThreadPoolExecutor(1) as pool:  # were it waiting, so would all that follows
        pool.submit(bench.install, f"{name}:Repo.m").result(SECONDS)
        pool.submit(bench.uninstall).result(SECONDS)
    assert not begun.done()


def test_an_import_that_waits_for_the_install_to_end_is_patched(
    bench: Any, applications: Any, gate: Gate, importing: Importing
) -> None:
    name = applications.write(PAUSE + REPO)
    other = applications.load(REPO)
    begun = importing(name)

    def wrap(call: Any, info: Any) -> Any:
        gate.opened.set()  # in the middle of the install the import goes on, and ends
        begun.result(SECONDS)
        return bench.counting("other")(call, info)

    bench.install(f"{name}:Repo.m", bench.spec(f"{other.__name__}:Repo.m", wrap))
    assert (begun.result(SECONDS).Repo().m(1), other.Repo().m(2)) == (("m", 1), ("m", 2))
    assert (bench.calls, bench.messages) == (["Repo.m", "other"], [])


def test_two_threads_that_import_each_other_s_module_get_on(
    bench: Any, applications: Any, gate: Gate, importing: Importing
) -> None:
    one, other = applications.write(""), applications.write("")
    applications.write(f"{PAUSE}import {other}\n{REPO}", one)
    applications.write(f"{PAUSE}import {one}\n{REPO}", other)
    # Each has begun before it is asked for: else Python itself may raise _DeadlockError.
    begun = [importing(one), importing(other)]
    bench.install(f"{one}:Repo.m", f"{other}:Repo.m")
    gate.opened.set()
    modules = [known.result(SECONDS) for known in begun]
    assert [module.Repo().m(1) for module in modules] == [("m", 1)] * 2
    assert (bench.calls, bench.messages) == (["Repo.m"] * 2, [])


# -- in the thread that installs ------------------------------------------------------------------------


@pytest.fixture
def installing(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], object]], str]:
    """Has a module's own text install; gives that text."""

    def text_of(install: Callable[[], object]) -> str:
        module: Any = types.ModuleType("application_installer")
        module.install = install
        monkeypatch.setitem(sys.modules, "application_installer", module)
        return "import application_installer\napplication_installer.install()\n"

    return text_of


def test_a_module_that_installs_while_it_is_imported_is_patched_itself(
    bench: Any, applications: Any, installing: Any
) -> None:
    name = applications.write("")
    text = installing(lambda: bench.install(f"{name}:Repo.m"))
    applications.write(text + REPO, name)
    module = importlib.import_module(name)
    assert (module.Repo().m(1), bench.calls, bench.messages) == (("m", 1), ["Repo.m"], [])


def test_so_is_the_package_that_is_half_there_around_it(
    bench: Any, applications: Any, installing: Any
) -> None:
    outer, inner = applications.write(""), applications.write("")
    applications.write(f"import {inner}\n{REPO}", outer)
    applications.write(installing(lambda: bench.install(f"{outer}:Repo.m", f"{inner}:Repo.m")) + REPO, inner)
    module = importlib.import_module(outer)
    assert (module.Repo().m(1), sys.modules[inner].Repo().m(2)) == (("m", 1), ("m", 2))
    assert (bench.calls, bench.messages) == (["Repo.m"] * 2, [])


def test_a_module_that_never_ends_has_patched_what_was_there(
    bench: Any, applications: Any, gate: Gate, importing: Importing
) -> None:
    name = applications.write(REPO + PAUSE)  # as one whose last line is the main loop
    importing(name)
    bench.install(f"{name}:Repo.m")
    assert (sys.modules[name].Repo().m(1), bench.calls) == (("m", 1), ["Repo.m"])


# -- where the interpreter keeps its locks elsewhere ----------------------------------------------------


@pytest.mark.parametrize("locks", [None, {}, {"*": lambda: object()}], ids=["none", "other", "strange"])
def test_where_no_import_can_be_awaited_the_rule_is_left_out_and_told(
    bench: Any, applications: Any, gate: Gate, importing: Importing, monkeypatch: Any, locks: Any
) -> None:
    name = applications.write(PAUSE + REPO)
    begun = importing(name)
    strange = {name: locks["*"]} if locks else locks
    monkeypatch.setattr(imports, "_import_system", types.SimpleNamespace(_module_locks=strange))
    bench.install(f"{name}:Repo.m")
    assert len(bench.left_out) == 1
    gate.opened.set()
    assert begun.result(SECONDS).Repo().m(1) == ("m", 1)
