"""What a picture says about itself: enough to make it again."""

from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

import pytest

from render_farm.domain.grib2 import walk
from render_farm.domain.products import ModelVariant
from render_farm.domain.style import Style
from render_farm.encode.png import read_texts
from render_farm.render.hour import render_hour
from render_farm.render.provenance import config_hash
from twf_async.publish.files import read_frame

GFS, HRRR = "2026012912", "2026012917"


@pytest.fixture
def job(make_job, tmp_path):
    """A job whose files need not exist."""
    return make_job(tmp_path / "none", "gfs", GFS, 6, ["t2m"])


def texts_of(job):
    (frame,) = render_hour(job).frames
    return read_texts(Path(frame.path).read_bytes())


def hash_of(job):
    return config_hash(job, job.tasks[0], job.regions[0])


def test_every_message_is_named_with_its_file_and_the_byte_it_begins_at(make_job, real_file):
    path = real_file("gfs", 6)
    texts = texts_of(make_job(path, "gfs", GFS, 6, ["t850"]))

    with path.open("rb") as stream:
        begins = {str(head.key): head.offset for head in walk(stream)}
    named = [line.split(":", 2) for line in texts["Source"].splitlines()]
    assert {key for _, _, key in named} == {
        "TMP:850 mb:6 hour fcst",
        "UGRD:850 mb:6 hour fcst",
        "VGRD:850 mb:6 hour fcst",
        "PRMSL:mean sea level:6 hour fcst",
    }
    for file, offset, key in named:
        assert file == path.name
        assert int(offset) == begins[key]
        assert path.read_bytes()[int(offset) :][:4] == b"GRIB"


def test_the_config_hash_of_a_picture_is_found_again_in_its_file(make_job, real_file):
    (frame,) = render_hour(make_job(real_file("gfs", 6), "gfs", GFS, 6, ["t2m"])).frames

    texts = read_texts(Path(frame.path).read_bytes())

    assert frame.config_hash == texts["config_hash"]
    assert read_frame(Path(frame.path), "west", "t2m").config_hash == frame.config_hash


def test_what_is_not_there_is_not_named(make_job, real_file):
    """HRRR f01 has no types of precipitation for its reflectivity."""
    texts = texts_of(make_job(real_file("hrrr", 1), "hrrr", HRRR, 1, ["refc"]))

    assert texts["Source"].endswith("REFC:entire atmosphere:1 hour fcst")
    assert len(texts["Source"].splitlines()) == 1


def test_software_and_libraries_are_named_with_their_versions(make_job, real_file):
    job = make_job(real_file("gfs", 6), "gfs", GFS, 6, ["t2m"], software="twf_async 9.8.7")
    texts = texts_of(job)

    assert texts["Software"] == "twf_async 9.8.7"
    named = dict(item.split(" ") for item in texts["libraries"].split("; "))
    assert named["numpy"] == version("numpy")
    assert named["matplotlib"] == version("matplotlib")
    assert {"eccodes", "pyproj", "PROJ", "contourpy"} <= named.keys()


def test_no_directory_of_this_machine_is_told(make_job, real_file):
    texts = texts_of(make_job(real_file("gfs", 6), "gfs", GFS, 6, ["t2m"]))

    told = "".join(text for key, text in texts.items() if key != "Disclaimer")  # "NOAA/NCEP"
    assert "/" not in told


@pytest.mark.parametrize(
    "change",
    [
        lambda job: replace(job, style=Style(base="dark")),
        lambda job: replace(job, style=Style(units="metric")),
        lambda job: replace(job, stations=job.stations[:1]),
        lambda job: replace(job, counties=False),
        lambda job: replace(job, notice="synthetic demo data"),
        lambda job: replace(job, model_title="GFS 0.25"),
        lambda job: replace(job, regions=(job.regions[0].model_copy(update={"width_px": 481}),)),
        lambda job: with_task(job, sampling="nearest"),
        lambda job: with_task(job, lines=()),
        lambda job: with_scale(job, title="another"),
    ],
)
def test_whatever_is_configured_for_the_frame_changes_the_hash(change, job):
    assert hash_of(change(job)) != hash_of(job)


@pytest.mark.parametrize(
    "change",
    [
        lambda job: replace(job, staging_dir="/elsewhere", map_cache_dir="/there"),
        lambda job: replace(job, log_level="debug", software="twf_async 2"),
        lambda job: replace(job, tasks=job.tasks * 2),
        lambda job: with_task(job, order=7, group="upper air"),
        lambda job: with_scale(job, metric=job.tasks[0].scales["fill"].imperial),
        lambda job: with_task(job, models={"hrrr": ModelVariant(title="only HRRR's")}),
    ],
)
def test_what_does_not_concern_the_frame_leaves_the_hash(change, job):
    assert hash_of(change(job)) == hash_of(job)


def with_task(job, **changes):
    task = job.tasks[0]
    return replace(job, tasks=(replace(task, product=task.product.model_copy(update=changes)),))


def with_scale(job, **changes):
    task = job.tasks[0]
    scales = {role: scale.model_copy(update=changes) for role, scale in task.scales.items()}
    return replace(job, tasks=(replace(task, scales=scales),))
