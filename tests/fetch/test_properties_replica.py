"""Spoilt inventories end to end: the replica serves the true files, but says this of them."""

import io
from dataclasses import dataclass, replace
from random import Random

import pytest

from render_farm.domain.grib2 import walk
from tests.fetch.conftest import PNW
from tests.fetch.fakes.layouts import KEYS, KINDS, Layout, Message, layout, spoil
from twf_async.errors import FetchError
from twf_async.fetch.errors import BadIndex
from twf_async.plan.idx import parse_idx
from twf_async.replica.directory_tree import DirectoryTree
from twf_async.replica.running import running as replica_running

AIGFS = "aigfs/prod/aigfs.20260129/12/model/atmos/grib2/aigfs.t12z.sfc.f024.grib2"
GFS = "gfs/prod/gfs.20260129/12/atmos/gfs.t12z.pgrb2.0p25.f006"
COM = "pub/data/nccf/com"
AT_SURFACE = tuple(kind for kind in KINDS if " mb" not in kind.text)


@dataclass
class Misleading:
    """A tree whose inventories say something else than the files; the filter knows the files."""

    tree: DirectoryTree
    text: bytes | None = None

    def __getattr__(self, name):
        return getattr(self.tree, name)

    def stat(self, path):
        entry = self.tree.stat(path)
        if entry is None or self.text is None or not path.endswith(".idx"):
            return entry
        return replace(entry, size=len(self.text))

    def open_range(self, path, start, end):
        if self.text is None or not path.endswith(".idx"):
            return self.tree.open_range(path, start, end)
        return iter([self.text[start:end]])


async def outcome(running, url, wanted, cache):
    """The fetched hour, None where it ended in an error of ours; and every file that was kept."""
    async with running(url) as fetcher:
        try:
            fetched = await fetcher.hour(wanted)
        except FetchError:
            fetched = None
        contents = files_below(cache)
        await fetcher.forget(wanted.model, wanted.cycle, wanted.hour)
    assert files_below(cache) == []
    return fetched, contents


def files_below(cache):
    return [path.read_bytes() for path in cache.rglob("*") if path.suffix not in {"", ".json"}]


def messages_of(content):
    """key -> bytes, of messages of one field each."""
    heads = list(walk(io.BytesIO(content)))
    return {head.key: content[head.offset : head.offset + head.length] for head in heads}


async def test_byte_ranges_by_spoilt_inventories_are_whole_messages_or_an_error(
    aigfs, running, want, tmp_path
):
    place = tmp_path / "com" / COM / AIGFS
    place.parent.mkdir(parents=True)
    keys = {kind.key for kind in AT_SURFACE if kind.key is not None}
    served = 0
    for seed in range(35):
        random = Random(seed)
        made = layout(random, kinds=AT_SURFACE)
        place.write_bytes(made.content)
        tree = Misleading(DirectoryTree(tmp_path / "com"), spoil(random, made)[0])
        wanted = frozenset(random.sample(sorted(keys & set(KEYS)), 3))
        async with replica_running(tree) as replica:
            fetched, kept = await outcome(
                running, replica.url, want(aigfs, *wanted, hour=24), tmp_path / "cache"
            )
        for content in kept:
            assert is_made_of(content, made)
        if fetched is not None:
            found = {key for _, keys_of in fetched.files for key in keys_of}
            assert fetched.missing == wanted - found
            served += bool(found)
    assert served


def is_made_of(content, made: Layout):
    sent = {message.content for message in made.messages}
    while content:
        length = int.from_bytes(content[8:16], "big")
        if content[:length] not in sent:
            return False
        content = content[length:]
    return True


async def test_filter_answers_by_spoilt_inventories_are_what_was_asked_or_an_error(
    gfs, running, want, tmp_path, test_data
):
    idx = (test_data / "nomads" / COM / f"{GFS}.idx").read_text()
    lines = parse_idx(idx)
    every = Layout(tuple(Message(b"", ()) for _ in lines), tuple(idx.splitlines()))
    keys = sorted(line.key for line in lines)
    tree = Misleading(DirectoryTree(test_data / "nomads"))
    async with replica_running(tree) as replica:
        _, kept = await outcome(running, replica.url, want(gfs, *keys), tmp_path / "cache")
        true = {key: part for content in kept for key, part in messages_of(content).items()}
        assert set(true) >= set(keys)
        served = 0
        for seed in range(20):
            random = Random(seed)
            tree.text, _ = spoil(random, every)
            wanted = frozenset(random.sample(keys, 2))
            fetched, kept = await outcome(
                running, replica.url, want(gfs, *wanted, box=PNW), tmp_path / "cache"
            )
            for content in kept:
                assert messages_of(content).items() <= true.items()
            if fetched is not None:
                found = {key for _, keys_of in fetched.files for key in keys_of}
                assert fetched.missing == wanted - found
                served += bool(found)
    assert served


async def test_an_inventory_of_megabytes_is_given_up_after_the_first(
    aigfs, running, want, tmp_path
):
    place = tmp_path / "com" / COM / AIGFS
    place.parent.mkdir(parents=True)
    place.write_bytes(layout(Random(0)).content)
    tree = Misleading(DirectoryTree(tmp_path / "com"), b"1:0:d=2026012912:A:B:anl:\n" * 400_000)
    async with replica_running(tree) as replica, running(replica.url) as fetcher:
        with pytest.raises(BadIndex, match="over 1048576 bytes"):
            await fetcher.hour(want(aigfs, KINDS[0].key, hour=24))
