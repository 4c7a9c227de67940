"""Workers whose forkserver dies before it has buried them."""

import signal
import time

import psutil
import pytest

from tests.farm.test_retry import forkserver
from twf_async.farm.orphans import Orphans

pytestmark = pytest.mark.usefixtures("adopting")


async def test_a_worker_that_its_dying_forkserver_does_not_bury_any_more_is_buried(context, until):
    worker = context.Process(target=time.sleep, args=(600,))
    worker.start()
    server, orphans = forkserver(), Orphans()
    server.send_signal(signal.SIGSTOP)
    try:
        orphans.note(worker)
        worker.kill()
        ended = psutil.Process(worker.pid)
        await until(lambda: ended.status() == psutil.STATUS_ZOMBIE)
        orphans.bury()
        assert psutil.pid_exists(worker.pid)  # the child of another still
    finally:
        server.kill()

    def is_buried():
        orphans.bury()
        return not psutil.pid_exists(worker.pid)

    await until(is_buried)
