"""What a run lacks is named: frame by frame, and in few lines where it is most of the run."""

from twf_async.cli.missing import LISTED, told
from twf_async.cli.progress import tell
from twf_async.pipeline.report import MissingFrame, RunReport

SILENT = "source unreachable"


def lacking(count, reason=SILENT, region="pnw"):
    """So many frames of two products, hour after hour, the latest first."""
    hours = range((count + 1) // 2)
    frames = [
        MissingFrame(region, product, hour, reason, f"hour {hour}: no answer")
        for hour in reversed(hours)
        for product in ("cape", "t2m")
    ]
    return tuple(frames[len(frames) - count :])


def test_each_frame_has_its_line_and_its_reason_while_they_can_be_read():
    lines = [*told(lacking(LISTED))]

    assert len(lines) == LISTED
    assert lines[-1] == "missing pnw/t2m/f000: source unreachable (hour 0: no answer)"


def test_hundreds_of_frames_are_a_line_for_each_region_and_reason():
    lines = [*told(lacking(200) + lacking(1, "field missing") + lacking(3, region="west"))]

    cape = "cape/f000: source unreachable (hour 0: no answer)"
    assert lines == [
        f"missing 200 of pnw (2 products at 100 hours, f000 to f099), the first pnw/{cape}",
        "missing pnw/t2m/f000: field missing (hour 0: no answer)",
        f"missing 3 of west (2 products at 2 hours, f000 to f001), the first west/{cape}",
        "204 frames are missing; --json names each",
    ]


def test_the_end_of_a_run_tells_on_stdout_what_it_brought_and_on_stderr_what_it_lacks(capsys):
    tell(RunReport("gfs", "2026012912", "partial", 201, 1, 1, 0, lacking(200), 2.0), as_json=False)

    out, err = capsys.readouterr()
    assert out.startswith("gfs 2026012912: 1 of 201 frames published (1 drawn now")
    assert [line.partition(" ")[0] for line in err.splitlines()] == ["missing", "200"]


def test_nothing_is_said_where_nothing_is_missing():
    assert [*told(())] == []
