"""What a request is after: the file it means, whichever way it asks for it."""

from dataclasses import dataclass
from fnmatch import fnmatchcase

from aiohttp import web

from twf_async.replica.faults.kinds import Kind
from twf_async.replica.faults.script import Asked, Fault, Source
from twf_async.replica.mirror import tree_path
from twf_async.replica.release import PLANS
from twf_async.replica.scripts import SCRIPTS
from twf_async.replica.tree import COM

_IDX = ".idx"
_WILD = frozenset("*?[")


@dataclass(frozen=True, slots=True)
class Target:
    """What one request is after.

    url    decoded path and query
    file   path in the tree of the file that is meant, "" for none
    asked  for what
    source which server
    same   equal for requests that ask for the same thing
    """

    url: str
    file: str
    asked: Asked
    source: Source
    same: str

    @classmethod
    def of(cls, request: web.Request, source: Source) -> "Target":
        """Read a request."""
        path = request.path
        url = f"{path}?{request.query_string}" if request.query_string else path
        same = f"{request.method} {request.raw_path} {request.headers.get('Range', '')}"
        if source is Source.MIRROR:
            file = tree_path(path) or ""
            return cls(url, file, _kind(file or path), source, same)
        if path.startswith("/cgi-bin/"):
            script = SCRIPTS.get(path.rpartition("/")[2])
            directory, name = request.query.get("dir", "").rstrip("/"), request.query.get("file")
            file = f"{COM}/{script.tree}{directory}/{name}" if script and name else ""
            return cls(url, file, Asked.FILTER, source, same)
        return cls(url, "" if path.endswith("/") else path, _kind(path), source, same)


def meant(fault: Fault, target: Target) -> bool:
    """Say whether a fault is for requests such as this one."""
    if fault.source not in {None, target.source}:
        return False
    if fault.of_files:
        return bool(target.file) and meant_file(fault, target.file)
    if fault.on and target.asked not in fault.on:
        return False
    return matches(fault.path, target.url) or matches(fault.path, target.file)


def meant_file(fault: Fault, path: str) -> bool:
    """Say whether a fault of the files is for the file or directory at *path*."""
    if fault.on and _kind(path) not in fault.on:
        return False
    if fault.kind is Kind.ABORTED and ((hour := _hour(path)) is None or hour <= fault.last_hour):
        return False
    return matches(fault.path, path) or matches(fault.path, f"{path}/")


def matches(pattern: str, text: str) -> bool:
    """Match a glob whose "*" crosses "/"; a pattern without wildcards is looked for anywhere."""
    if _WILD.isdisjoint(pattern):
        return pattern in text
    return fnmatchcase(text, pattern)


def _hour(path: str) -> int | None:
    for plan in PLANS:
        if path.startswith(f"{COM}/{plan.tree}/"):
            file = plan.read(path)
            return None if file is None else file.hour
    return None


def _kind(path: str) -> Asked:
    if path.endswith("/"):
        return Asked.LISTING
    return Asked.IDX if path.endswith(_IDX) else Asked.GRIB
