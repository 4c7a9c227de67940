"""How the processes that run the tests at once are given them (`make test`): see sharing.py.

Asked for by pytest-xdist alone, which need not be there.
"""

from xdist.scheduler.loadscope import LoadScopeScheduling

from tests.sharing import scope_of


class Modules(LoadScopeScheduling):
    """Hands out modules in the order of the collection."""

    def __init__(self, config, log):
        super().__init__(config, log)
        config.option.loadscopereorder = False  # by the number of tests

    def _split_scope(self, nodeid):
        return scope_of(nodeid)

    def remove_node(self, node):
        """The test that cost this process its life: it has failed, and what is left goes on.

        xdist has the next process try that test too, and the one after that, for ever.
        """
        for module in self.assigned_work[node].values():
            for nodeid, is_over in module.items():
                if not is_over:
                    module[nodeid] = True
                    super().remove_node(node)
                    return nodeid
        return super().remove_node(node)

    def _reschedule(self, node):
        if node in self.registered_collections:  # one in another's place may be collecting yet
            super()._reschedule(node)
