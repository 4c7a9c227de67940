"""The workers of a cluster that are of use and have nothing to do."""

from twf_async.farm.remote.slot import RemoteSlot


class RemoteSlots:
    """The pool that the queue for a cluster hands out; who joins and leaves it, others say."""

    def __init__(self) -> None:
        self._idle: list[RemoteSlot] = []

    @property
    def idle(self) -> int:
        """Slots that can be taken."""
        self._idle = [slot for slot in self._idle if not slot.is_gone]
        return len(self._idle)

    def take(self) -> RemoteSlot:
        """The one that has been idle for longest; LookupError when none is."""
        return self._idle.pop(0)

    def put_back(self, slot: RemoteSlot) -> None:
        """A slot that has nothing to do. One that is gone is not kept, nor one still in work."""
        if not slot.is_gone and slot.unwanted is None:
            self._idle.append(slot)
