"""What goes wrong, when, and in which order: decided by the seed, told as it happens."""
import os
import random
import signal
import time

import gate
from power import ForgetfulDisk
from world import Failure, wait_for

GATE = "gate.sock"


class Faults:
    """Made before the world begins, and before there are threads."""

    def __init__(self, world, options):
        self.gate = gate.Gate(world.path(GATE), world.redis_socket, options.seed)
        self.world, self.chance, self.visits = world, random.Random(options.seed), options.visits
        self.disk = ForgetfulDisk(world, os.path.join(options.build, "tests/libgatebook_forgetful_disk.so"),
                                  random.Random(f"{options.seed}/disk"))
        self.edge_cuts = []  # when, by the steady clock
        kinds = {self.kill_redis: options.redis_kills, self.cut_redis: options.redis_power_cuts,
                 self.freeze_redis: options.redis_freezes, self.use_gate: options.gates, self.kill_gatebook: options.kills,
                 self.cut_gatebook: options.power_cuts, self.restart_gatebook: options.restarts}
        # Not in the first and last hundredth: there is to be something before and behind each.
        self.plan = sorted(((self.chance.uniform(0.01, 0.99), kind) for kind, times in kinds.items() for _ in range(times)),
                           key=lambda due: due[0])

    def begin(self):
        self.began = time.monotonic()

    def tell(self, sentence):
        print(f"  {time.monotonic() - self.began:6.1f} s  {sentence}", flush=True)

    def go_on(self, answers):
        """Does the next fault, if it is due after so many answers. False: there is none left."""
        self.see_that_all_live()
        if self.plan and answers >= self.plan[0][0] * self.visits:
            self.plan.pop(0)[1](answers)
        return bool(self.plan)

    def see_that_all_live(self):
        for name, process in (("redis-server", self.world.redis), ("gatebook", self.world.gatebook)):
            if process.poll() is not None:
                raise Failure(f"{name} ended by itself, exit code {process.returncode}")

    # ---- Redis

    def kill_redis(self, answers):
        away = self.chance.uniform(0, 1.5)
        self.tell(f"after {answers} answers: redis-server killed, away for {away:.2f} s")
        self.end_redis()
        time.sleep(away)
        self.world.start_redis()

    def cut_redis(self, answers):
        away = self.chance.uniform(0, 1.0)
        self.end_redis()
        gone = self.disk.cut_redis()
        self.tell(f"after {answers} answers: power cut for redis-server, {gone} bytes of its file are gone, "
                  f"away for {away:.2f} s")
        time.sleep(away)
        self.world.start_redis()

    def end_redis(self):
        self.world.redis.kill()
        self.world.redis.wait()

    def freeze_redis(self, answers):
        stands = self.chance.uniform(0.5, 3.0)
        self.tell(f"after {answers} answers: redis-server stopped for {stands:.2f} s")
        self.world.redis.send_signal(signal.SIGSTOP)
        time.sleep(stands)
        self.world.redis.send_signal(signal.SIGCONT)

    def use_gate(self, answers):
        mode, lasts = self.chance.randint(gate.DELAY, gate.SWALLOW_REPLIES), self.chance.uniform(0.3, 2.5)
        self.tell(f"after {answers} answers: the gate before Redis {gate.WORDS[mode]} for {lasts:.2f} s")
        self.gate.be(mode)
        time.sleep(lasts)
        self.gate.be(gate.OPEN)

    # ---- gatebook

    def kill_gatebook(self, answers):
        again = self.chance.randint(0, 2)
        self.tell(f"after {answers} answers: gatebook killed" + (f", and {again} times while it starts" if again else ""))
        self.end_gatebook()
        for _ in range(again):
            self.world.start_gatebook()
            time.sleep(self.chance.uniform(0, 0.15))
            self.end_gatebook()
        time.sleep(self.chance.uniform(0, 0.3))
        self.come_up()

    def cut_gatebook(self, answers):
        self.end_gatebook()
        self.edge_cuts.append(time.monotonic())
        gone = self.disk.cut_gatebook()
        self.tell(f"after {answers} answers: power cut for gatebook, {gone} pages of its journal are old again")
        self.come_up()

    def end_gatebook(self):
        self.world.gatebook.kill()
        self.world.gatebook.wait()

    def restart_gatebook(self, answers):
        self.world.gatebook.send_signal(signal.SIGTERM)
        code = self.world.gatebook.wait(60)
        self.tell(f"after {answers} answers: gatebook told to end, exit code {code}")
        if code != 0:
            raise Failure(f"gatebook's exit code on TERM is {code}")
        self.come_up()

    def come_up(self):
        self.world.start_gatebook()
        wait_for(lambda: self.world.gatebook.poll() is not None or self.world.is_ready(), "gatebook to come up")
