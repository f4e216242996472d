"""The database server drops every connection, again and again, while takedowns are carried out."""

import threading
import time

from sqlalchemy import create_engine, text

from mediaguard.published import Published
from mediaguard.work import Worker
from tests.pipeline.world import CHANNEL, make_world, picture, run

PHOTOS = 6
DROPS = 20


def test_a_worker_outlives_restarts_of_the_database(tmp_path, postgresql_server):
    with postgresql_server() as url:
        world = make_world(tmp_path, url)
        for number in range(PHOTOS):
            run(world, picture(tmp_path / f"{number}.jpg", "S-1", seed=number))
        world.desk.withdraw("S-1", CHANNEL)
        told: list[str] = []
        stop = threading.Event()
        worker = threading.Thread(target=Worker(world, tell=told.append).run, args=(stop,))
        server = create_engine(url, isolation_level="AUTOCOMMIT")
        drop = text(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        worker.start()
        try:
            dropped = 0
            for _ in range(DROPS):
                with server.connect() as connection:
                    dropped += connection.scalar(drop)
                time.sleep(0.3)
            assert dropped >= 3
            deadline = time.monotonic() + 60
            while Published(world).takedowns() and time.monotonic() < deadline:
                time.sleep(0.2)
        finally:
            stop.set()
            worker.join()
            server.dispose()
        assert Published(world).takedowns() == []
        assert {t.row.state for t in Published(world).takedowns(everything=True)} == {"confirmed"}
        assert list(world.ready(CHANNEL).iterdir()) == []
        world.database.close()
