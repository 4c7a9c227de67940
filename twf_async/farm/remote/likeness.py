"""Whether a worker of a cluster draws as the service's own do. Pure."""

from render_farm.domain.shipment import Makeup


def difference(ours: Makeup | None, found: Makeup) -> str:
    """Why a worker's frames could differ from the service's own, one sentence; else ""."""
    if ours is None or (ours.software, ours.code, ours.libraries) == (
        found.software,
        found.code,
        found.libraries,
    ):
        return ""
    if ours.software != found.software:
        return (
            f"it has twf-async {found.software}, the service {ours.software};"
            " install the same version there"
        )
    if ours.code != found.code:
        return "its render_farm is of other sources than the service's; install the same there"
    mine, theirs = set(ours.libraries.split("; ")), set(found.libraries.split("; "))
    return (
        f"it has {', '.join(sorted(theirs - mine)) or 'fewer libraries'}, the service"
        f" {', '.join(sorted(mine - theirs)) or 'fewer'}; install by the same constraints.txt"
    )
