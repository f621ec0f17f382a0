import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from llmlab_app.services.short_memory import ShortMemory

T0 = datetime(2026, 5, 1, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)


class Source:
    """A look-up that counts how often it was asked, and answers with that number."""

    def __init__(self, *, finds_something: bool = True) -> None:
        self.asked = 0
        self.finds_something = finds_something
        self.fails = False
        self.gate = asyncio.Event()
        self.gate.set()

    async def __call__(self, key: str) -> int | None:
        self.asked += 1
        answer = self.asked
        await self.gate.wait()
        if self.fails:
            raise ConnectionError
        return answer if self.finds_something else None


def remember(source: Source, *, size: int = 100) -> ShortMemory[str, int]:
    return ShortMemory(source, lifetime=2 * SECOND, size=size)


async def test_an_answer_is_remembered_for_its_lifetime_and_no_longer() -> None:
    memory = remember(Source())
    assert [await memory.get("a", T0 + age * SECOND) for age in (0, 1, 1.999, 2, 3)] == [
        1, 1, 1, 2, 2,
    ]  # fmt: skip


async def test_a_clock_that_is_set_back_does_not_keep_an_answer_alive() -> None:
    memory = remember(Source())
    await memory.get("a", T0)
    assert await memory.get("a", T0 - timedelta(hours=1)) == 2


async def test_many_who_ask_at_once_cost_one_look_up() -> None:
    source = Source()
    memory = remember(source)
    answers = await asyncio.gather(*(memory.get("a", T0) for _ in range(50)))
    assert set(answers) == {1}
    assert source.asked == 1


async def test_one_who_gives_up_does_not_cancel_the_look_up_of_the_others() -> None:
    source = Source()
    source.gate.clear()
    memory = remember(source)
    impatient, patient = (asyncio.create_task(memory.get("a", T0)) for _ in range(2))
    await asyncio.sleep(0)
    impatient.cancel()
    source.gate.set()
    assert await patient == 1


async def test_a_failure_is_not_remembered() -> None:
    source = Source()
    memory = remember(source)
    source.fails = True
    with pytest.raises(ConnectionError):
        await memory.get("a", T0)
    source.fails = False
    assert await memory.get("a", T0) == 2


async def test_finding_nothing_is_not_remembered() -> None:
    source = Source(finds_something=False)
    memory = remember(source)
    await memory.get("a", T0)
    await memory.get("a", T0)
    assert source.asked == 2


async def test_what_is_being_looked_up_while_all_is_forgotten_is_looked_up_again() -> None:
    source = Source()
    source.gate.clear()
    memory = remember(source)
    before = asyncio.create_task(memory.get("a", T0))
    await asyncio.sleep(0)
    memory.forget_all()
    source.gate.set()
    await before
    assert await memory.get("a", T0) == 2


async def test_strangers_can_not_make_it_grow_without_bound() -> None:
    memory = remember(Source(), size=10)
    for number in range(1000):
        await memory.get(str(number), T0)
    assert len(memory._answers) <= 10
