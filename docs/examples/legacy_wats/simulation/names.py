"""Made-up Brazilian names that the generator and the simulated people draw from."""

from __future__ import annotations

from typing import Final

FIRST_NAMES: Final = (
    "ana", "bruno", "carla", "diego", "eduarda", "felipe", "gabriela", "henrique", "isabela", "joao",
    "karina", "lucas", "mariana", "nicolas", "otavio", "patricia", "rafael", "sabrina", "tiago", "vitoria",
)  # fmt: skip
LAST_NAMES: Final = (
    "almeida", "barbosa", "cardoso", "dias", "esteves", "ferreira", "gomes", "lima", "machado", "nunes",
    "oliveira", "pereira", "ramos", "souza", "teixeira",
)  # fmt: skip
GROUPS: Final = (
    "Supermercados", "Hospitais", "Clínicas", "Farmácias", "Escolas", "Transportadoras", "Construtoras",
    "Concessionárias", "Hotéis", "Restaurantes", "Padarias", "Escritórios Contábeis", "Advocacia",
    "Cooperativas", "Usinas", "Frigoríficos", "Metalúrgicas", "Gráficas", "Imobiliárias", "Laboratórios",
    "Postos de Combustível", "Prefeituras", "Sindicatos", "Atacadistas", "Infraestrutura Interna",
)  # fmt: skip
CLIENTS: Final = (
    "Supermercado Boa Vista", "Padaria Pão Dourado", "Hospital São Lucas", "Clínica Vida Plena",
    "Farmácia Popular", "Colégio Horizonte", "Transportes Rota Sul", "Construtora Alvorada",
    "Auto Center Veloz", "Hotel Mar Azul", "Restaurante Sabor da Terra", "Contabilidade Exata",
    "Cooperativa Agrícola União", "Usina Santa Clara", "Frigorífico Boi Forte", "Metalúrgica Ferro & Aço",
    "Gráfica Impressa", "Imobiliária Lar Doce Lar", "Laboratório Diagnose", "Posto Estrela",
)  # fmt: skip
TOWNS: Final = (
    "Campinas", "Londrina", "Uberlândia", "Joinville", "Caxias do Sul", "Feira de Santana", "Sorocaba",
    "Maringá", "Petrolina", "Anápolis", "Blumenau", "Cascavel",
)  # fmt: skip
ROLES: Final = ("Servidor", "ERP", "Banco de Dados", "Terminal", "Arquivos", "Retaguarda", "PDV", "Backup")
NOTES: Final = (
    None,
    "Avisar o cliente antes de reiniciar",
    "Acesso somente pela VPN",
    "Horário de manutenção após as 20h",
    "Licença por dispositivo",
)
