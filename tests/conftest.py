"""What every test may ask for: golden files and one profile for property tests."""

import gc
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import settings

Golden = Callable[[str, str], None]

_GOLDEN = Path(__file__).parent / "golden"

gc.set_threshold(20_000)  # as in abr itself: with 700 the searches for cycles are a tenth of the run

settings.register_profile("abr", max_examples=15, deadline=None, database=None, derandomize=True)
settings.register_profile("thorough", settings.get_profile("abr"), max_examples=100)
settings.register_profile("explore", max_examples=1000, deadline=None)
# The same examples each time: few while one works, many in scripts/test; --hypothesis-profile=explore looks for new ones.
settings.load_profile("abr")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="write what the tests made to tests/golden")


def pytest_collection_finish() -> None:
    """What was loaded stays: it is not searched for cycles any more."""
    gc.collect()
    gc.freeze()


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Golden:
    """Compare a text with tests/golden/<name>, exactly; `--update-golden` writes it instead."""
    update = bool(request.config.getoption("--update-golden"))

    def compare(name: str, text: str) -> None:
        path = _GOLDEN / name
        if update:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text.encode())
        assert path.is_file(), f"no {path}: run pytest --update-golden and review it"
        assert text.splitlines() == path.read_bytes().decode().splitlines()
        assert text.encode() == path.read_bytes()

    return compare
