"""The feature ``invalidates:``: a write drops the entries that it makes old."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, model_validator

from wats_accel.extension import (
    ArgumentReader,
    ConfigSection,
    Finding,
    Invalidator,
    KeyPath,
    KeyPattern,
    Layer,
    MethodInfo,
    PatchSpec,
    PatternError,
    PluginContext,
    Section,
    Target,
    When,
    WriteRule,
    hookimpl,
    invalidating,
    mapping_at,
    nearest,
    repository_rules,
    sequence,
)

# -- configuration -------------------------------------------------------------------------------------


def _pattern(value: object) -> object:
    if isinstance(value, str):
        try:
            KeyPattern.parse(value)
        except PatternError as error:
            raise ValueError(str(error)) from None
    return value


PatternText = Annotated[str, BeforeValidator(_pattern)]


class InvalidationRule(Section):
    """What one write drops. In short: one pattern, or a list of patterns."""

    patterns: list[PatternText] = Field(min_length=1)
    """``namespace:*``, ``namespace:method:*``, ``namespace:method:{argument of the write}``."""
    when: When = "always"
    """truthy: not when the write returned something falsy, or a tuple that begins with it."""
    enabled: bool = True
    """False: the write drops nothing, and so what it would drop is not cached."""

    @model_validator(mode="before")
    @classmethod
    def _short_form(cls, value: object) -> object:
        if isinstance(value, str):
            return {"patterns": [value]}
        return {"patterns": value} if isinstance(value, list) else value

    @classmethod
    def __get_pydantic_json_schema__(cls, core_schema: Any, handler: Any) -> dict[str, Any]:
        long_form: dict[str, Any] = handler.resolve_ref_schema(handler(core_schema))
        texts = {"type": "array", "items": {"type": "string"}, "minItems": 1}
        return {"anyOf": [{"type": "string"}, texts, long_form]}


def _patterns_that_match_nothing(raw: Mapping[str, Any]) -> Iterator[Finding]:
    """A misspelt pattern would drop nothing, and nobody would notice."""
    cached = list(_cached_methods(raw))
    declared = [f"{namespace}:*" for namespace in mapping_at(raw, "cache", "namespaces")]
    known = [*declared, *(f"{namespace}:{method}:*" for namespace, method in cached)]
    for path, text in _pattern_texts(raw):
        try:
            pattern = KeyPattern.parse(text)
        except PatternError:
            continue  # the rule's own model has said so
        matches = any(pattern.names(namespace, method) for namespace, method in cached)
        if not matches and text not in declared:  # a declared namespace may be unused yet
            yield Finding(path, f"no cached method matches the pattern {text!r}{nearest(text, known)}")


def _cached_methods(raw: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for _, method, rule in repository_rules(raw, "cached"):
        namespace = rule if isinstance(rule, str) else mapping_at(rule).get("namespace")
        if isinstance(namespace, str):
            yield namespace, method


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
            dict[str, InvalidationRule],
            {},
            within="repositories",
            check=_patterns_that_match_nothing,
            description="The writes, and what each of them drops.",
        )
    ]


# -- patches -------------------------------------------------------------------------------------------


@hookimpl(trylast=True)
def accel_patch_specs(context: PluginContext) -> list[PatchSpec]:
    """One wrapper for each method under ``invalidates:``; after the caches are there."""
    return list(_specs(context))


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
            )


def _wrap(
    rule: WriteRule, invalidator: Invalidator, call: Callable[..., Any], info: MethodInfo
) -> Callable[..., Any]:
    arguments = ArgumentReader(info.signature, has_instance=info.has_instance, paths=rule.paths)
    return invalidating(call, rule, arguments, invalidator)
