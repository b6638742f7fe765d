"""The words of the benchmark's report, in Portuguese and in English, and how each writes numbers."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

PORTUGUESE: Final = "pt-BR"
ENGLISH: Final = "en"

_WORDS: Final[Mapping[str, tuple[str, str]]] = MappingProxyType(
    {
        "title": ("Teste de performance", "Performance benchmark"),
        "where": (
            "{database} · chamadas por parte: {calls} · threads: {threads} · a melhor de: {rounds}",
            "{database} · calls in each part: {calls} · threads: {threads} · the best of: {rounds}",
        ),
        "pool": ("Connection Pool", "Connection Pool"),
        "cache": ("Cache System", "Cache System"),
        "combined": ("Cenário combinado", "Combined scenario"),
        "pool_what": (
            "Uma conexão por pergunta, como faz a aplicação, e as mesmas perguntas pelo pool.",
            "A connection for each question, as the application does it, and the same through the pool.",
        ),
        "cache_what": (
            "As 6 leituras em cache, repetidas, numa thread, sem pool e sem nenhuma escrita.",
            "The 6 cached reads over and over, in one thread, without the pool and without a write.",
        ),
        "combined_what": (
            "{reads} leituras de {people} pessoas e {writes} escritas (todas as que invalidam), "
            "em {minutes} min simulados.",
            "{reads} reads by {people} people and {writes} writes (all those that invalidate), "
            "in {minutes} min of simulated time.",
        ),
        "direct": ("conexão direta", "direct connections"),
        "pooled": ("pelo pool", "pooled"),
        "uncached": ("sem cache", "without cache"),
        "cached": ("com cache", "with cache"),
        "plain": ("sem otimização", "not accelerated"),
        "by-hand": ("como feito à mão", "as done by hand"),
        "accelerated": ("com wats_accel", "with wats_accel"),
        "way": ("", ""),
        "total": ("total (ms)", "total (ms)"),
        "median": ("mediana (ms)", "median (ms)"),
        "p95": ("p95 (ms)", "p95 (ms)"),
        "connections": ("conexões", "connections"),
        "statements": ("consultas", "statements"),
        "pools_own": ("do próprio pool", "the pool's own"),
        "different": ("respostas diferentes", "different answers"),
        "method": ("leitura", "read"),
        "miss": ("banco (ms)", "database (ms)"),
        "hit": ("cache (ms)", "cache (ms)"),
        "hit_rate": ("Taxa de acerto do cache: {rates}", "Hit rate of the cache: {rates}"),
        "log": ("No log", "In the log"),
        "no_line": ("(sem esta linha)", "(no such line)"),
        "summary": ("RESUMO DOS RESULTADOS", "SUMMARY OF RESULTS"),
        "better": ("{percent}% melhoria", "{percent}% improvement"),
        "worse": ("{percent}% piora", "{percent}% worse"),
        "average": ("Melhoria média", "Average improvement"),
        "connections_opened": ("Conexões abertas", "Connections opened"),
        "statements_sent": ("Consultas da aplicação", "The application's statements"),
        "answers": ("Respostas diferentes", "Different answers"),
        "of": ("{count} de {whole}", "{count} of {whole}"),
        "in_combined": ("(cenário combinado)", "(combined scenario)"),
        "sqlite_note": (
            "No SQLite uma conexão é um arquivo deste PC: o pool economiza pouco, ou custa mais.\n"
            "Num servidor, cada conexão é um login: meça com --private-postgresql ou --dsn.",
            "On SQLite a connection is a file of this PC: a pool saves little, or costs more.\n"
            "On a server each connection is a login: measure with --private-postgresql or --dsn.",
        ),
        "demonstration_note": (
            "No modo demonstração (sqlite3) as conexões da aplicação são de uma classe dela, que\n"
            "nenhum pool divide: no cenário combinado só o cache economiza conexões.",
            "In demonstration mode (sqlite3) the application's connections are of a class of its own,\n"
            "which no pool can share: in the combined scenario only the cache saves connections.",
        ),
        "wrong": (
            "ERRO: {count} respostas com wats_accel não são as da aplicação sem ele.",
            "ERROR: {count} answers with wats_accel are not those of the application without it.",
        ),
        "no_pyodbc": ("o pyodbc não está instalado", "pyodbc is not installed"),
        "no_tables_for": ("o exemplo não tem tabelas para {name}", "the example has no tables for {name}"),
        "unreachable": (
            "não há conexão com o banco (SQLSTATE {state})",
            "the database cannot be reached (SQLSTATE {state})",
        ),
        "in_use": (
            "o banco já tem a tabela {table}, e o teste a apagaria. Use um banco vazio, ou "
            "--replace-tables se ninguém precisa destas tabelas",
            "the database has a table {table} already, and the benchmark would drop it. Give it an empty "
            "one, or --replace-tables if nobody needs these tables",
        ),
        "no_server": (
            "não foi possível iniciar um PostgreSQL: {why}",
            "no PostgreSQL could be started: {why}",
        ),
        "not_installed": ("wats_accel não pôde ser ligado: {why}", "wats_accel cannot be switched on: {why}"),
        "not_measurable": ("Não é possível medir: {why}.", "This cannot be measured: {why}."),
        "written": ("Todos os números estão em {path}.", "All figures are in {path}."),
    }
)


class Words:
    """The words of one language.

    Args:
        language: ``pt-BR`` or ``en``.
    """

    def __init__(self, language: str) -> None:
        self._index = (PORTUGUESE, ENGLISH).index(language)

    def __call__(self, key: str, **values: object) -> str:
        """The words for `key`, with the values put in."""
        return _WORDS[key][self._index].format(**values)

    def number(self, value: float, decimals: int = 0) -> str:
        """A number with separators as this language has them."""
        text = f"{value:,.{decimals}f}"
        return text.translate(str.maketrans(",.", ".,")) if self._index == 0 else text
