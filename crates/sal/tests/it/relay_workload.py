"""Many short connections, as Django without a pool makes them; ends when its input does, and prints what it saw."""
import json
import sys
import threading

import psycopg

folder, user, database = sys.argv[1:4]
seen = {"written": 0, "refused": 0, "doubtful": 0, "strange": []}
lock = threading.Lock()
over = threading.Event()


def visit():
    while not over.is_set():
        sent = False
        try:
            with psycopg.connect(host=folder, user=user, dbname=database, connect_timeout=10) as connection:
                with connection.cursor() as cursor:
                    cursor.execute("SELECT current_user, %s::int", (7,))
                    assert cursor.fetchone()[1] == 7
                    sent = True
                    cursor.execute("INSERT INTO visits VALUES (%s)", (1,))
            with lock:
                seen["written"] += 1
        except psycopg.Error as error:
            with lock:
                # A connection that broke after the insert may or may not have committed.
                seen["doubtful" if sent else "refused"] += 1
        except Exception as error:
            with lock:
                seen["strange"].append(repr(error)[:300])


threads = [threading.Thread(target=visit) for _ in range(4)]
for thread in threads:
    thread.start()
sys.stdin.read()
over.set()
for thread in threads:
    thread.join()
print(json.dumps(seen))
