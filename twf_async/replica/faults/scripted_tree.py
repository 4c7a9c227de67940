"""A tree whose files are wrong as the script says: not there, too short, replaced, mislabelled."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from functools import partial

from twf_async.replica.faults.director import Cue, Director
from twf_async.replica.faults.edits import on_other_grid, with_other_run
from twf_async.replica.faults.kinds import Kind
from twf_async.replica.faults.layout import Layout, past_end
from twf_async.replica.tree import CropBox, Entry, FileMessage, FileTree, Unreadable

_IDX = ".idx"
_LAID_OUT = frozenset({Kind.MESSAGE_MISSING, Kind.RERUN, Kind.OTHER_RUN, Kind.OTHER_GRID})


_Wrong = dict[Kind, Cue]  # what befalls one path


class ScriptedTree:
    """Shows *tree* as the director's script has it for the request in hand."""

    def __init__(self, tree: FileTree, director: Director) -> None:
        self._tree = tree
        self._director = director

    def listdir(self, path: str) -> list[Entry] | None:
        """See FileTree."""
        wrong = self._wrong(path)
        self._refuse(wrong, path)
        if self._hidden(wrong, None):
            return None
        entries = self._tree.listdir(path)
        if entries is None:
            return None
        shown = (self._shown(f"{path}/{entry.name}", entry) for entry in entries)
        return [entry for entry in shown if entry is not None]

    def stat(self, path: str) -> Entry | None:
        """See FileTree."""
        self._refuse(self._wrong(path), path)
        entry = self._tree.stat(path)
        return None if entry is None else self._shown(path, entry)

    def open_range(self, path: str, start: int, end: int) -> Iterator[bytes]:
        """See FileTree; what is half written ends where it has grown to."""
        wrong = self._wrong(path)
        if not wrong:
            yield from self._tree.open_range(path, start, end)
            return
        entry = self.stat(path)
        if entry is None:
            raise FileNotFoundError(path)
        if path.endswith(_IDX):
            yield self._idx(path, wrong)[start:end]
            return
        end = min(end, entry.size)
        source = partial(self._tree.open_range, path)
        layout = self._layout(path, wrong)
        yield from source(start, end) if layout is None else layout.read(source, start, end)

    def messages(self, path: str) -> tuple[FileMessage, ...] | None:
        """See FileTree; None while the file is growing."""
        wrong = self._wrong(path)
        self._refuse(wrong, path)
        held = self._tree.messages(path)
        if held is None or not wrong:
            return held
        entry = self._tree.stat(path)
        if entry is None or self._hidden(wrong, entry.mtime):
            return None
        if Kind.GROWING in wrong and self._share(wrong[Kind.GROWING]) < 1.0:
            return None
        layout = self._layout(path, wrong)
        return held if layout is None else layout.messages(held)

    def cropped(self, path: str, messages: Sequence[FileMessage], box: CropBox) -> Iterator[bytes]:
        """See FileTree. Unreadable for a message that a truncated file does not hold whole."""
        wrong = self._wrong(path)
        entry = self.stat(path) if wrong else None
        if entry is None:
            yield from self._tree.cropped(path, messages, box)
            return
        held = self._tree.messages(path) or ()
        layout = self._layout(path, wrong) or Layout.of(held, entry.size)
        source = {at: start for start, at in layout.offsets().items()}
        originals = {message.offset: message for message in held}
        edits = {piece.start: piece.edit for piece in layout.pieces}
        for message in messages:
            if message.offset + message.length > entry.size:
                raise Unreadable("wgrib2: a message ends beyond the file")
            start = source[message.offset]
            edit = edits[start]
            for cut in self._tree.cropped(path, [originals[start]], box):
                yield cut if edit is None else edit(cut)

    def _shown(self, path: str, entry: Entry) -> Entry | None:
        """Return *entry* as it is shown; None where it is not."""
        wrong = self._wrong(path)
        if not wrong:
            return entry
        written = None if entry.is_dir else entry.mtime
        if Kind.AGED_OUT in wrong or self._hidden(wrong, written):
            return None
        if entry.is_dir:
            return entry
        mtime = entry.mtime + timedelta(seconds=self._delay_s(wrong))
        if path.endswith(_IDX):
            if Kind.RERUN in wrong and Kind.IDX_STALE not in wrong:
                mtime = max(mtime, _whole(wrong[Kind.RERUN].since))
            return replace(entry, size=len(self._idx(path, wrong)), mtime=mtime)
        layout = self._layout(path, wrong)
        size = entry.size if layout is None else layout.size
        if Kind.RERUN in wrong:
            mtime = max(mtime, _whole(wrong[Kind.RERUN].since))
        if Kind.GROWING in wrong and (share := self._share(wrong[Kind.GROWING])) < 1.0:
            size, mtime = int(size * share), _whole(self._director.clock.now())
        if Kind.TRUNCATED in wrong:
            size = min(size, int(size * wrong[Kind.TRUNCATED].fault.at))
        return replace(entry, size=size, mtime=mtime)

    def _hidden(self, wrong: _Wrong, mtime: datetime | None) -> bool:
        if Kind.ABSENT in wrong or Kind.ABORTED in wrong:
            return True
        if Kind.LATE not in wrong or mtime is None:
            return False
        out = mtime + timedelta(seconds=self._delay_s(wrong))
        return self._director.clock.now() < out

    def _layout(self, path: str, wrong: _Wrong) -> Layout | None:
        """Return how the file is put together; None where as it was."""
        if _LAID_OUT.isdisjoint(wrong):
            return None
        grib = path.removesuffix(_IDX)
        entry, held = self._tree.stat(grib), self._tree.messages(grib)
        if entry is None or not held:
            return None
        layout = Layout.of(held, entry.size)
        if Kind.MESSAGE_MISSING in wrong:
            layout = layout.without(_missing(wrong[Kind.MESSAGE_MISSING], held))
        if Kind.OTHER_RUN in wrong:
            hours = wrong[Kind.OTHER_RUN].fault.hours
            layout = layout.edited(partial(with_other_run, hours=hours))
        if Kind.OTHER_GRID in wrong:
            layout = layout.edited(on_other_grid)
        return layout.rerun() if Kind.RERUN in wrong else layout

    def _idx(self, path: str, wrong: _Wrong) -> bytes:
        """Return the .idx at *path* as it is shown."""
        entry = self._tree.stat(path)
        size = entry.size if entry is not None else 0
        text = b"".join(self._tree.open_range(path, 0, size)).decode("ascii", "replace")
        grib = path.removesuffix(_IDX)
        original = self._tree.stat(grib)
        layout = self._layout(path, wrong)
        if Kind.IDX_STALE in wrong:
            held = self._tree.messages(grib)
            if Kind.RERUN not in wrong and held and original is not None:
                text = Layout.of(held, original.size).rerun().idx(text)
        elif layout is not None:
            text = layout.idx(text)
        if Kind.IDX_PAST_END in wrong and original is not None:
            text = past_end(text, original.size)
        if Kind.IDX_CUT in wrong:
            text = text[: int(len(text) * wrong[Kind.IDX_CUT].fault.at)]
        return b"" if Kind.IDX_EMPTY in wrong else text.encode()

    def _share(self, cue: Cue) -> float:
        passed_s = (self._director.clock.now() - cue.since).total_seconds()
        return min(1.0, passed_s / cue.fault.seconds) if cue.fault.seconds else 1.0

    @staticmethod
    def _delay_s(wrong: _Wrong) -> float:
        return wrong[Kind.LATE].fault.seconds if Kind.LATE in wrong else 0.0

    def _wrong(self, path: str) -> _Wrong:
        return {cue.fault.kind: cue for cue in reversed(self._director.of_file(path))}

    @staticmethod
    def _refuse(wrong: _Wrong, path: str) -> None:
        if Kind.AGED_OUT in wrong:
            raise PermissionError(path)


def _missing(cue: Cue, held: Sequence[FileMessage]) -> int:
    """Return the offset of the message that is left out; -1 for none."""
    pattern = cue.fault.message
    if not pattern:
        return held[cue.luck % len(held)].offset
    named = (f"{m.parameter}:{m.level}:{m.forecast}" for m in held)
    return next(
        (m.offset for m, name in zip(held, named, strict=True) if fnmatchcase(name, pattern)), -1
    )


def _whole(moment: datetime) -> datetime:
    return moment.replace(microsecond=0)
