"""The feature ``cached:``: answers of repository methods come from memory."""

from __future__ import annotations

import ast
import functools
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, StrictBool, WithJsonSchema, model_validator

from wats_accel.extension import (
    AttributePaths,
    ConfigSection,
    CopyMode,
    Duration,
    Finding,
    KeyMaker,
    KeyRules,
    Layer,
    MethodInfo,
    MethodName,
    OneOrSeveral,
    PatchSpec,
    PluginContext,
    Region,
    RegionRules,
    Section,
    Target,
    cached,
    hookimpl,
    mapping_at,
    materialized,
    nearest,
    quoted,
    repository_rules,
    rules_given_twice,
)

# -- configuration -------------------------------------------------------------------------------------


def _literal(value: object) -> object:
    """A result as the file spells it; ``{python: "(None, False)"}`` spells what TOML has no word for."""
    if isinstance(value, dict) and list(value) == ["python"]:
        try:
            return ast.literal_eval(str(value["python"]))
        except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):  # as `ast` has it
            raise ValueError("expected a Python literal such as \"(None, False)\" after 'python:'") from None
    return [_literal(item) for item in value] if isinstance(value, list) else value


ResultLiteral = Annotated[Any, BeforeValidator(_literal), WithJsonSchema({})]


_NAMESPACE = r"[^:*?\[\]{}\s]+"


def _namespace(text: str) -> str:
    if not re.fullmatch(_NAMESPACE, text):
        raise ValueError("expected a name without spaces and without any of : * ? [ ] { }")
    return text


NamespaceName = Annotated[str, AfterValidator(_namespace)]


class KeyOptions(Section):
    """What else makes two calls the same, or different."""

    exclude: OneOrSeveral = Field(default=[])
    """Parameters that do not change the answer, such as a connection that is passed in."""
    include: AttributePaths = Field(default=[])
    """Attributes that do, such as ``self.account_id``."""


class CachedRule(Section):
    """How one method is cached. In short: just the namespace."""

    namespace: NamespaceName = Field(json_schema_extra={"pattern": f"^{_NAMESPACE}$"})
    """The namespace that its entries belong to; one of `cache.namespaces`."""
    ttl: Duration | None = None
    """How long an answer is good, if no write drops it before; 0: until a write does."""
    enabled: StrictBool = True
    """False: this method is left alone."""
    fold: OneOrSeveral = Field(default=[])
    """Parameters whose case does not matter, as in a database with a case-insensitive collation."""
    key: KeyOptions = KeyOptions()
    unless_result: list[ResultLiteral] = Field(default=[])
    """Results that are answers to a failure, and must not be kept: ``[null, false]`` is one such result."""
    copy_: CopyMode = Field(default="auto", alias="copy")
    """How callers are kept from changing what the next caller gets."""
    materialize: StrictBool = False
    """True: a generator function is run to its end, and a hit replays its items."""

    @model_validator(mode="before")
    @classmethod
    def _short_form(cls, value: object) -> object:
        if isinstance(value, str):
            return {"namespace": value}
        if not isinstance(value, dict):
            raise ValueError("expected a namespace, or a mapping")  # noqa: TRY004 - pydantic's protocol
        return value

    @classmethod
    def __get_pydantic_json_schema__(cls, core_schema: Any, handler: Any) -> dict[str, Any]:
        long_form: dict[str, Any] = handler.resolve_ref_schema(handler(core_schema))
        return {"anyOf": [{"type": "string", "description": "The namespace."}, long_form]}


class NamespaceOptions(Section):
    """Defaults for the methods of one namespace."""

    ttl: Duration | None = None
    max_entries: int | None = Field(default=None, ge=0, strict=True)
    """How many entries its methods may have together; 0 for no bound."""


class CacheSection(Section):
    """Defaults for all cached methods, and the namespaces that they may use."""

    enabled: StrictBool = True
    """False: nothing is cached; writes go on invalidating."""
    default_ttl: Duration = 300.0
    max_entries: int = Field(default=10_000, ge=0, strict=True)
    """How many entries each namespace may have; 0 for no bound."""
    namespaces: dict[NamespaceName, NamespaceOptions] = Field(default={})


_TWICE = "this method has a rule already, in an earlier entry of the same target"


def _across_sections(raw: Mapping[str, Any]) -> Iterator[Finding]:
    yield from _undeclared_namespaces(raw)
    # Two caches for one method: writes would drop the outer one, and the inner one would answer.
    yield from (Finding(path, _TWICE) for path in rules_given_twice(raw, "cached"))


def _undeclared_namespaces(raw: Mapping[str, Any]) -> Iterator[Finding]:
    """A misspelt namespace would be a namespace that no pattern drops."""
    declared = mapping_at(raw, "cache", "namespaces")
    for path, _, rule in repository_rules(raw, "cached"):
        name = rule if isinstance(rule, str) else mapping_at(rule).get("namespace")
        if isinstance(name, str) and name not in declared:
            where = path if isinstance(rule, str) else (*path, "namespace")
            what = f"the namespace{quoted(name)} is not declared in cache.namespaces"
            yield Finding(where, what + nearest(name, declared))


@hookimpl
def accel_config_sections() -> list[ConfigSection]:
    """``cache:``, and ``cached:`` in each repository."""
    return [
        ConfigSection(
            "cache", CacheSection, CacheSection(), check=_across_sections, description="The cache."
        ),
        ConfigSection(
            "cached",
            dict[MethodName, CachedRule],
            {},
            within="repositories",
            description="The reads that are cached: method and rule.",
        ),
    ]


# -- start and patches ---------------------------------------------------------------------------------


@hookimpl
def accel_startup(context: PluginContext) -> None:
    """Say that the cache is ready."""
    section: CacheSection = context.section("cache")
    if section.enabled:
        seconds = f"{section.default_ttl:g}s"
        context.announce("cache", f"Cache system initialized (default TTL={seconds})")


@hookimpl
def accel_patch_specs(context: PluginContext) -> list[PatchSpec]:
    """One wrapper for each method under ``cached:``."""
    section: CacheSection = context.section("cache")
    for name, options in section.namespaces.items():
        bound = section.max_entries if options.max_entries is None else options.max_entries
        context.caches.namespace(name, max_entries=bound)
    return list(_specs(context, section)) if section.enabled else []


def _specs(context: PluginContext, section: CacheSection) -> Iterator[PatchSpec]:
    for number, repository in enumerate(context.repositories):
        if not repository.enabled:
            continue
        for method, rule in repository.cached.items():
            if rule.enabled:
                target = Target.parse(repository.target).child(method)
                region = context.caches.add(_region_rules(section, repository.scope, target, rule))
                path = ("repositories", number, "cached", method)
                yield _spec(target, region, rule, path)


def _region_rules(
    section: CacheSection, scope: Iterable[str], target: Target, rule: CachedRule
) -> RegionRules:
    of_namespace = section.namespaces[rule.namespace].ttl
    ttls = (rule.ttl, of_namespace, section.default_ttl)
    return RegionRules(
        namespace=rule.namespace,
        method=target.name,
        target=str(target),
        ttl_seconds=next(ttl for ttl in ttls if ttl is not None),
        key=KeyRules(
            scope=tuple(scope),
            fold=frozenset(rule.fold),
            exclude=frozenset(rule.key.exclude),
            include=tuple(rule.key.include),
        ),
        copy_mode=rule.copy_,
        unless_results=tuple(rule.unless_result),
    )


def _spec(target: Target, region: Region, rule: CachedRule, path: tuple[str | int, ...]) -> PatchSpec:
    return PatchSpec(
        target,
        Layer.CACHE,
        functools.partial(_wrap, region),
        key_path=path,
        accepts_generators=rule.materialize,
    )


def _wrap(region: Region, call: Callable[..., Any], info: MethodInfo) -> Callable[..., Any]:
    keys = KeyMaker(
        info.signature,
        has_instance=info.has_instance,
        rules=region.rules.key,
        scopes=region.scopes,
        is_exact=info.is_exact,
    )
    return materialized(call, region, keys) if info.is_generator else cached(call, region, keys)
