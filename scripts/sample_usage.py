"""Invented but plausible usage, the same every time: for screenshots and for trying things out.

Run ``python scripts/sample_usage.py`` to send it to the server of ~/.llmlab/config.json.
"""

import json
import os
import random
import urllib.request
from datetime import UTC, datetime, timedelta
from pathlib import Path

DAYS = 120
BATCH = 1_000
# model, feature, calls on a working day, input tokens, output tokens, milliseconds
PATTERNS = (
    ("claude-sonnet-4-5", "code-review", 30, 42_000, 3_200, 14_000),
    ("claude-sonnet-4-5", "support-bot", 9, 30_000, 1_400, 7_000),
    ("claude-haiku-4-5", "ticket-triage", 42, 36_000, 800, 1_700),
    ("claude-haiku-4-5", "support-bot", 18, 24_000, 1_100, 1_800),
    ("gpt-5-mini", "email-drafts", 40, 64_000, 7_000, 4_100),
    ("gpt-5-mini", "", 10, 60_000, 9_000, 5_300),
    ("gpt-4o-mini", "doc-search", 60, 160_000, 4_000, 900),
    ("gemini-2.5-flash", "doc-search", 30, 120_000, 4_500, 3_600),
    ("text-embedding-3-small", "doc-search", 40, 150_000, 0, 300),
    ("llama-3.3-70b-internal", "experiments", 1, 4_000, 600, 2_200),
)
WEEKEND = 0.3
GROWTH = 0.6  # what the first day's usage is of the last day's
BUSY_HOURS = (9, 10, 10, 11, 11, 12, 13, 14, 14, 15, 15, 16, 17, 18, 20, 22)


def sample_events(now):
    """Events of the last ``DAYS`` days, oldest first; those of today end a minute ago."""
    chance = random.Random(20261119)
    events = []
    for back in range(DAYS, -1, -1):
        day = now.replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=back)
        scale = (GROWTH + (1 - GROWTH) * (1 - back / DAYS)) * (WEEKEND if day.weekday() > 4 else 1)
        for pattern in PATTERNS:
            for _ in range(round(pattern[2] * scale * chance.uniform(0.8, 1.2))):
                events.append(_event(pattern, day, chance))
    done = [event for event in events if event["occurred_at"] < now - timedelta(minutes=1)]
    return sorted([*done, *_just_now(now, chance)], key=lambda event: event["occurred_at"])


def _event(pattern, day, chance):
    model, feature, _, tokens_in, tokens_out, latency = pattern
    at = day + timedelta(hours=chance.choice(BUSY_HOURS), seconds=chance.uniform(0, 3_600))
    spread = chance.lognormvariate(0, 0.5)
    return {
        "model": model,
        "feature": feature,
        "occurred_at": at,
        "usage": {
            "input_tokens": round(tokens_in * spread),
            "output_tokens": round(tokens_out * spread),
        },
        "latency_ms": round(latency * chance.uniform(0.5, 1.6)),
    }


def _just_now(now, chance):
    """A few calls within the last two minutes, so that the feed has something young."""
    for seconds in (4, 11, 19, 26, 38, 47, 61, 83):
        event = _event(chance.choice(PATTERNS[:9]), now, chance)
        yield {**event, "occurred_at": now - timedelta(seconds=seconds)}


def send(server, api_key, events):
    """Post ``events`` in batches."""
    for start in range(0, len(events), BATCH):
        body = json.dumps({"events": events[start : start + BATCH]}, default=datetime.isoformat)
        headers = {"Authorization": f"Bearer {api_key}", "Content-Type": "application/json"}
        request = urllib.request.Request(
            f"{server}/api/events/batch", data=body.encode(), headers=headers
        )
        with urllib.request.urlopen(request) as answer:
            rejected = json.load(answer)["rejected"]
        if rejected:
            raise SystemExit(f"The server rejected {len(rejected)} events: {rejected[:3]}")


if __name__ == "__main__":
    home = Path(os.environ.get("LLMLAB_HOME", Path.home() / ".llmlab"))
    config = json.loads((home / "config.json").read_text())
    send(config["server"], config["api_key"], sample_events(datetime.now(UTC)))
