"""Naming: the namespace that the reads of a class would share."""

from __future__ import annotations

import re
from typing import Final

from wats_accel.targets import Target

_ENDINGS: Final = (
    "Repository|Repositories|Repo|Repositorio|Repositório|DAO|Dao|Service|Servico|Serviço|Store|Gateway|"
    "Manager|Model|Queries|Mapper|Provider|Db|DB|Data"
)


def namespace_of(owner: str) -> str:
    """The namespace of a class or module: ``OrderRepository`` gives ``orders``.

    Args:
        owner: as in a configuration.
    """
    target = Target.parse(owner)
    name = target.name or target.module.rpartition(".")[2]
    name = re.sub(rf"(?<=.)(?:{_ENDINGS})$", "", name)
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).strip("_").lower()
    words = re.sub(r"_(?:repository|repo|dao|service|db)$", "", words) or "answers"
    return _plural(words)


def _plural(word: str) -> str:
    if word.endswith(("s", "x")):
        return word
    if re.search(r"[^aeiou]y$", word):
        return f"{word[:-1]}ies"
    return f"{word}s"
