"""Answers over HTTP whose head and length may be wrong in any way."""

STATUSES = (
    b"200 OK", b"200 OK", b"200 OK", b"206 Partial Content", b"204 No Content", b"304 Not Modified",
    b"100 Continue", b"101 Switching Protocols", b"302 Found", b"403 \xff\xfe", b"500 \x80\x81",
    b"416 Range Not Satisfiable", b"418 \xc3\xa9", b"999 ?", b"2000 OK", b"OK", b"429 Slow",
)  # fmt: skip
HEADERS = (
    b"Content-Range: bytes 0-9/10",
    b"Content-Range: bytes 0-" + b"9" * 5000 + b"/" + b"9" * 20,
    b"Content-Range: \xff\xfe",
    b"Last-Modified: Thu, 29 Jan 99999999999999999999 15:40:00 GMT",
    b"Last-Modified: \xff",
    b"Last-Modified: Thu, 29 Jan 2026 15:40:00 +9999999999",
    b"Retry-After: " + b"9" * 4000,
    b"Retry-After: \xb2",
    b"Location: http://[::1",
    b"Location: \xff\xfe",
    b"Location: /elsewhere?\x00",
    b"Location: http://127.0.0.1:99999/",
    b"Content-Encoding: gzip",
    b"Content-Encoding: deflate",
    b"Content-Type: text/\xff",
    b"Set-Cookie: \xff=;;;=; expires=never; domain=..",
    b"X-Long: " + b"x" * 9000,
    b"no colon",
    b": no name",
    b" folded: yes",
)


def framed(random, body):
    """*body* behind a head that may be wrong in any way, its length told in any way."""
    version = random.choice((b"HTTP/1.1",) * 12 + (b"HTTP/1.0",) * 4 + (b"HTTP/9.9",))
    status = random.choice(STATUSES)
    rows = random.choices(HEADERS, k=random.choice((0, 0, 1, 2)))
    size = random.choice((len(body), len(body), len(body) // 2, len(body) + 9, 0, -1, 2**70))
    match random.choice(("close", "length", "chunked", "both", "bad chunks")):
        case "close":
            sent = body
        case "length":
            rows.append(b"Content-Length: %d" % size)
            sent = body
        case "chunked":
            rows.append(b"Transfer-Encoding: chunked")
            middle = random.randint(1, len(body) or 1)
            pieces = [piece for piece in (body[:middle], body[middle:]) if piece]
            end = random.choice((b"0\r\n\r\n", b"0\r\nX: y\r\n\r\n", b"", b"0"))
            sent = b"".join(b"%x;a=b\r\n%b\r\n" % (len(p), p) for p in pieces) + end
        case "both":
            rows += [b"Content-Length: %d" % size, b"Transfer-Encoding: chunked"]
            sent = b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)
        case _:
            rows.append(b"Transfer-Encoding: chunked")
            told = random.choice((b"-1", b"zz", b"f" * 40, b"", b"%x" % (len(body) + 5), b"1"))
            sent = told + b"\r\n" + body + b"\r\n0\r\n\r\n"
    if random.random() < 0.05:
        return random.randbytes(random.randint(0, 60)) + sent
    return b"\r\n".join([version + b" " + status, *rows, b"Connection: close", b"", b""]) + sent
