"""The packaged program, built as a packager builds it, starts and shows its page without any Python around it."""

from __future__ import annotations

import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.desktop import ROOT, Program
from tests.support.logs import LogGuard
from tests.support.server import ServerProcess, server

__all__ = ["server"]


@pytest.mark.deadline(300)
def test_the_packaged_program_starts(tmp_path: Path, server: ServerProcess, logs: LogGuard) -> None:
    folders = ["--distpath", str(tmp_path / "dist"), "--workpath", str(tmp_path / "build")]
    build = [sys.executable, "-m", "PyInstaller", "--noconfirm", "--log-level", "WARN", *folders, "build.spec"]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    profile = tmp_path / "profile"
    program = [str(tmp_path / "dist" / "oschat" / "oschat"), "--server", server.url, "--profile", str(profile)]
    # Nothing of this checkout or its Python may be needed.
    elsewhere = {"PYTHONPATH": "", "PATH": "/usr/bin:/bin", "VIRTUAL_ENV": "", "PWD": str(tmp_path), "LANG": "C.UTF-8"}
    follow = [
        "sh",
        "-c",
        f"exec tail -n +1 -F {shlex.quote(str(profile / 'client.log'))} >&2",
    ]  # a release logs there only
    with Program(follow, take_line=logs.line) as log, Program(program, environment=elsewhere) as first:
        log.wait("engine ready")
        log.wait("page connected", window="main")
        with Program(program, environment=elsewhere) as second:
            assert second.ended() == 0
        log.wait("window in front", window="main")
        assert first.stop() == 0
        assert first.told() == []
        log.wait("ended")
