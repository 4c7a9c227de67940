"""Whatever comes over the wire: proven GRIB with true keys, or an error of ours."""

import io
import random as randomness
import shutil
import struct

import eccodes
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from render_farm.domain import grib2
from render_farm.domain.grib2 import BadSection, GribError, walk
from tests.domain import gribsmith as smith
from tests.fetch.fakes.framings import framed
from tests.fetch.fakes.layouts import layout
from tests.fetch.fakes.messages import CUT_OUT, CYCLE, PRMSL, T2M, file_of, message
from tests.fetch.fakes.nomads import ranged
from twf_async.errors import FetchError
from twf_async.fetch.errors import SourceError, WrongMessages
from twf_async.fetch.verify import Expectation, verify

randoms = st.randoms(use_true_random=False)


@pytest.fixture(scope="module")
def prove(tmp_path_factory):
    path = tmp_path_factory.mktemp("streams") / "file.grib2"

    def run(content, *wanted, count=1, exact=False):
        path.write_bytes(content)
        return verify(path, Expectation(CYCLE, frozenset(wanted), count, exact=exact))

    return run


def _length_lies(random, content):
    lie = random.choice((0, 1, 19, 20, len(content) - 1, len(content) + 1, 2**31, 2**63, 2**64 - 1))
    return content[:8] + struct.pack(">Q", lie) + content[16:]


def _section_lies(random, content):
    """A section that claims another size; 0 would be read for ever by whoever adds it up."""
    spoilt = bytearray(content)
    at = 16
    places = []
    while at + 5 <= len(content) - 4 and content[at : at + 4] != b"7777":
        places.append(at)
        at += max(struct.unpack_from(">I", content, at)[0], 5)
    size = random.choice((0, 1, 4, 5, 6, 21, 2**20 + 6, 2**31, 2**32 - 1))
    struct.pack_into(">I", spoilt, random.choice(places or [0]), size)
    return bytes(spoilt)


def _nested(random, content):
    """A whole message inside the data of another; all lengths of the outer one are true."""
    body = smith.identification() + smith.grid() + smith.instant() + smith.packing()
    inside = random.randbytes(random.randint(0, 9)) + content
    return smith.message(body + smith.bitmap() + smith.section(7, inside))


def _spoilt_number(random, content):
    spoilt = bytearray(content)
    at = random.randrange(len(spoilt))
    spoilt[at] ^= 1 << random.randrange(8)
    return bytes(spoilt)


STREAM_FAULTS = {
    "cut": lambda random, content: content[: random.randint(0, len(content))],
    "beginning lost": lambda random, content: content[random.randint(0, len(content)) :],
    "joined": lambda _, content: content * 2,
    "junk between": lambda random, content: content + random.randbytes(4) + content,
    "junk before": lambda random, content: random.randbytes(random.randint(1, 40)) + content,
    "zeros behind": lambda random, content: content + bytes(random.randint(1, 600)),
    "page behind": lambda _, content: content + b"<html><body>502</body></html>",
    "edition 1": lambda _, content: content[:7] + b"\1" + content[8:],
    "no end": lambda _, content: content[:-4],
    "other end": lambda _, content: content[:-4] + b"7778",
    "hole": lambda random, content: (
        content[: (at := random.randint(0, len(content)))]
        + content[at + random.randint(1, 60) :]
    ),
    "length lies": _length_lies,
    "section lies": _section_lies,
    "nested": _nested,
    "bit": _spoilt_number,
}  # fmt: skip


def spoil(random, content):
    for fault in random.choices(list(STREAM_FAULTS), k=random.choice((1, 1, 2))):
        if content:
            content = STREAM_FAULTS[fault](random, content)
    return content


def by_another_reader(content):
    """Code and length of each message as eccodes reads them; None for a template it has not got."""
    found, at = [], 0
    while at < len(content):
        handle = eccodes.codes_new_from_message(content[at:])
        names = ("discipline", "parameterCategory", "parameterNumber", "totalLength")
        try:
            found.append(tuple(eccodes.codes_get_long(handle, name) for name in names))
        except eccodes.KeyValueNotFoundError:
            found.append(None)
        finally:
            eccodes.codes_release(handle)
        at += int.from_bytes(content[at + 8 : at + 16])
    return found


@settings(max_examples=200)
@given(randoms)
def test_a_spoilt_stream_is_refused_by_type_or_is_what_another_reader_finds(prove, random):
    content = spoil(random, layout(random, most=3).content)
    try:
        verified = prove(content)
    except SourceError:
        return
    heads = list(walk(io.BytesIO(content)))
    assert verified.bytes == len(content) == sum(head.length for head in heads if head.part == 1)
    assert verified.keys == tuple(dict.fromkeys(h.key for h in heads if h.key is not None))
    firsts = [head for head in heads if head.part == 1]
    for head, other in zip(firsts, by_another_reader(content), strict=True):
        code = head.product.code
        assert other in {None, (code.discipline, code.category, code.number, head.length)}


@settings(max_examples=150)
@given(randoms)
def test_whole_messages_cut_joined_and_padded_pass_only_whole(prove, random):
    """Where no byte was changed, what passes is a row of the very messages that were sent."""
    sent = [m.content for m in layout(random, most=4).messages]
    content = b"".join(random.choices(sent, k=random.randint(1, 5)))
    for name in random.choices(("cut", "beginning lost", "junk between", "zeros behind"), k=2):
        if random.random() < 0.5 and content:
            content = STREAM_FAULTS[name](random, content)
    try:
        prove(content)
    except SourceError:
        return
    while content:
        whole = next(one for one in sent if content.startswith(one))
        content = content[len(whole) :]


@given(st.binary(max_size=600), st.integers(0, 2**64 - 1))
def test_any_bytes_after_an_honest_beginning_end_by_type(prove, tail, length):
    for content in (tail, b"GRIB" + tail, struct.pack(">4sHBBQ", b"GRIB", 0, 0, 2, length) + tail):
        try:
            prove(content)
        except SourceError:
            continue
        by_another_reader(content)


@pytest.mark.parametrize("number", [1, 2, 3, 4, 5, 6, 7])
def test_a_section_that_claims_gigabytes_costs_no_memory(number):
    """Sections that are read are small; long ones are passed over."""
    sections = {
        1: smith.identification(), 2: smith.section(2, b"local"), 3: smith.grid(),
        4: smith.instant(), 5: smith.packing(), 6: smith.bitmap(), 7: smith.section(7, b"data"),
    }  # fmt: skip
    huge = 3 << 30
    before = b"".join(sections[n] for n in range(1, number))
    claimed = struct.pack(">IB", huge, number) + sections[number][5:]
    stream = Counting(smith.message(before + claimed, length=huge + 10_000))

    with pytest.raises(GribError):
        list(walk(stream))

    assert stream.asked_bytes < 2 << 20


class Counting(io.BytesIO):
    """A file that goes on for ever: what is read behind its end is zeros."""

    asked_bytes = 0

    def read(self, size=-1):
        self.asked_bytes += size
        return super().read(size).ljust(size, b"\0")


def test_a_long_bitmap_and_a_long_local_section_are_whole_messages():
    body = smith.identification() + smith.section(2, bytes(3 << 20)) + smith.grid()
    body += smith.instant() + smith.packing() + smith.section(6, b"\0" + bytes(2 << 20))
    content = smith.message(body + smith.section(7, bytes(9)))

    (head,) = walk(io.BytesIO(content))

    assert grib2.field_bytes(io.BytesIO(content), head) == content


def test_a_message_of_fields_without_end_is_refused():
    part = smith.instant() + smith.packing() + smith.bitmap() + smith.DATA

    with pytest.raises(BadSection, match="10001th"):
        list(walk(io.BytesIO(smith.message(smith.identification() + smith.grid() + part * 10_001))))


AIGFS = (
    "/pub/data/nccf/com/aigfs/prod/aigfs.20260129/12/model/atmos/grib2/aigfs.t12z.sfc.f006.grib2"
)
GFS = "/pub/data/nccf/com/gfs/prod/gfs.20260129/12/atmos/gfs.t12z.pgrb2.0p25.f006"
CUT = message(T2M, grid=CUT_OUT, payload=bytes(5000))


def bodies(random, good):
    return random.choice((
        good, good, spoil(random, good), b"", random.randbytes(random.randint(1, 300)),
        b"<html>\xff</html>", b"GRIB", good[:-1], bytes(4096),
    ))  # fmt: skip


async def outcome(fetcher, wanted):
    try:
        return await fetcher.hour(wanted)
    except FetchError:
        return None


def contents(tmp_path, fetched):
    """What was handed out, and nothing else, lies in the cache."""
    files = sorted((tmp_path / "cache").rglob("*.grib2"))
    assert [p for p in (tmp_path / "cache").rglob("*") if p.suffix in {".part", ".tmp"}] == []
    if fetched is not None:
        assert {str(path) for path in files} >= {path for path, _ in fetched.files}
    return [path.read_bytes() for path in files]


@pytest.mark.parametrize("way", ["filter", "its inventory", "range", "inventory of ranges"])
@pytest.mark.parametrize("always", [False, True], ids=["once", "always"])
async def test_any_answer_over_any_framing_is_a_right_file_or_an_error(
    way, always, nomads, models, running, want, tmp_path
):
    """Every seed is an answer; once: a good one follows, always: every answer is like that."""
    model, path = ("gfs", GFS) if "filter" in way or "its" in way else ("aigfs", AIGFS)
    content, idx = file_of(T2M, PRMSL, payload_bytes=5000)
    nomads.files = {path: content, f"{path}.idx": idx.encode()}
    nomads.filtered = lambda _: CUT
    asked, good = {
        "filter": ("/cgi-bin/", CUT),
        "its inventory": (".idx", idx.encode()),
        "range": ("sfc.f006.grib2", content),
        "inventory of ranges": (".idx", idx.encode()),
    }[way]
    brought = 0
    for seed in range(20):
        random = randomness.Random(seed)

        def wrong(one, random=random):
            if way == "range" and random.random() < 0.3 and "range" in one.headers:
                return ranged(spoil(random, good), one)
            return framed(random, bodies(random, good))

        nomads.script = [] if way == "range" else [(asked, wrong)] * (200 if always else 1)
        if way == "range":
            nomads.script = [("sfc.f006.grib2.idx", lambda _: ok(idx.encode()))]
            nomads.script += [(asked, wrong)] * (200 if always else 1)
        async with running(nomads.url, read_timeout_s=0.3) as fetcher:
            fetched = await outcome(fetcher, want(models[model], T2M))
        for found in contents(tmp_path, fetched):
            # By byte ranges where the filter refuses for good.
            assert_true(found, (CUT, file_of(T2M, payload_bytes=5000)[0], content))
        if fetched is not None:
            brought += T2M not in fetched.missing
        shutil.rmtree(tmp_path / "cache", ignore_errors=True)
    assert brought or always


def ok(body):
    return b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%b" % (
        len(body),
        body,
    )


def assert_true(found, goods):
    """Whole messages of what is asked for; values may differ where a bit of the data was."""
    heads = list(walk(io.BytesIO(found)))
    assert T2M in {head.key for head in heads}
    assert {head.cycle for head in heads} == {CYCLE}
    alike = [good for good in goods if len(good) == len(found)]
    changed = [sum(a != b for a, b in zip(found, good, strict=True)) for good in alike]
    assert not alike or min(changed) <= 2


def test_a_file_of_fields_without_end_is_refused_before_all_of_it_is_held(prove):
    with pytest.raises(WrongMessages, match="more than 10000 fields"):
        prove(smith.message() * 10_001)
