"""Tasks and timers of asyncio, or of uvloop: python3 tasks_asyncio.py asyncio|uvloop JOB [N [FROM_MS SPREAD_MS]], as in cost.h."""
import asyncio
import random
import resource
import sys
import time

SWITCHES, SPAWNS, ITEMS = 300_000, 100_000, 200_000
cpu = time.process_time


def resident():
    with open("/proc/self/statm") as f:
        return int(f.read().split()[1]) * resource.getpagesize()


async def switch(_):
    async def yields(n):
        for _ in range(n):
            await asyncio.sleep(0)
    start = cpu()
    await asyncio.gather(yields(SWITCHES // 2), yields(SWITCHES // 2))
    print("ns", (cpu() - start) * 1e9 / SWITCHES)


async def spawn(_):
    async def nothing():
        pass
    start = cpu()
    for _ in range(SPAWNS // 100):
        await asyncio.gather(*[asyncio.create_task(nothing()) for _ in range(100)])
    print("ns", (cpu() - start) * 1e9 / SPAWNS)


async def queue(capacity):
    q = asyncio.Queue(capacity)
    async def puts():
        for i in range(1, ITEMS + 1):
            await q.put(i)
    async def gets():
        total = 0
        for _ in range(ITEMS):
            total += await q.get()
        return total
    start = cpu()
    _, total = await asyncio.gather(puts(), gets())
    print("ns", (cpu() - start) * 1e9 / ITEMS)
    assert total == ITEMS * (ITEMS + 1) // 2


async def sleepers(n, start, spread):
    before, wall, used = resident(), time.monotonic(), cpu()
    tasks = [asyncio.create_task(asyncio.sleep(start + spread * random.random())) for _ in range(n)]
    await asyncio.sleep(0)  # all go to sleep
    bytes_each = (resident() - before) / n
    for task in tasks:
        await task
    print("cpu_s", cpu() - used)
    print("wall_s", time.monotonic() - wall)
    print("bytes", bytes_each)


async def timers(n, start, spread):
    loop = asyncio.get_running_loop()
    done = asyncio.Event()
    fired = 0

    def fires():
        nonlocal fired
        fired += 1
        if fired == n // 2:
            done.set()
    due = time.monotonic() + start + spread + 0.01
    marks = [cpu()]
    handles = [loop.call_later(start + spread * random.random(), fires) for _ in range(n)]
    marks.append(cpu())
    for handle in handles[::2]:
        handle.cancel()
    marks.append(cpu())
    time.sleep(max(0, due - time.monotonic()))  # the rest is all due when the loop looks again
    await done.wait()
    marks.append(cpu())
    print("insert_ns", (marks[1] - marks[0]) * 1e9 / n)
    print("cancel_ns", (marks[2] - marks[1]) * 1e9 / (n - n // 2))
    print("fire_ns", (marks[3] - marks[2]) * 1e9 / (n // 2))
    print("all_ns", (marks[3] - marks[0]) * 1e9 / n)


library, job, *numbers = sys.argv[1:]
if library == "uvloop":
    import uvloop
    uvloop.install()
if job == "version":
    print(library, uvloop.__version__ if library == "uvloop" else "of Python " + sys.version.split()[0])
else:
    n = int(numbers[0]) if numbers else 0
    asyncio.run(globals()[job](n, *[int(ms) / 1000 for ms in numbers[1:]]))
