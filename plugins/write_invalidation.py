"""The feature ``invalidates:``: a write drops the entries that it makes old."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, Field, StrictBool

from wats_accel.extension import (
    ArgumentReader,
    ConfigSection,
    Finding,
    Invalidator,
    KeyPath,
    KeyPattern,
    Layer,
    MethodInfo,
    MethodName,
    PatchSpec,
    PatternError,
    PluginContext,
    ShortSection,
    Target,
    When,
    WriteRule,
    hookimpl,
    invalidating,
    mapping_at,
    nearest,
    quoted,
    repository_rules,
    rules_given_twice,
    sequence,
)
from wats_accel_plugins.sql_invalidation import mode_of

# -- configuration -------------------------------------------------------------------------------------


def _pattern(text: str) -> str:
    try:
        return KeyPattern.parse(text).text
    except PatternError as error:
        told = str(error) if quoted(text) else "expected a pattern such as 'namespace:method:*'"
        raise ValueError(told) from None


PatternText = Annotated[str, AfterValidator(_pattern)]


class InvalidationRule(ShortSection):
    """What one write drops. In short: one pattern, or a list of patterns."""

    patterns: list[PatternText] = Field(min_length=1)
    """``namespace:*``, ``namespace:method:*``, ``namespace:method:{argument of the write}``."""
    when: When = "always"
    """truthy: not when the write returned something falsy, or a tuple that begins with it."""
    enabled: StrictBool = True
    """False: the write drops nothing, and so what it would drop is not cached."""

    @classmethod
    def lengthened(cls, value: object) -> object:
        """As the base class has it."""
        if isinstance(value, str):
            return {"patterns": [value]}
        if isinstance(value, list):
            return {"patterns": value}
        if not isinstance(value, dict):
            # pydantic's protocol asks for ValueError
            raise ValueError("expected a pattern, a list of patterns, or a mapping")  # noqa: TRY004
        return value

    @classmethod
    def short_schemas(cls, long_form: dict[str, Any]) -> list[dict[str, Any]]:
        """As the base class has it."""
        texts = {"type": "array", "items": {"type": "string"}, "minItems": 1}
        return [{"type": "string"}, texts]


_TWICE = "this method has a rule already, in an earlier entry of the same target"


def _across_sections(raw: Mapping[str, Any]) -> Iterator[Finding]:
    yield from _patterns_that_match_nothing(raw)
    yield from (Finding(path, _TWICE) for path in rules_given_twice(raw, "invalidates"))


def _patterns_that_match_nothing(raw: Mapping[str, Any]) -> Iterator[Finding]:
    """A misspelt pattern would drop nothing, and nobody would notice."""
    cached = list(_cached_methods(raw))
    declared = [f"{namespace}:*" for namespace in mapping_at(raw, "cache", "namespaces")]
    known = [*declared, *(f"{namespace}:{method}:*" for namespace, method in cached if namespace)]
    for path, text in _pattern_texts(raw):
        try:
            pattern = KeyPattern.parse(text)
        except PatternError:
            continue  # the rule's own model has said so
        matches = any(_matches(pattern, namespace, method) for namespace, method in cached)
        if not matches and pattern.text not in declared:  # a declared namespace may be unused yet
            yield Finding(path, f"no cached method matches the pattern{quoted(text)}{nearest(text, known)}")


def _matches(pattern: KeyPattern, namespace: str, method: str) -> bool:
    # A rule whose namespace is wrong is one mistake, not one more for each pattern that names its method.
    return pattern.names(namespace, method) if namespace else pattern.method == method


def _cached_methods(raw: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """``(namespace, method)`` of each; the namespace is empty where the rule does not have a valid one."""
    declared = mapping_at(raw, "cache", "namespaces")
    for _, method, rule in repository_rules(raw, "cached"):
        namespace = rule if isinstance(rule, str) else mapping_at(rule).get("namespace")
        yield namespace if isinstance(namespace, str) and namespace in declared else "", method


def _pattern_texts(raw: Mapping[str, Any]) -> Iterator[tuple[KeyPath, str]]:
    for path, _, rule in repository_rules(raw, "invalidates"):
        if isinstance(rule, str):
            yield path, rule
            continue
        if isinstance(rule, Mapping):
            path, rule = (*path, "patterns"), rule.get("patterns")
        for index, text in enumerate(sequence(rule)):
            if isinstance(text, str):
                yield (*path, index), text


@hookimpl
def accel_config_sections() -> list[ConfigSection]:
    """``invalidates:`` in each repository."""
    return [
        ConfigSection(
            "invalidates",
            dict[MethodName, InvalidationRule],
            {},
            within="repositories",
            check=_across_sections,
            description="The writes, and what each of them drops.",
        )
    ]


# -- patches -------------------------------------------------------------------------------------------


@hookimpl(trylast=True)
def accel_patch_specs(context: PluginContext) -> list[PatchSpec]:
    """One wrapper for each method under ``invalidates:``; after the caches are there."""
    return [] if mode_of(context) == "sql" else list(_specs(context))


def _specs(context: PluginContext) -> Iterator[PatchSpec]:
    for number, repository in enumerate(context.repositories):
        for method, options in repository.invalidates.items():
            target = Target.parse(repository.target).child(method)
            patterns = tuple(KeyPattern.parse(text) for text in options.patterns)
            rule = WriteRule(str(target), patterns, options.when)
            path = ("repositories", number, "invalidates", method)
            give_up = functools.partial(context.invalidator.suspend, patterns)
            if not options.enabled:
                context.problem("the write's rule is switched off: what it would drop is not cached", path)
                give_up(f"the rule of {target} is switched off")
                continue
            context.invalidator.add(rule)
            yield PatchSpec(
                target,
                Layer.INVALIDATE,
                functools.partial(_wrap, rule, context.invalidator),
                key_path=path,
                on_left_out=give_up,
                rule=rule,
            )


def _wrap(
    rule: WriteRule, invalidator: Invalidator, call: Callable[..., Any], info: MethodInfo
) -> Callable[..., Any]:
    arguments = ArgumentReader(
        info.signature, has_instance=info.has_instance, paths=rule.paths, is_exact=info.is_exact
    )
    return invalidating(call, rule, arguments, invalidator)
