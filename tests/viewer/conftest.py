import shutil
from pathlib import Path

import pytest
from viewer_problems import ORIGINALS, catalogue_of, client_of, tiny_start, write_folder


@pytest.fixture(scope="session")
def start():
    return tiny_start()


@pytest.fixture(scope="session")
def codes(tmp_path_factory, start):
    """A sound folder that no test changes."""
    return write_folder(tmp_path_factory.mktemp("viewer") / "codes", start)


@pytest.fixture
def folder(tmp_path, codes):
    """A folder that a test may change."""
    return Path(shutil.copytree(codes, tmp_path / "codes"))


@pytest.fixture(scope="session")
def client(codes, start):
    return client_of(catalogue_of(codes, start, originals=ORIGINALS))
