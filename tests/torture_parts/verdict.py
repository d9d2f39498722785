"""What clients know and what the book says, laid beside each other."""
import math
import re

from sums import missing, text

EVERY_SECOND = 1.5  # s: journal.flush = "everysec", and the time in which a busy machine flushes
LATE = 1.0  # s: an answer that had been sent when the power failed may be read after it
LONGEST_LIST = 20


def judge(known, sums, book, power_cuts, options):
    """Says what there is. Sentences about what does not hold."""
    last = sums.look()
    print(f"  the last sum: {text(last)}; {sums.looks} looks")
    wrong = list(book.wrong)
    whole = sum(1 for number in known["whole"] if book.times[number])
    print(f"  Redis: {book.visits} visits in {book.streams} streams, {len(book.sessions)} sessions, {book.keys} keys; "
          f"{book.visits - whole} of them nobody has a whole answer to")
    lost = [(number, when) for number, when in zip(known["whole"], known["when"]) if book.times[number] == 0]
    if lost and options.flush == "everysec":
        lost = what_the_flush_does_not_excuse(lost, power_cuts)
    if lost:
        wrong.append(f"{len(lost)} answered requests are not in the book: {[number for number, _ in lost[:LONGEST_LIST]]}")
    twice = [found.start() for found in re.finditer(rb"[^\x00\x01]", book.times)]
    if twice:
        wrong.append(f"{len(twice)} requests stand in the book more than once: {twice[:LONGEST_LIST]}")
    if len(set(known["whole"])) != len(known["whole"]):
        wrong.append("a client counted an answer twice: the test is wrong")
    # A power cut leaves halves of visits, whose answers nobody has; only there may be damage.
    if sums.dropped or (sums.quarantined and not power_cuts):
        wrong.append(f"{sums.quarantined} visits were quarantined and {sums.dropped} dropped")
    names = "timeout" if options.deaf_name_server else "skipped"
    if set(book.dns_checks) != {names}:
        wrong.append(f"of names visits say {book.dns_checks}, not {names}")
    if missing(last):
        wrong.append(f"the sum does not hold at rest: {text(last)}")
    return wrong + sums.wrong


def what_the_flush_does_not_excuse(lost, power_cuts):
    """A power cut may take what was answered in the second before."""
    ages = [min((cut - when for cut in power_cuts if cut + LATE >= when), default=math.inf) for _, when in lost]
    print(f"  power cuts took {len(lost)} answered requests, which had been answered {max(ages):.2f} s before at most")
    return [one for one, age in zip(lost, ages) if age > EVERY_SECOND]
