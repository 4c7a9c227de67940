"""Answers that come instead of the file, and answers with other bytes in them."""

import pytest

from tests.replica.asking import GFS, GFS_F006, messages_of
from twf_async.replica.faults.bodies import messages_in
from twf_async.replica.faults.script import Fault

FILE = f"{GFS}/gfs.t12z.pgrb2.0p25.f006"
ALL = f"{GFS_F006}&all_var=on&all_lev=on"


@pytest.mark.parametrize(
    ("fault", "status", "text"),
    [
        (Fault("status", status=500), 500, "g2sub"),
        (Fault("status", status=502), 502, "An error occurred while processing your request"),
        (Fault("status", status=503), 503, "An error occurred while processing your request"),
        (Fault("status", status=429), 429, "An error occurred"),
        (Fault("status", status=404), 404, "was not found"),
        (Fault("status", status=403), 403, "permission"),
        (Fault("slow_down"), 503, "<Code>SlowDown</Code>"),
        (Fault("limit_302"), 302, "Over Rate Limit"),
        (Fault("limit_200"), 200, "abusive-user-block"),
        (Fault("block_403"), 403, "Access Denied"),
        (Fault("bare_302"), 302, ""),
        (Fault("moved_302"), 302, "Moved Permanently"),
        (Fault("empty_200"), 200, ""),
        (Fault("html_200"), 200, "<html>"),
    ],
    ids=lambda value: str(value.kind) if isinstance(value, Fault) else None,
)
async def test_another_answer_comes_instead_of_the_file(scripted, fault, status, text):
    async with scripted(fault) as (client, replica):
        for path in (FILE, f"{FILE}.idx", ALL):
            answer = await client.get(path)
            assert answer.status == status
            assert text in answer.text
            assert bool(answer.text) is bool(text)
            assert ("Location" in answer.headers) is (fault.kind == "moved_302")
        assert {hit.fault for hit in replica.hits} == {fault.kind}
        assert {hit.status for hit in replica.hits} == {status}


async def test_a_redirect_with_a_place_leads_to_the_file(scripted, gfs_f006):
    async with scripted(Fault("moved_302", first=1)) as (client, _):
        there = (await client.get(ALL)).headers["Location"]
        assert (await client.get(there)).body == gfs_f006


async def test_a_range_can_be_ignored_for_some(scripted, gfs_f006):
    async with scripted(Fault("range_ignored", first=1)) as (client, replica):
        answers = [await client.get(FILE, Range="bytes=0-9") for _ in range(2)]
        assert [answer.status for answer in answers] == [200, 206]
        assert [len(answer.body) for answer in answers] == [len(gfs_f006), 10]
        assert [hit.fault for hit in replica.hits] == ["range_ignored", ""]


@pytest.mark.parametrize("path", [ALL, FILE])
async def test_an_answer_can_end_where_a_message_does(scripted, gfs_f006, path):
    async with scripted(Fault("truncate_boundary", at=0.5)) as (client, _):
        answer = await client.get(path)
        assert answer.status == 200
        assert gfs_f006.startswith(answer.body)
        assert len(messages_of(answer.body)) == 3


@pytest.mark.parametrize("share", [0.0, 0.3, 0.999, 1.0])
async def test_an_answer_can_end_inside_a_message(scripted, gfs_f006, share):
    ends = {end for _, end in messages_in(gfs_f006)}
    async with scripted(Fault("truncate_inside", at=share)) as (client, _):
        answer = await client.get(ALL)
        assert gfs_f006.startswith(answer.body)
        assert len(answer.body) < len(gfs_f006)
        assert len(answer.body) not in ends


async def test_one_message_can_be_missing_in_an_answer(scripted, gfs_f006):
    whole = [message.octets for message in messages_of(gfs_f006)]
    async with scripted(Fault("drop_message"), seed=4) as (client, _):
        answer = await client.get(ALL)
        left = [message.octets for message in messages_of(answer.body)]
        assert len(left) == len(whole) - 1
        assert [octets for octets in whole if octets in left] == left


async def test_flipped_bytes_are_in_data_sections_and_the_seed_tells_which(scripted, gfs_f006):
    bodies = []
    for seed in (1, 1, 2):
        async with scripted(Fault("flip", count=3), seed=seed) as (client, _):
            bodies.append((await client.get(ALL)).body)
    assert bodies[0] == bodies[1] != bodies[2]
    assert len(messages_of(bodies[0])) == len(messages_of(gfs_f006))
    changed = [at for at, byte in enumerate(bodies[0]) if byte != gfs_f006[at]]
    assert 1 <= len(changed) <= 3
    for start, end in messages_in(gfs_f006):
        data = gfs_f006.rindex(b"\x07", start, start + 400) + 1
        assert all(data <= at < end - 4 for at in changed if start <= at < end)


async def test_a_spoiled_range_tells_the_length_it_has(scripted):
    async with scripted(Fault("truncate_inside", at=0.1)) as (client, replica):
        answer = await client.get(FILE, Range="bytes=0-99999")
        assert (answer.status, len(answer.body)) == (206, 10000)
        assert answer.headers["Content-Length"] == "10000"
        assert replica.hits[0].bytes == 10000


async def test_faults_that_spoil_add_up_and_are_all_told(scripted, gfs_f006):
    faults = Fault("drop_message"), Fault("flip"), Fault("short", on=("filter",), at=0.9)
    async with scripted(*faults, Fault("html_200", on=("idx",))) as (client, replica):
        with pytest.raises(Exception, match="payload"):
            await client.get(ALL)
        assert (await client.get(f"{FILE}.idx")).text.startswith("<!DOCTYPE")
        told = [hit.fault for hit in replica.hits]
        assert told == ["drop_message; flip; short", "html_200"]
