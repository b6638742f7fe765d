"""Modules whose `Repo.read` sends ``SELECT 1``, from wherever that text comes."""

from __future__ import annotations

import re


def _cases(text: str) -> dict[str, str]:
    """``{title: module}`` of a text with headings."""
    parts = re.split(r"^## (.+)\n", text, flags=re.MULTILINE)[1:]
    return dict(zip(parts[::2], parts[1::2], strict=True))


ELSEWHERE = _cases("""
## a constant of the module
SQL = 'SELECT 1'
class Repo:
    def read(self): return self.db(SQL)

## a constant made from another
COLUMN = 'SELECT 1'
SQL = COLUMN + ' FROM users'
class Repo:
    def read(self): return self.db(SQL)

## a constant of the class
class Repo:
    _sql = 'SELECT 1'
    def read(self): return self.db(self._sql)

## a mapping
SQL = {'read': ['SELECT 1']}
class Repo:
    def read(self): return self.db(SQL['read'])

## a constant of a base class
class Base:
    SQL = 'SELECT 1'
class Repo(Base):
    def read(self): return self.db(self.SQL)

## a constant of another class
class Queries:
    READ = 'SELECT 1'
class Repo:
    def read(self): return self.db(Queries.READ)

## a function
def sql(): return 'SELECT 1'
class Repo:
    def read(self): return self.db(sql())

## another method
class Repo:
    def read(self): return self._run()
    def _run(self): return self.db('SELECT 1')

## an attribute set by another method
class Repo:
    def __init__(self): self.sql = 'SELECT 1'
    def read(self): return self.db(self.sql)

## a text that is appended to
SQL = 'SELECT 0'
SQL += ' SELECT 1'
class Repo:
    def read(self): return self.db(SQL)

## a constant under a condition
import os
if os.name:
    SQL = 'SELECT 1'
else:
    SQL = 'SELECT 0'
class Repo:
    def read(self): return self.db(SQL)

## an inherited method
SQL = 'SELECT 1'
class Base:
    def read(self): return self.db(SQL)
class Repo(Base): pass

## a nested function
SQL = 'SELECT 1'
class Repo:
    def read(self):
        def run(): return self.db(SQL)
        return run()
""")

KINDS = _cases("""
## a static method
class Repo:
    @staticmethod
    def read(): return 'SELECT 1'

## a class method
class Repo:
    @classmethod
    def read(cls): return 'SELECT 1'

## a generator
class Repo:
    def read(self): yield 'SELECT 1'

## a lambda
class Repo:
    read = lambda self: 'SELECT 1'

## two lambdas in a line
class Repo:
    read, other = lambda self: 'SELECT 1', lambda self: 2

## a partial method
import functools
class Repo:
    def _run(self, a): return 'SELECT 1'
    read = functools.partialmethod(_run, 1)

## an alias
class Repo:
    def _read(self): return 'SELECT 1'
    read = _read

## from another class
class Other:
    def other(self): return 'SELECT 1'
class Repo:
    read = Other.other

## with lru_cache
import functools
class Repo:
    @functools.lru_cache
    def read(self): return 'SELECT 1'

## with a decorator that tells what it wraps
import functools
def deco(f):
    @functools.wraps(f)
    def run(*a): return f(*a)
    return run
class Repo:
    @deco
    def read(self): return 'SELECT 1'

## with a decorator that does not
def deco(f):
    def run(*a): return f(*a)
    return run
class Repo:
    @deco
    def read(self): return 'SELECT 1'

## with a decorator that is a class
class deco:
    def __init__(self, f): self.f = f
    def __call__(self, *a): return self.f(*a)
    def __get__(self, o, t=None): return self
class Repo:
    @deco
    def read(self): return 'SELECT 1'

## with a decorator of wrapt
import wrapt
@wrapt.decorator
def deco(f, i, a, k): return f(*a, **k)
class Repo:
    @deco
    def read(self): return 'SELECT 1'
""")
"""Ways to make a method."""


def with_another_decorator(source: str) -> str:
    """The same module, with a change to the decorator in it."""
    return re.sub(r"return ((?:self\.)?f\()", r"return 0 or \1", source)
