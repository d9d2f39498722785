"""A power cut: what the disk has is what was flushed (forgetful_disk.cc), and of the rest whatever it likes."""
import glob
import os

from world import Failure

PAGE = 4096


class ForgetfulDisk:
    """Made before the world begins."""

    def __init__(self, world, library, chance):
        if not os.path.exists(library):
            raise Failure(f"{library} is not built")
        self.world, self.chance, self.flushed = world, chance, world.path("flushed")
        os.mkdir(self.flushed)
        world.environment = {"LD_PRELOAD": library, "GATEBOOK_FLUSHED": self.flushed}

    def cut_redis(self):
        """Requires: no redis-server. The number of bytes that are gone."""
        paths = sorted(glob.glob(self.world.path("appendonlydir/*.incr.aof")), key=lambda path: int(path.split(".")[-3]))
        if not paths:
            return 0
        try:
            with open(self.note_of(paths[-1])) as note:
                flushed = int(note.read())
        except FileNotFoundError:
            flushed = 0
        size = os.path.getsize(paths[-1])
        left = self.chance.choice([flushed, self.chance.randint(flushed, size)])
        os.truncate(paths[-1], left)
        return size - left

    def cut_gatebook(self):
        """Requires: no gatebook. The number of pages of the journal that are old again."""
        gone = 0
        for path in glob.glob(self.world.path("journal/*.segment*")):
            kept = self.chance.choice([0.0, 0.5, 0.9])  # of the pages that were not flushed
            gone += self.forget_pages(path, kept)
        return gone

    def forget_pages(self, path, kept):
        try:
            with open(self.note_of(path.removesuffix(".new")), "rb") as note:
                flushed = note.read()
        except FileNotFoundError:
            flushed = b""  # it was made just now: nothing of it is on the disk
        gone = 0
        with open(path, "r+b") as file:
            content = file.read()
            for at in range(0, len(content), PAGE):
                old = flushed[at:at + PAGE].ljust(PAGE, b"\0")
                if content[at:at + PAGE] != old and self.chance.random() >= kept:
                    file.seek(at)
                    file.write(old)
                    gone += 1
        return gone

    def note_of(self, path):
        return os.path.join(self.flushed, os.path.basename(path))
