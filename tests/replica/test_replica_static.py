"""Files under /pub as Apache serves them on NOMADS."""

import email
from email.utils import parsedate_to_datetime

import pytest

from tests.replica.asking import COM, GFS

FILE = f"{GFS}/gfs.t12z.pgrb2.0p25.f006"


async def test_a_file_comes_whole_with_the_headers_of_nomads(replica, gfs_f006):
    answer = await replica.get(FILE)
    assert (answer.status, answer.body) == (200, gfs_f006)
    assert answer.headers["Server"] == "Apache"
    assert answer.headers["Accept-Ranges"] == "bytes"
    assert answer.headers["Content-Length"] == str(len(gfs_f006))
    assert answer.headers["Cache-Control"] == "no-cache, private, max-age=14400"
    assert answer.headers["Strict-Transport-Security"] == "max-age=31536000 ; preload"
    assert parsedate_to_datetime(answer.headers["Last-Modified"]).tzinfo is not None


async def test_head_tells_the_length_and_sends_nothing(replica, gfs_f006):
    answer = await replica.get(FILE, "HEAD")
    assert (answer.status, answer.body) == (200, b"")
    assert answer.headers["Content-Length"] == str(len(gfs_f006))


async def test_the_idx_is_a_file_like_any_other(replica):
    answer = await replica.get(f"{FILE}.idx")
    assert answer.text.splitlines()[0] == "1:0:d=2026012912:PRMSL:mean sea level:6 hour fcst:"


@pytest.mark.parametrize(
    ("asked", "part"),
    [
        ("bytes=882640-1725911", slice(882640, 1725912)),
        ("bytes=4407198-", slice(4407198, None)),
        ("bytes=-100", slice(-100, None)),
        ("bytes=0-99999999", slice(None)),
    ],
)
async def test_a_range_is_answered_with_just_these_bytes(replica, gfs_f006, asked, part):
    answer = await replica.get(FILE, Range=asked)
    assert (answer.status, answer.body) == (206, gfs_f006[part])
    start, end, _ = part.indices(len(gfs_f006))
    assert answer.headers["Content-Range"] == f"bytes {start}-{end - 1}/{len(gfs_f006)}"


async def test_several_ranges_come_as_multipart_in_the_order_asked(replica, gfs_f006):
    answer = await replica.get(FILE, Range="bytes=882640-1725911,0-15,-4")
    assert answer.status == 206
    assert answer.headers["Content-Length"] == str(len(answer.body))
    kind = f"Content-Type: {answer.headers['Content-Type']}\r\n\r\n".encode()
    parts = email.message_from_bytes(kind + answer.body).get_payload()
    size = len(gfs_f006)
    assert [part["Content-Range"] for part in parts] == [
        f"bytes 882640-1725911/{size}",
        f"bytes 0-15/{size}",
        f"bytes {size - 4}-{size - 1}/{size}",
    ]
    boundary = answer.headers["Content-Type"].partition("boundary=")[2].encode()
    bodies = [part.partition(b"\r\n\r\n")[2] for part in answer.body.split(b"\r\n--" + boundary)]
    assert bodies[1:4] == [gfs_f006[882640:1725912], gfs_f006[:16], b"7777"]


async def test_a_range_beyond_the_end_is_416_with_the_size(replica, gfs_f006):
    answer = await replica.get(FILE, Range=f"bytes={len(gfs_f006)}-")
    assert answer.status == 416
    assert answer.headers["Content-Range"] == f"bytes */{len(gfs_f006)}"


async def test_if_range_with_another_date_gives_the_whole_file(replica, gfs_f006):
    stale = await replica.get(FILE, Range="bytes=0-3", If_Range="Thu, 01 Jan 2015 00:00:00 GMT")
    assert (stale.status, len(stale.body)) == (200, len(gfs_f006))
    valid = (await replica.get(FILE, "HEAD")).headers["Last-Modified"]
    fresh = await replica.get(FILE, Range="bytes=0-3", If_Range=valid)
    assert (fresh.status, fresh.body) == (206, b"GRIB")


async def test_an_unchanged_file_is_not_sent_again(replica):
    head = (await replica.get(FILE, "HEAD")).headers
    for condition in (
        {"If_None_Match": head["ETag"]},
        {"If_Modified_Since": head["Last-Modified"]},
    ):
        answer = await replica.get(FILE, **condition)
        assert (answer.status, answer.body) == (304, b"")


async def test_a_directory_lists_its_entries_with_links(replica):
    answer = await replica.get(f"{GFS}/")
    assert answer.status == 200
    assert (
        "<title>Index of /pub/data/nccf/com/gfs/prod/gfs.20260129/12/atmos</title>" in answer.text
    )
    assert '<a href="gfs.t12z.pgrb2.0p25.f006">gfs.t12z.pgrb2.0p25.f006</a>' in answer.text
    assert '<a href="gfs.t12z.pgrb2.0p25.f006.idx">' in answer.text
    upper = await replica.get(f"{COM}/gfs/prod/")
    assert '<a href="gfs.20260129/">gfs.20260129/</a>' in upper.text


@pytest.mark.parametrize("path", ["/", "/pub/", "/pub/data/nccf/", f"{COM}/"])
async def test_directories_above_the_models_can_be_walked(replica, path):
    answer = await replica.get(path)
    assert (answer.status, "Index of" in answer.text) == (200, True)


async def test_a_directory_without_its_slash_is_redirected_to_it(replica):
    answer = await replica.get(GFS)
    assert (answer.status, answer.headers["Location"]) == (301, f"{GFS}/")


@pytest.mark.parametrize(
    "path",
    [
        f"{GFS}/gfs.t12z.pgrb2.0p25.f024",
        f"{GFS}/gfs.t12z.pgrb2.0p25.f006/",
        f"{GFS}/gfs.t12z.pgrb2.0p25.f006/x",
        "/etc/passwd",
        f"{COM}/%2e%2e/%2e%2e/secret",
        f"{COM}//gfs/prod/",
        "/nothing",
    ],
)
async def test_what_is_not_there_is_apaches_404(replica, path):
    answer = await replica.get(path)
    assert answer.status == 404
    assert "<title>404 Not Found</title>" in answer.text
    assert "Location" not in answer.headers


async def test_other_methods_are_refused(replica):
    assert (await replica.get(FILE, "POST")).status == 405
