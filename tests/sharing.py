"""Which tests share the machine with which: several processes run them at once (`make test`).

A module is run by one process, so that what its tests share is made once. Modules that take long,
because their tests start services or draw much, come first: none is left over for the end.
"""

SLOW_ROOMS = (
    *("integration", "farm", "world", "products", "golden", "acquisition", "fetch"),
    *("render", "plan", "decode"),
)

# What counts for the whole machine: the kernel tells how many processes it killed for want of
# memory, not whose. Who kills for want of memory, and who must not be told of such a kill when
# a worker dies otherwise, run one after the other.
ONE_MACHINE = (
    "emergency/",
    "farm/test_chaos.py",
    "farm/test_run_with_kills.py",
    "integration/test_service_kills_of_workers.py",
    "upkeep/test_memory_hog.py",
)

# Who draws the synthetic atmosphere of whole globes: to pack them takes longer than to draw them.
ONE_ATMOSPHERE = ("integration/test_bench_command.py", "integration/test_gallery_command.py")


def scope_of(nodeid):
    """What one process runs as a whole: a module, all of ONE_MACHINE or all of ONE_ATMOSPHERE."""
    if within(nodeid, ONE_MACHINE):
        return "one machine"
    return "one atmosphere" if within(nodeid, ONE_ATMOSPHERE) else nodeid.split("::", 1)[0]


def slow_rooms_first(items):
    """Sort collected tests; those of a room stay as they are."""
    items.sort(key=lambda item: (not within(item.nodeid, ONE_MACHINE), rank(item.nodeid)))


def rank(nodeid):
    for number, room in enumerate(SLOW_ROOMS):
        if within(nodeid, [f"{room}/"]):
            return number
    return len(SLOW_ROOMS)


def within(nodeid, places):
    return nodeid.startswith(tuple(f"tests/{place}" for place in places))
