"""What a process may still take, whoever sets the bound; nothing here asks for much."""

import resource
import subprocess
import sys

import pytest
import torch

from sparsine import checks, memory
from sparsine.checks import check_memory
from sparsine.errors import BadInput
from sparsine.memory import Room, free_memory, is_out_of_memory

GIB = 1 << 30


@pytest.fixture
def system(tmp_path, monkeypatch):
    """A made-up /proc and /sys/fs/cgroup, empty at first; returns what writes files there."""
    monkeypatch.setattr(memory, "PROC", tmp_path / "proc")
    monkeypatch.setattr(memory, "CGROUPS", tmp_path / "cgroups")
    monkeypatch.setattr(memory.resource, "getrlimit", lambda _: (resource.RLIM_INFINITY, resource.RLIM_INFINITY))

    def put(**files):
        for name, text in files.items():
            path = tmp_path / name.replace("__", "/").replace("_dot_", ".")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)

    return put


def put_group(tmp_path, place, limit, used, names, caches=0):
    folder = tmp_path / "cgroups" / place
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in zip(names, (limit, used), strict=False):
        (folder / name).write_text(f"{text}\n")
    (folder / "memory.stat").write_text(f"anon 5\n{names[2]} {caches}\nfile 7\n")


V1 = "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"
V2 = "memory.max", "memory.current", "inactive_file"


def test_where_the_system_tells_nothing_it_is_all_the_memory_there_is(system):
    assert free_memory().num_bytes > GIB // 16
    assert free_memory().whose == "this machine has"


def test_what_the_machine_has_free_counts_and_not_what_it_has(system):
    system(proc__meminfo="MemTotal:       24000000 kB\nMemFree:          100000 kB\nMemAvailable:    3000000 kB\n")
    assert free_memory() == Room(3_000_000 * 1024, "this machine has free")


@pytest.mark.parametrize("where", ["box/job", "box", ""])
def test_a_control_group_of_version_2_bounds_its_process_and_so_does_each_above_it(system, tmp_path, where):
    system(proc__meminfo="MemAvailable:    8000000 kB\n", proc__self__cgroup="0::/box/job\n")
    for place in ("box/job", "box", ""):
        limit = 3 * GIB if place == where else "max"
        put_group(tmp_path, place, limit, 2 * GIB, V2, caches=GIB // 2)
    assert free_memory() == Room(3 * GIB // 2, "its control group leaves")


def test_a_control_group_of_version_1_bounds_its_process(system, tmp_path):
    system(proc__meminfo="MemAvailable:    8000000 kB\n",
           proc__self__cgroup="9:name=systemd:/\n4:cpu,memory:/a/b\n0::/\n")  # fmt: skip
    put_group(tmp_path, "memory/a/b", 2 * GIB, GIB, V1)
    put_group(tmp_path, "memory/a", 9223372036854771712, 5 * GIB, V1)  # which is how it says that there is no limit
    assert free_memory() == Room(GIB, "its control group leaves")


def test_in_a_container_the_group_is_seen_as_the_root(system, tmp_path):
    system(proc__self__cgroup="0::/somewhere/outside\n")
    put_group(tmp_path, "", GIB, GIB // 4, V2)
    assert free_memory().num_bytes == 3 * GIB // 4


def test_a_group_that_is_full_leaves_nothing(system, tmp_path):
    system(proc__self__cgroup="0::/\n")
    put_group(tmp_path, "", GIB, GIB + 4096, V2)
    assert free_memory().num_bytes == 0


def test_files_that_cannot_be_understood_bound_nothing(system, tmp_path):
    system(proc__meminfo="\xff\xfe", proc__self__cgroup="0::/\n", cgroups__memory_dot_max="many\n")
    assert free_memory().whose == "this machine has"


def test_what_ulimit_leaves_is_seen(tmp_path):
    told = subprocess.run(
        [sys.executable, "-c", "import resource; resource.setrlimit(resource.RLIMIT_AS, (1 << 33,) * 2)\n"
         "from sparsine.memory import free_memory; print(*free_memory())"],
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    number, _, whose = told.strip().partition(" ")
    assert int(number) < 1 << 33
    assert whose in ("ulimit -v leaves", "this machine has free", "its control group leaves")


def test_ulimit_counts_what_the_process_has_already(system, monkeypatch):
    system(proc__self__statm="1000 10 10 1 0 100 0\n", proc__meminfo="MemAvailable:    8000000 kB\n")
    page = memory.os.sysconf("SC_PAGE_SIZE")
    monkeypatch.setattr(memory.resource, "getrlimit", lambda _: (1500 * page, 1500 * page))
    assert free_memory() == Room(500 * page, "ulimit -v leaves")


def test_more_than_is_free_is_refused_with_what_is_free(monkeypatch):
    monkeypatch.setattr(checks, "free_memory", lambda: Room(3 * GIB, "its control group leaves"))
    check_memory("this", 3 * GIB, "take less")
    with pytest.raises(BadInput, match=r"this would need about 3\.5 GiB of memory, but its control group leaves 3\.0;"):
        check_memory("this", 7 * GIB // 2, "take less")


def test_refusals_of_memory_are_known_whoever_words_them():
    with pytest.raises((MemoryError, RuntimeError)) as refused:
        torch.empty(1 << 60, dtype=torch.uint8)
    assert is_out_of_memory(refused.value)
    assert is_out_of_memory(MemoryError())
    assert is_out_of_memory(RuntimeError("CUDA out of memory. Tried to allocate 20.00 MiB"))
    assert not is_out_of_memory(RuntimeError("shapes differ"))
    assert not is_out_of_memory(ValueError("out of memory"))
