"""At exit, in every order: the application ends as it would have ended, and says no more than it would."""

from __future__ import annotations

import os
from collections.abc import Callable
from subprocess import CompletedProcess

import pytest

# What happens around the end, and what the program says then.
ENDINGS = {
    "the application's own atexit function, registered before, runs after everything is put back": (
        """
        atexit.register(lambda: say(is_patched(), reads()))
        wats_accel.install("accel.yaml")
        say(reads())
        """,
        "1\nFalse 2\n",
    ),
    "one that is registered later runs before, accelerated": (
        """
        wats_accel.install("accel.yaml")
        atexit.register(lambda: say(is_patched(), reads()))
        say(reads())
        """,
        "1\nTrue 0\n",
    ),
    "an atexit function uninstalls itself": (
        """
        accelerator = wats_accel.install("accel.yaml")
        atexit.register(lambda: say(reads(), accelerator.uninstall(), is_patched(), reads()))
        """,
        "1 None False 2\n",
    ),
    "an atexit function installs": (
        """
        atexit.register(lambda: say(wats_accel.install("accel.yaml").installed, reads()))
        """,
        "True 1\n",
    ),
    "logging has been shut down": (
        """
        logging.basicConfig(filename="app.log", level=logging.DEBUG)
        wats_accel.install("accel.yaml")
        say(reads())
        logging.shutdown()
        """,
        "1\n",
    ),
    "logging has been shut down, and the file of the log may not be written again": (
        """
        logging.basicConfig(filename="app.log", level=logging.DEBUG, filemode="w")
        wats_accel.install("accel.yaml")
        say(reads())
        logging.shutdown()
        atexit.register(lambda: os.mkdir("app.log"))
        os.unlink("app.log")
        """,
        "1\n",
    ),
    "the stream of a handler is closed": (
        """
        stream = open("app.log", "w")
        logging.basicConfig(stream=stream, level=logging.DEBUG)
        wats_accel.install("accel.yaml")
        say(reads())
        stream.close()
        """,
        "1\n",
    ),
    "all handlers are gone": (
        """
        logging.basicConfig(filename="app.log", level=logging.DEBUG)
        wats_accel.install("accel.yaml")
        say(reads())
        for handler in logging.root.handlers[:]:
            handler.close()
            logging.root.removeHandler(handler)
        """,
        "1\n",
    ),
    "there were never any handlers": (
        """
        wats_accel.install("accel.yaml")
        say(reads())
        """,
        "1\n",
    ),
    "the standard streams are closed": (
        """
        logging.basicConfig(stream=sys.stdout, level=logging.WARNING)
        accelerator = wats_accel.install("accel.yaml")
        say(reads())
        sys.stdout.close()
        """,
        "1\n",
    ),
    "the standard streams are None": (
        """
        logging.basicConfig(level=logging.DEBUG, filename="app.log")
        wats_accel.install("accel.yaml")
        say(reads())
        sys.stdout = sys.stderr = sys.__stdout__ = sys.__stderr__ = None
        """,
        "1\n",
    ),
    "when threads are being ended": (
        """
        accelerator = wats_accel.install("accel.yaml")
        threading._register_atexit(lambda: say(reads(), accelerator.uninstall(), is_patched(), reads()))
        """,
        "1 None False 2\n",
    ),
    "installed when threads are being ended": (
        """
        threading._register_atexit(lambda: say(wats_accel.install("accel.yaml").installed, reads()))
        """,
        "True 1\n",
    ),
    "a thread leaves by sys.exit": (
        """
        accelerator = wats_accel.install("accel.yaml")
        def leave():
            say(reads())
            sys.exit(3)
        thread = threading.Thread(target=leave)
        thread.start()
        thread.join()
        say(is_patched(), reads())
        """,
        "1\nTrue 0\n",
    ),
    "daemon threads are inside of cached methods and writes": (
        """
        logging.basicConfig(filename="app.log", level=logging.DEBUG)
        inside, never = threading.Barrier(9), threading.Event()
        real = UserRepository.get_user
        def get_user(self, name):
            if threading.current_thread() is not threading.main_thread():
                inside.wait()
                never.wait()
            return real(self, name)
        def rename_user(self, name, new):
            inside.wait()
            never.wait()
        UserRepository.get_user, UserRepository.rename_user = get_user, rename_user
        wats_accel.install("accel.yaml")
        say(reads())
        for number in range(4):
            threading.Thread(target=repository.get_user, args=(str(number),), daemon=True).start()
            threading.Thread(target=repository.rename_user, args=("b", "c"), daemon=True).start()
        inside.wait()
        """,
        "1\n",
    ),
    "daemon threads read and write on and on": (
        """
        logging.basicConfig(filename="app.log", level=logging.DEBUG)
        wats_accel.install("accel.yaml")
        say(reads())
        begun = threading.Barrier(5)
        def work():
            begun.wait()
            while True:
                repository.get_user("ada")
                repository.set_user("ada", "admin")
        for _ in range(4):
            threading.Thread(target=work, daemon=True).start()
        begun.wait()
        """,
        "1\n",
    ),
    "a bound method from before is called by the last finalizers of all": (
        """
        class Last:
            def __init__(self):
                self.read, self.write = repository.get_user, repository.set_user
                self.say = os.write
            def __del__(self):
                self.write("ada", "guest")
                self.say(1, self.read("ada").encode() + b"\\n")
        accelerator = wats_accel.install("accel.yaml")
        say(reads())
        sys.modules["last"] = Last()
        """,
        "1\nguest\n",
    ),
    "so, while it is installed still, since nothing runs at exit": (
        """
        class Last:
            def __init__(self):
                self.read, self.write = repository.get_user, repository.set_user
                self.say = os.write
            def __del__(self):
                self.write("ada", "guest")
                self.say(1, self.read("ada").encode() + b"\\n")
        accelerator = wats_accel.install("accel.yaml")
        say(reads())
        sys.modules["last"] = Last()
        atexit._clear()
        """,
        "1\nguest\n",
    ),
    "the last finalizer uninstalls": (
        """
        class Last:
            def __init__(self):
                self.accelerator = accelerator
                self.say = os.write
            def __del__(self):
                self.accelerator.uninstall()
                self.say(1, b"uninstalled\\n")
        accelerator = wats_accel.install("accel.yaml")
        say(reads())
        sys.modules["last"] = Last()
        atexit._clear()
        """,
        "1\nuninstalled\n",
    ),
    "a forgotten accelerator": (
        """
        from wats_accel.runtime import Accelerator
        Accelerator("accel.yaml").install()
        say(reads())
        """,
        "1\n",
    ),
}


@pytest.mark.soak
@pytest.mark.parametrize("ending", list(ENDINGS)[:: 1 if os.environ.get("WATS_ACCEL_SOAK") == "1" else 4])
def test_the_program_ends_as_ever(run: Callable[..., CompletedProcess[str]], ending: str) -> None:
    program, said = ENDINGS[ending]
    assert run(program).stdout == said
