"""The HTML that NOMADS answers with: listings, errors, the filter's pages, the limit page."""

from collections.abc import Iterable
from datetime import datetime
from html import escape
from urllib.parse import quote, urlencode

from twf_async.replica.tree import Entry, FileMessage

_APACHE = '<!DOCTYPE HTML PUBLIC "-//IETF//DTD HTML 2.0//EN">\n'
_G2SUB = '<!DOCTYPE html PUBLIC "-//W3C//DTD HTML 3.2 Final//EN">'
_FOOTER = "<p align=left><small>g2sub 1.1.0.beta-6 and comments: ...</small></body></html>"
_NAME_COLUMN = 51

LIMIT_REASON = (
    "Your allowed limit has been reached. "
    "Please go to https://www.weather.gov/abusive-user-block for more info"
)
LIMIT = (
    "<html><head><title>Over Rate Limit</title></head><body><h1>Over Rate Limit</h1>"
    f"<p>{LIMIT_REASON}</p></body></html>\n"
)
BLOCKED = (
    "<HTML><HEAD>\n<TITLE>Access Denied</TITLE>\n</HEAD><BODY>\n<H1>Access Denied</H1>\n"
    "You don't have permission to access this server. "
    "https://www.weather.gov/abusive-user-block\n</BODY>\n</HTML>\n"
)
FAILURE = (
    "<HTML><HEAD>\n<TITLE>Error</TITLE>\n</HEAD><BODY>\n"
    "An error occurred while processing your request.<p>\nReference&#32;&#35;97&#46;1\n"
    "</BODY></HTML>\n"
)
HOME = (
    "<!DOCTYPE html>\n<html><head><title>NOMADS</title></head>\n"
    "<body><h1>NCEP Central Operations: NOMADS</h1></body></html>\n"
)


def not_found(path: str) -> str:
    """Apache's 404."""
    return _error(404, "Not Found", f"The requested URL {escape(path)} was not found.")


def forbidden(path: str) -> str:
    """Apache's 403, as for directories that have aged out."""
    text = f"You don't have permission to access {escape(path)} on this server."
    return _error(403, "Forbidden", text)


def moved(location: str) -> str:
    """Apache's 301 from a directory without its closing slash."""
    href = escape(location)
    text = f'The document has moved <a href="{href}">here</a>.'
    return _error(301, "Moved Permanently", text)


def _error(status: int, title: str, text: str) -> str:
    return (
        f"{_APACHE}<html><head>\n<title>{status} {title}</title>\n</head><body>\n"
        f"<h1>{title}</h1>\n<p>{text}</p>\n</body></html>\n"
    )


def listing(path: str, entries: Iterable[Entry]) -> str:
    """Apache's fancy index of the directory *path* (without closing slash), sorted by name."""
    parent = escape(f"{path.rpartition('/')[0]}/")
    lines = [f'<a href="{parent}">Parent Directory</a>{"":{_NAME_COLUMN}}  -   ']
    for entry in sorted(entries, key=lambda entry: entry.name):
        name = f"{entry.name}/" if entry.is_dir else entry.name
        gap = " " * max(1, _NAME_COLUMN - len(name))
        size = "-" if entry.is_dir else _size(entry.size)
        lines.append(
            f'<a href="{quote(name)}">{escape(name)}</a>{gap}{_stamp(entry.mtime)}  {size:>4} '
        )
    title = escape(f"Index of {path or '/'}")
    rows = "\n".join(lines)
    return (
        '<!DOCTYPE HTML PUBLIC "-//W3C//DTD HTML 3.2 Final//EN">\n'
        f"<html>\n <head>\n  <title>{title}</title>\n </head>\n <body>\n<h1>{title}</h1>\n"
        '<pre>Name                                               <a href="?C=M;O=A">Last modified'
        f'</a>      <a href="?C=S;O=A">Size</a>  <hr>{rows}\n<hr></pre>\n</body></html>\n'
    )


_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def _stamp(moment: datetime) -> str:
    return f"{moment.day:02d}-{_MONTHS[moment.month - 1]}-{moment:%Y %H:%M}"


def _size(size: int) -> str:
    """Three or four characters, as apr_strfsize gives them."""
    if size < 973:
        return str(size)
    value = float(size)
    for unit in "KMGT":
        value /= 1024.0
        if value < 9.95:
            return f"{value:.1f}{unit}"
        if value < 973:
            return f"{value:.0f}{unit}"
    return f"{value:.0f}P"


def data_file_missing(path: str) -> str:
    """The filter's 404, *path* below com; wording as seen on NOMADS."""
    place = escape(f"/common/data/model/com/{path}")
    return (
        f"{_G2SUB}<html><head><title>data file is not present; {place}</title></head>"
        f'<body bgcolor="#ffffff"><p align=center>Data file is not present: {place}</p>{_FOOTER}'
    )


def filter_directories(script: str, directory: str, names: Iterable[str]) -> str:
    """Browse page of the filter: the directories below *directory*."""
    links = "".join(
        f'<br><a href="/cgi-bin/{script}?{urlencode({"dir": f"{directory}/{name}"})}">'
        f"{escape(name)}</a>\n"
        for name in names
    )
    return _browse(script, f"<p>Subdirectory</p>\n{links}")


def filter_files(script: str, directory: str, names: Iterable[str]) -> str:
    """Browse page of the filter: the files of *directory*."""
    options = "".join(f'<option value="{escape(n)}">{escape(n)}</option>\n' for n in names)
    return _browse(
        script,
        f'<form action="/cgi-bin/{script}" method="get"><p>Extract from: '
        f'<select name="file">{options}</select>'
        f'<input type="hidden" name="dir" value="{escape(directory)}">'
        '<input type="submit" value="Start download"></p></form>\n',
    )


def filter_form(script: str, directory: str, file: str, messages: Iterable[FileMessage]) -> str:
    """Page of the filter for one file: a box for every level and variable it holds."""
    kept = tuple(messages)
    levels = dict.fromkeys(message.level for message in kept)
    variables = sorted({message.parameter for message in kept})
    boxes = [f"lev_{level.replace(' ', '_')}" for level in levels]
    boxes += [f"var_{variable}" for variable in variables]
    inputs = "".join(
        f'<input type="checkbox" name="{escape(name)}"> {escape(name[4:])}\n' for name in boxes
    )
    return _browse(
        script,
        f'<form action="/cgi-bin/{script}" method="get">'
        f'<input type="hidden" name="dir" value="{escape(directory)}">'
        f'<input type="hidden" name="file" value="{escape(file)}">{inputs}'
        '<input type="submit" value="Start download"></form>\n',
    )


def _browse(script: str, body: str) -> str:
    return (
        f"{_G2SUB}<html><head><title>g2subset: {escape(script)}</title></head>"
        f'<body bgcolor="#ffffff"><h1>g2sub: {escape(script)}</h1>\n{body}{_FOOTER}'
    )
