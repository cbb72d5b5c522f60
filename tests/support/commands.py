"""A command of ours as a person would type it: its output line by line, its exit code."""

import asyncio
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

PATIENCE_S: Final = 60.0


@dataclass(frozen=True, slots=True)
class Ended:
    code: int
    stdout: str
    stderr: str


class Command:
    """Runs from entering; whatever still runs at leaving is killed."""

    def __init__(self, *words: str, folder: Path, environ: Mapping[str, str] | None = None) -> None:
        self._words: Final[Sequence[str]] = words
        self._folder: Final = folder
        self._environ: Final = {**os.environ, **(environ or {})}
        self._process: asyncio.subprocess.Process
        self._read: list[str] = []

    async def __aenter__(self) -> Self:
        self._process = await asyncio.create_subprocess_exec(
            *self._words,
            cwd=self._folder,
            env=self._environ,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        return self

    async def __aexit__(self, *_exception: object) -> None:
        if self._process.returncode is None:
            self._process.kill()
            await self._process.wait()

    @property
    def pid(self) -> int:
        return self._process.pid

    async def until_it_says(self, text: str) -> str:
        """The first line of its output that has ``text``; EOFError when it ends before."""
        assert self._process.stdout is not None
        async with asyncio.timeout(PATIENCE_S):
            while line := (await self._process.stdout.readline()).decode():
                self._read.append(line)
                if text in line:
                    return line.rstrip("\n")
        raise EOFError(f"it ended without saying {text!r}: {''.join(self._read)}")

    def signal(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    async def ended(self) -> Ended:
        """Wait for its end."""
        async with asyncio.timeout(PATIENCE_S):
            stdout, stderr = await self._process.communicate()
        assert self._process.returncode is not None
        return Ended(
            self._process.returncode, "".join(self._read) + stdout.decode(), stderr.decode()
        )


def lab(*words: str, folder: Path, environ: Mapping[str, str] | None = None) -> Command:
    """``python -m lab`` with these words, its files under ``folder``."""
    return Command(sys.executable, "-m", "lab", *words, folder=folder, environ=environ)
