"""Every fault by name, in five families (nomads.md 2.5, 8.5 to 8.8). The table: docs/replica.md."""

from enum import StrEnum


class Kind(StrEnum):
    """What goes wrong."""

    # Another answer than the file.
    STATUS = "status"
    SLOW_DOWN = "slow_down"
    LIMIT_302 = "limit_302"
    LIMIT_200 = "limit_200"
    BLOCK_403 = "block_403"
    BARE_302 = "bare_302"
    MOVED_302 = "moved_302"
    EMPTY_200 = "empty_200"
    HTML_200 = "html_200"
    # The answer, with other bytes in it.
    RANGE_IGNORED = "range_ignored"
    TRUNCATE_BOUNDARY = "truncate_boundary"
    TRUNCATE_INSIDE = "truncate_inside"
    DROP_MESSAGE = "drop_message"
    FLIP = "flip"
    # The answer to several ranges at once, in other parts.
    FIRST_RANGE = "first_range"
    JOINED_RANGES = "joined_ranges"
    LOST_PART = "lost_part"
    SWAPPED_PARTS = "swapped_parts"
    OTHER_BOUNDARY = "other_boundary"
    OTHER_RANGE = "other_range"
    # The answer, badly sent.
    HANG = "hang"
    DISCONNECT = "disconnect"
    RESET = "reset"
    SHORT = "short"
    HTTP10_SHORT = "http10_short"
    STALL = "stall"
    DRIP = "drip"
    BAD_CHUNK = "bad_chunk"
    CUT_CHUNKED = "cut_chunked"
    # The files, wrong for everyone who asks.
    ABSENT = "absent"
    LATE = "late"
    ABORTED = "aborted"
    AGED_OUT = "aged_out"
    GROWING = "growing"
    TRUNCATED = "truncated"
    RERUN = "rerun"
    MESSAGE_MISSING = "message_missing"
    OTHER_RUN = "other_run"
    OTHER_GRID = "other_grid"
    IDX_EMPTY = "idx_empty"
    IDX_CUT = "idx_cut"
    IDX_STALE = "idx_stale"
    IDX_PAST_END = "idx_past_end"


REPLIES = frozenset(
    {
        *(Kind.STATUS, Kind.SLOW_DOWN, Kind.LIMIT_302, Kind.LIMIT_200, Kind.BLOCK_403),
        *(Kind.BARE_302, Kind.MOVED_302, Kind.EMPTY_200, Kind.HTML_200),
    }
)
BODIES = frozenset(
    {
        *(Kind.RANGE_IGNORED, Kind.TRUNCATE_BOUNDARY, Kind.TRUNCATE_INSIDE),
        *(Kind.DROP_MESSAGE, Kind.FLIP),
    }
)
OTHER_SPANS = frozenset({Kind.FIRST_RANGE, Kind.JOINED_RANGES, Kind.LOST_PART, Kind.SWAPPED_PARTS})
PARTS = OTHER_SPANS | {Kind.OTHER_BOUNDARY, Kind.OTHER_RANGE}
WIRE = frozenset(
    {
        *(Kind.HANG, Kind.DISCONNECT, Kind.RESET, Kind.SHORT, Kind.HTTP10_SHORT),
        *(Kind.STALL, Kind.DRIP, Kind.BAD_CHUNK, Kind.CUT_CHUNKED),
    }
)
# What comes under these is as good as it would be without: to have it twice is to have it twice.
HARMLESS = frozenset(
    {
        *(Kind.HANG, Kind.ABSENT, Kind.LATE, Kind.ABORTED, Kind.AGED_OUT),
        *(Kind.RERUN, Kind.MESSAGE_MISSING),
        *(Kind.FIRST_RANGE, Kind.LOST_PART, Kind.SWAPPED_PARTS),
    }
)
IDX_FILES = frozenset({Kind.IDX_EMPTY, Kind.IDX_CUT, Kind.IDX_STALE, Kind.IDX_PAST_END})
FILES = frozenset(
    {
        *(Kind.ABSENT, Kind.LATE, Kind.ABORTED, Kind.AGED_OUT, Kind.GROWING, Kind.TRUNCATED),
        *(Kind.RERUN, Kind.MESSAGE_MISSING, Kind.OTHER_RUN, Kind.OTHER_GRID),
        *IDX_FILES,
    }
)
