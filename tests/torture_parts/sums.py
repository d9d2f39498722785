"""accepted = stored + in journal + quarantined + dropped, looked at again and again."""
import threading

PAUSE = 0.1


def parts(metrics):
    dropped = sum(value for name, value in metrics.items() if name.startswith("gatebook_visits_dropped_total"))
    return {"accepted": int(metrics["gatebook_visits_accepted_total"]),
            "stored": int(metrics["gatebook_visits_stored_total"]),
            "in journal": int(metrics["gatebook_visits_in_journal"]),
            "quarantined": int(metrics["gatebook_visits_quarantined_total"]), "dropped": int(dropped)}


def missing(sum_of):
    return sum_of["accepted"] - sum(value for name, value in sum_of.items() if name != "accepted")


def text(sum_of):
    return " + ".join(f"{value} {name}" for name, value in sum_of.items() if name != "accepted") + \
        f" = {sum_of['accepted']} accepted"


class Sums:
    """Looks on a thread of its own while the process lives; between deaths there is nothing to see."""

    def __init__(self, world):
        self.world, self.looks, self.wrong = world, 0, []
        self.most_in_journal, self.quarantined, self.replayed, self.dropped = 0, 0, 0, 0
        self.ending = threading.Event()
        self.thread = threading.Thread(target=self.watch, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.ending.set()
        self.thread.join()

    def watch(self):
        while not self.ending.wait(PAUSE):
            self.look()

    def look(self):
        """One look; None while nobody answers."""
        try:
            metrics = self.world.metrics()
            sum_of = parts(metrics)
        except (OSError, KeyError):
            return None
        self.looks += 1
        if missing(sum_of) != 0:
            self.wrong.append(f"look {self.looks}: {text(sum_of)}, {missing(sum_of)} missing")
        self.most_in_journal = max(self.most_in_journal, sum_of["in journal"])
        self.quarantined = max(self.quarantined, sum_of["quarantined"])
        self.dropped = max(self.dropped, sum_of["dropped"])
        return sum_of
