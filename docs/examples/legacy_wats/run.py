"""Programa principal do WATS de exemplo: prepara log e configurações e abre a janela."""

import argparse
import logging
import os
import sys
from pathlib import Path
from typing import Any

PASTA = Path(__file__).resolve().parent
FORMATO_LOG = "%(asctime)s [%(levelname)s] %(filename)s:%(lineno)d - %(message)s"


def carregar_env(arquivo: Path) -> None:
    """Lê NOME=valor de um .env, sem passar por cima do que o ambiente já define."""
    if not arquivo.is_file():
        return
    for linha in arquivo.read_text(encoding="utf-8").splitlines():
        nome, igual, valor = linha.strip().partition("=")
        if igual and not nome.startswith("#"):
            os.environ.setdefault(nome.strip(), valor.strip().strip("\"'"))


def configurar_log(arquivo: str, nivel: str) -> None:
    """Log raiz em arquivo e no console."""
    formato = logging.Formatter(FORMATO_LOG)
    raiz = logging.getLogger()
    raiz.setLevel(nivel)
    for handler in (logging.FileHandler(arquivo, encoding="utf-8"), logging.StreamHandler()):
        handler.setFormatter(formato)
        raiz.addHandler(handler)


def ler_opcoes(argv: "list[str] | None") -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="WATS de exemplo, sem tela: simula um dia de uso.")
    parser.add_argument("--seed", type=int, default=1, help="semente do dia simulado")
    parser.add_argument("--hours", type=float, default=1.0, help="horas simuladas")
    parser.add_argument("--users-online", type=int, default=6, help="pessoas que se revezam na estação")
    parser.add_argument("--refresh-seconds", type=float, default=60.0, help="intervalo da lista")
    parser.add_argument(
        "--answers", type=Path, help="grava cada resposta do banco neste arquivo (JSON lines)"
    )
    parser.add_argument("--log-file", default="wats_app.log", help="arquivo de log")
    parser.add_argument("--generate", action="store_true", help="recria e preenche o banco antes de começar")
    return parser.parse_args(argv)


def preparar_banco(settings: Any, opcoes: argparse.Namespace) -> None:
    """Cria o banco de demonstração quando falta, ou quando pedido."""
    falta = settings.DB_TYPE == "sqlite" and not Path(settings.DB_DATABASE).is_file()
    if falta or opcoes.generate:
        from simulation.generator import create_database

        logging.info("Criando o banco de demonstração.")
        create_database(settings, seed=opcoes.seed)


def main(argv: "list[str] | None" = None) -> None:
    """Prepara tudo e roda a janela até o fim do dia simulado."""
    opcoes = ler_opcoes(argv)
    if str(PASTA) not in sys.path:
        sys.path.insert(0, str(PASTA))
    carregar_env(PASTA / ".env")

    from src.wats.config.settings import Settings

    settings = Settings()
    configurar_log(opcoes.log_file, settings.LOG_LEVEL)
    logging.info("Iniciando o WATS.")
    preparar_banco(settings, opcoes)
    rodar(settings, opcoes)
    logging.info("WATS encerrado.")


def rodar(settings: Any, opcoes: argparse.Namespace) -> None:
    """Importa o resto da aplicação, só agora, e roda a janela até o fim do dia."""
    # Sem tela e sem pessoas de verdade, é o dia simulado que abre a janela (src.wats.main) e a usa.
    from simulation.workload import Workload

    dia = Workload(
        settings,
        seed=opcoes.seed,
        hours=opcoes.hours,
        users_online=opcoes.users_online,
        refresh_seconds=opcoes.refresh_seconds,
    )
    if opcoes.answers is None:
        dia.run(lambda call: None)
        return
    with opcoes.answers.open("w", encoding="utf-8") as respostas:
        dia.run(lambda call: print(call.as_json(), file=respostas))


if __name__ == "__main__":
    main()
