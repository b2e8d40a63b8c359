"""What all tests share: the markers, and real text from outside the repository where it exists."""

import signal
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("minillm", deadline=None, derandomize=True)
settings.load_profile("minillm")


def pytest_configure(config):
    # A shell starts background jobs with Ctrl-C ignored, and Python keeps it so. The tests of
    # interruptions need the handler that a program in the foreground has.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    config.addinivalue_line(
        "markers", "parity: compares with an installed library, skipped where it is missing"
    )


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder with real text and vocabularies beside the repository."""
    folder = Path(__file__).parents[2] / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("needs the folder ../shared/data beside the repository")
    return folder
