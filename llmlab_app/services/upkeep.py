"""What keeps the installation in order, without anybody asking."""

from datetime import datetime
from itertools import accumulate, repeat

from llmlab_app.storage.database import copy_transaction
from llmlab_app.storage.partitions import make_months, month_of, next_month

MONTHS_AHEAD = 3


async def make_months_ahead(*, now: datetime) -> None:
    """Make the partitions of this month and the next three; those that exist are left alone."""
    this_month = month_of(now)
    months = accumulate(
        repeat(None, MONTHS_AHEAD), lambda month, _: next_month(month), initial=this_month
    )
    async with copy_transaction() as connection:
        await make_months(connection, months)
