"""Standard input, output and error of a step: fed and collected within a limit, so that neither side can hang."""

from __future__ import annotations

import contextlib
import os
import select

from codearena_plugin.execution.zygote.unforked import unforked

_CHUNK = 1 << 16


class _Collected:
    """What came from one pipe."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._space = unforked(most + 1)
        self._size = 0

    def read(self, number: int) -> int:
        """Read once from a descriptor; return how many bytes came."""
        got = os.readv(number, [self._space[self._size : self._size + _CHUNK]])
        self._size += got
        return got

    @property
    def is_over(self) -> bool:
        return self._size > self._most

    @property
    def content(self) -> memoryview:
        return self._space[: min(self._size, self._most)]


class Streams:
    """Three pipes. What is beyond the limit is read no more, and the step is to be killed."""

    def __init__(self, given: memoryview, most: int, watched: list[int]) -> None:
        self._watched = watched
        self._given = given
        child_in, self._feed = os.pipe()
        out, child_out = os.pipe()
        err, child_err = os.pipe()
        self.ends = (child_in, child_out, child_err)
        """What the step's process gets."""
        self._collected = {out: _Collected(most), err: _Collected(most)}
        self._open = {out, err}
        self._poll = select.poll()
        for number in (out, err, self._feed):
            os.set_blocking(number, False)
        for number in (out, err, *watched):
            self._poll.register(number, select.POLLIN)

    @property
    def is_over(self) -> bool:
        """Whether more was written than is kept."""
        return any(collected.is_over for collected in self._collected.values())

    def started(self) -> None:
        """Close the ends that are now the step's, and begin to feed it."""
        for number in self.ends:
            os.close(number)
        self._write()
        if self._feed >= 0:
            self._poll.register(self._feed, select.POLLOUT)

    def wait(self, seconds: float) -> list[int]:
        """Move what can be moved, for at most so long; return which of the watched descriptors have something."""
        news = []
        for number, event in self._poll.poll(max(0, int(seconds * 1000 + 0.999))):
            if number in self._watched:
                news.append(number)
            elif number == self._feed:
                if event & select.POLLERR:
                    self._stop_feeding()
                else:
                    self._write()
            else:
                self._read(number)
        return news

    def drain(self) -> None:
        """Read what is there, without waiting."""
        for number in sorted(self._open):
            while number in self._open and self._read(number):
                pass

    def close(self) -> tuple[memoryview, memoryview]:
        """Close everything; return what was written to standard output and to standard error, within the limit."""
        self._stop_feeding()
        for number in self._collected:
            os.close(number)
        out, err = (collected.content for collected in self._collected.values())
        return out, err

    def _read(self, number: int) -> bool:
        collected = self._collected[number]
        try:
            got = collected.read(number)
        except BlockingIOError:
            return False
        if not got or collected.is_over:
            self._open.discard(number)
            self._poll.unregister(number)
        return bool(got)

    def _write(self) -> None:
        try:
            while self._given:
                self._given = self._given[os.write(self._feed, self._given[:_CHUNK]) :]
        except BlockingIOError:
            return
        except BrokenPipeError:
            pass
        self._stop_feeding()

    def _stop_feeding(self) -> None:
        if self._feed >= 0:
            with contextlib.suppress(KeyError):
                self._poll.unregister(self._feed)
            os.close(self._feed)
            self._feed = -1
