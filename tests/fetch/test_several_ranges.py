"""Several byte ranges in one request: what comes is taken apart, what is bad is done without."""

import asyncio
import random as randomness
import shutil
from dataclasses import replace

import pytest
from structlog.testing import capture_logs

from tests.fetch.fakes.framings import framed
from tests.fetch.fakes.messages import PRMSL, T2M, T850, TOTAL, U10, file_of
from tests.fetch.fakes.nomads import BLOCK_PAGE, BOUNDARY, answer, parts, ranged, spans_of
from twf_async.errors import FetchError
from twf_async.fetch.errors import BrokenStream, PastEnd, RangeIgnored, RangesUnclear, ServerTrouble
from twf_async.fetch.patience import Patience
from twf_async.fetch.several import Several
from twf_async.plan.idx import parse_idx

AIGFS = (
    "/pub/data/nccf/com/aigfs/prod/aigfs.20260129/12/model/atmos/grib2/aigfs.t12z.sfc.f006.grib2"
)
FIELDS = (T2M, T850, PRMSL, U10, TOTAL)
WANTED = (T2M, PRMSL, TOTAL)  # with another field between each two
CONTENT, IDX = file_of(*FIELDS, payload_bytes=40_000)
EDGES = (*(line.offset for line in parse_idx(IDX)), len(CONTENT))
A, B, C = ((EDGES[at], EDGES[at + 1]) for at in (0, 2, 4))  # what is wanted
TRUE = b"".join(CONTENT[start:end] for start, end in (A, B, C))
SIZE = A[1]
MODIFIED = "Last-Modified: Thu, 29 Jan 2026 15:40:00 GMT"
PARTS = f"Content-Type: multipart/byteranges; boundary={BOUNDARY}"


@pytest.fixture
def wanted(aigfs, want):
    """The model's levels are elsewhere; here all is in one file."""
    (surface,) = (file for file in aigfs.files if ".sfc." in file.path)
    file = surface.model_copy(update={"holds": ".*"})
    model = aigfs.model_copy(update={"files": (file,), "grid": None})
    return want(model, *WANTED)


@pytest.fixture(autouse=True)
def served(nomads):
    nomads.files = {AIGFS: CONTENT, f"{AIGFS}.idx": IDX.encode()}
    return nomads


def partial_content(body, *headers, **how):
    return answer(body, "206 Partial Content", headers=[MODIFIED, *headers], **how)


def asked_spans(asked):
    return [(start, end or len(CONTENT)) for start, end in spans_of(asked)]


def in_parts(change):
    """An answer whose parts are those that *change* makes of the spans asked for."""
    return lambda asked: partial_content(parts(CONTENT, change(asked_spans(asked))), PARTS)


def as_one(start, end):
    told = f"Content-Range: bytes {start}-{end - 1}/{len(CONTENT)}"
    return partial_content(CONTENT[start:end], told)


def body_changed(change):
    return lambda asked: partial_content(change(parts(CONTENT, asked_spans(asked))), PARTS)


def cut_chunked(asked):
    body = parts(CONTENT, asked_spans(asked))[: SIZE + 1000]
    head = f"HTTP/1.1 206 Partial Content\r\n{MODIFIED}\r\n{PARTS}\r\nTransfer-Encoding: chunked"
    return head.encode() + b"\r\nConnection: close\r\n\r\n%x\r\n%b" % (len(body), body)


def relabelled(body):
    """The ranges of the first two parts stand at each other's bytes."""
    first, second = (f"bytes {start}-{end - 1}/".encode() for start, end in (A, B))
    return second.join(part.replace(second, first) for part in body.split(first))


def shown(*spans):
    return ",".join(f"{start}-{end - 1}" for start, end in spans)


ALL = f"{shown(A, B)},{C[0]}-"
REST, MIDDLE, LAST = shown(B, C), shown(B), shown(C)
# The first answer -> why something is asked for again ("" where nothing failed), and what is then.
ANSWERS = {
    "in order": (in_parts(lambda spans: spans), "", []),
    "parts swapped": (in_parts(lambda spans: spans[::-1]), "", []),
    "joined with what is between": (lambda _: as_one(0, len(CONTENT)), "", []),
    "two of them joined": (in_parts(lambda s: [(s[0][0], s[1][1]), s[2]]), "", []),
    "only the first": (lambda _: as_one(*A), "", [REST]),
    "only the first, as a part": (in_parts(lambda spans: spans[:1]), "", [REST]),
    "a part is lacking": (in_parts(lambda spans: spans[::2]), "", [MIDDLE]),
    "a part comes twice": (
        in_parts(lambda s: [s[0], s[0], s[1], s[2]]), "several byte ranges not understood",
        [LAST],
    ),
    "a part begins early": (
        in_parts(lambda s: [s[0], (s[1][0] - 1, s[1][1]), s[2]]),
        "several byte ranges not understood", [REST],
    ),
    "a part ends early": (
        in_parts(lambda s: [s[0], (s[1][0], s[1][1] - 1), s[2]]),
        "several byte ranges not understood", [REST],
    ),
    "ranges told of other parts": (body_changed(relabelled), "", []),
    "another boundary": (
        body_changed(lambda body: body.replace(BOUNDARY.encode(), b"another")),
        "several byte ranges not understood", [ALL],
    ),
    "another boundary in the middle": (
        body_changed(lambda body: b"another".join(body.rsplit(BOUNDARY.encode(), 2))),
        "several byte ranges not understood", [REST],
    ),
    "bytes lost in a part": (
        body_changed(lambda body: body[: SIZE + 2000] + body[SIZE + 2100 :]),
        "several byte ranges not understood", [REST],
    ),
    "no last boundary": (
        body_changed(lambda body: body[: -len(BOUNDARY) - 8]), "connection broken",
        [LAST],
    ),
    "more behind the last boundary": (
        body_changed(lambda body: body + b"<html>"), "several byte ranges not understood", [],
    ),
    "cut in a part, of known length": (
        lambda asked: ranged(CONTENT, asked, keep=SIZE + 10_000), "connection broken",
        ["the rest"],
    ),
    "cut in a part, of unknown length": (cut_chunked, "connection broken", [REST]),
    "parts without a boundary": (
        lambda asked: partial_content(
            parts(CONTENT, asked_spans(asked)), "Content-Type: multipart/byteranges"
        ),
        "several byte ranges not understood", [ALL],
    ),
    "the whole file": (lambda _: answer(CONTENT), "byte range ignored", [ALL]),
    "the whole file as a part": (
        lambda _: as_one(0, len(CONTENT) - 1), "several byte ranges not understood",
        [shown(A, B, C)],
    ),
    "400": (
        lambda _: answer(b"no", "400 Bad Request"), "several byte ranges not understood", [ALL],
    ),
    "416": (
        lambda _: answer(b"no", "416 Range Not Satisfiable"),
        "inventory points past the end of the file", [ALL],
    ),
    "502": (lambda _: answer(b"no", "502 Bad Gateway"), "server error", [ALL]),
}  # fmt: skip


def ranges_asked(nomads):
    return [one.headers["range"].removeprefix("bytes=") for one in nomads.asked if one.path == AIGFS
            and "range" in one.headers]  # fmt: skip


def only_file(tmp_path):
    (found,) = (tmp_path / "cache").rglob("*.grib2")
    return found.read_bytes()


@pytest.mark.parametrize("name", ANSWERS)
async def test_one_answer_in_parts_gives_the_bytes_or_is_asked_for_again(
    name, nomads, wanted, running, tmp_path
):
    reply, reason, then = ANSWERS[name]
    nomads.script = [(f"{AIGFS}.idx", answer(IDX.encode())), (AIGFS, reply)]
    with capture_logs() as logs:
        async with running(nomads.url) as fetcher:
            fetched = await fetcher.hour(wanted)

    assert fetched.method == "RANGES"
    heads, content = {BOUNDARY}, only_file(tmp_path)
    assert not any(head.encode() in content for head in heads)
    assert sorted(messages(content)) == sorted(messages(TRUE))
    assert (content == TRUE) == (name != "ranges told of other parts")  # in another order
    first, *others = ranges_asked(nomads)
    assert first == ALL
    if name == "cut in a part, of known length":
        assert len(others) == 1
        start, end = spans_of(nomads.asked[-1])[0]
        assert B[0] < start < end == B[1]
        assert others[0].endswith(f",{LAST}")
    else:
        assert others == then
    told = [line["reason"] for line in logs if line["event"] == "fetch.retried"]
    assert told == ([reason] if reason else [])
    assert not [line for line in logs if line["event"] == "fetch.multi_range_refused"]


async def test_a_file_that_is_replaced_between_two_answers_is_begun_again(
    nomads, wanted, running, tmp_path
):
    younger = "Thu, 29 Jan 2026 16:00:00 GMT"
    nomads.script = [
        (f"{AIGFS}.idx", answer(IDX.encode())),
        (AIGFS, lambda asked: ranged(CONTENT, asked, keep=SIZE + 10_000)),
        (AIGFS, lambda asked: ranged(CONTENT, asked, modified=younger)),
    ]
    with capture_logs() as logs:
        async with running(nomads.url) as fetcher:
            await fetcher.hour(wanted)

    reasons = [line["reason"] for line in logs if line["event"] == "fetch.retried"]
    assert reasons == ["connection broken", "file replaced while it was read"]
    assert ranges_asked(nomads)[-1] == ALL
    assert only_file(tmp_path) == TRUE


async def test_parts_of_two_files_in_one_answer_are_not_mixed(nomads, wanted, running, tmp_path):
    def two_lengths(asked):
        body = parts(CONTENT, asked_spans(asked))
        total = f"/{len(CONTENT)}".encode()
        return partial_content(total.join(body.rsplit(total, 1)[:-1]) + f"/{len(CONTENT) + 8}"
                               .encode() + body.rsplit(total, 1)[-1], PARTS)  # fmt: skip

    nomads.script = [(f"{AIGFS}.idx", answer(IDX.encode())), (AIGFS, two_lengths)]
    with capture_logs() as logs:
        async with running(nomads.url) as fetcher:
            await fetcher.hour(wanted)

    reasons = [line["reason"] for line in logs if line["event"] == "fetch.retried"]
    assert reasons == ["file replaced while it was read"]
    assert only_file(tmp_path) == TRUE


BREAKS = [
    name
    for name, (_, reason, then) in ANSWERS.items()
    if reason and then in ([ALL], [shown(A, B, C)])
]
ALWAYS = {
    **{name: ANSWERS[name][0] for name in BREAKS},
    "closed without an answer": lambda _: b"",
    "only the first": ANSWERS["only the first"][0],
    "blocked": lambda _: answer(BLOCK_PAGE, "403 Forbidden"),
}


@pytest.mark.parametrize("name", ALWAYS)
async def test_a_host_that_never_gives_several_at_once_gives_one_after_the_other(
    name, nomads, wanted, running, tmp_path
):
    """Whatever stands between breaks every answer to several ranges, and no other."""
    bad = ALWAYS[name]
    nomads.script = [
        (AIGFS, lambda asked: reply_to_one_only(nomads, asked, bad)) for _ in range(40)
    ]
    with capture_logs() as logs:
        async with running(
            nomads.url, patience=Patience(attempts=5, scale=0.0005, throttle_s=20)
        ) as fetcher:
            fetched = await persevere(fetcher, wanted)
            asked = len(ranges_asked(nomads))
            await fetcher.forget(wanted.model, wanted.cycle, wanted.hour)
            again = await persevere(fetcher, wanted)

    assert fetched.method == again.method == "RANGES"
    (line,) = [line for line in logs if line["event"] == "fetch.multi_range_refused"]
    assert line["source"] == "nomads"
    assert line["reason"]
    # A connection that closes at once is tried twice by aiohttp itself.
    assert 1 <= sum("," in text for text in ranges_asked(nomads)[:asked]) <= 8
    assert not any("," in text for text in ranges_asked(nomads)[asked:])


def reply_to_one_only(nomads, asked, bad):
    if "range" not in asked.headers:
        return answer(nomads.files[asked.path])
    return bad(asked) if "," in asked.headers["range"] else ranged(CONTENT, asked)


async def persevere(fetcher, wanted):
    """As the pipeline does: come back when the error says so."""
    async with asyncio.timeout(60):
        while True:
            try:
                return await fetcher.hour(wanted)
            except FetchError as error:
                if error.retry_after_s is None:
                    raise
                await asyncio.sleep(error.retry_after_s)


async def test_a_mirror_and_whoever_is_told_so_are_asked_for_one_range_at_a_time(
    nomads, mirror, wanted, running
):
    mirror.files = {
        path.removeprefix("/pub/data/nccf/com/aigfs/prod"): content
        for path, content in nomads.files.items()
    }
    model = wanted.model.model_copy(
        update={"aws_root": mirror.url, "aws_path_prefix": "aigfs/prod/"}
    )
    nobody = "http://127.0.0.1:9"
    async with running(nomads.url, multi_range=False) as fetcher:
        await fetcher.hour(wanted)
        await fetcher.forget(model, wanted.cycle, wanted.hour)
    async with running(nobody, aws_url=mirror.url) as fetcher:
        fetched = await fetcher.hour(replace(wanted, model=model))

    assert fetched.source == "aws"
    asked = [
        one.headers["range"] for one in (*nomads.asked, *mirror.asked) if "range" in one.headers
    ]
    assert asked
    assert not any("," in text for text in asked)


async def test_any_answer_to_several_over_any_framing_is_a_right_file_or_an_error(
    nomads, wanted, running, tmp_path
):
    brought = 0
    for seed in range(60):
        random = randomness.Random(seed)

        def wrong(asked, random=random):
            if "range" not in asked.headers:
                return answer(nomads.files[asked.path])
            if "," not in asked.headers["range"] or random.random() < 0.4:
                return ranged(CONTENT, asked, keep=random.choice((None, random.randint(0, 90_000))))
            body = bytearray(parts(CONTENT, asked_spans(asked)))
            at = random.randrange(len(body))
            match random.choice(("cut", "lost", "bit in a head", "other framing")):
                case "cut":
                    del body[at:]
                case "lost":
                    del body[at : at + random.randint(1, 400)]
                case "bit in a head":
                    at = body.find(BOUNDARY.encode(), at % (2 * SIZE)) + random.randint(0, 90)
                    body[at % len(body)] ^= 1 << random.randrange(8)
                case _:
                    return framed(random, bytes(body))
            return partial_content(bytes(body), PARTS)

        nomads.script = [(AIGFS, wrong)] * 60
        async with running(nomads.url, read_timeout_s=0.3) as fetcher:
            try:
                await fetcher.hour(wanted)
            except FetchError:
                assert not list((tmp_path / "cache").rglob("*.part"))
            else:
                brought += 1
                assert sorted(messages(only_file(tmp_path))) == sorted(messages(TRUE))
        shutil.rmtree(tmp_path / "cache", ignore_errors=True)
    assert brought > 20


def messages(content):
    while content:
        length = int.from_bytes(content[8:16], "big")
        yield content[:length]
        content = content[length:]


class TestSeveral:
    """What is remembered of a host."""

    async def test_it_is_trusted_again_after_the_pause_and_less_than_before(self):
        several = Several("nomads", pause_s=0.5)
        for _ in range(2):
            assert several.trusted
            several.failed(RangesUnclear("no boundary"))
        assert not several.trusted
        several.one_came()
        assert not several.trusted
        async with asyncio.timeout(60):
            while not several.trusted:
                await asyncio.sleep(0.005)

        several.failed(RangeIgnored("200"))
        assert not several.trusted

    async def test_one_range_that_does_not_come_either_acquits_it(self):
        several = Several()
        several.failed(RangesUnclear("no boundary"))
        several.failed(RangesUnclear("no boundary"))
        several.one_failed(ServerTrouble("503"))
        assert several.trusted

    async def test_trouble_of_every_kind_of_request_counts_less_and_an_answer_ends_it(self):
        several = Several()
        for _ in range(3):
            several.failed(ServerTrouble("503"))
            several.failed(PastEnd("known from the length"))
        assert several.trusted
        several.came(all_of_them=True)
        for error in (ServerTrouble("503"), BrokenStream("gone"), ServerTrouble("503")):
            several.failed(error)
        assert several.trusted
        several.failed(BrokenStream("gone"))
        assert not several.trusted
