"""How many schedules the tests of this folder have walked through, said at the end."""

from __future__ import annotations

from _pytest.terminal import TerminalReporter


def pytest_terminal_summary(terminalreporter: TerminalReporter) -> None:
    """Add up what each test has recorded."""
    properties = [dict(report.user_properties) for report in terminalreporter.getreports("passed")]
    schedules = [found["schedules"] for found in properties if "schedules" in found]
    if schedules:
        terminalreporter.write_line(f"{sum(schedules):,} schedules of {len(schedules)} scenarios explored")
