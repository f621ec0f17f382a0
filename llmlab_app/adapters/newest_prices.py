"""Newer ``genai-prices`` data than what is installed, from where it is published."""

import hashlib

from genai_prices import UpdatePrices

from llmlab_app.adapters.price_feed import GenaiPriceFeed, bundled_price_feed

LEAST_SHARE_OF_MODELS = 0.9
"""A list much shorter than the installed one is broken, not newer."""


def newest_price_feed(url: str) -> GenaiPriceFeed:
    """The data published at ``url``; blocks for at most ten seconds.

    Raises:
        httpx2.HTTPError: no answer, or an error.
        ValueError: the answer isn't price data, or lacks most of it.
    """
    snapshot = UpdatePrices(url=url).fetch()
    if snapshot is None:
        raise ValueError(f"{url} gave no prices.")
    digest = hashlib.sha256(repr(snapshot.providers).encode()).hexdigest()
    newest = GenaiPriceFeed(snapshot.providers, f"genai-prices {digest[:12]}")
    known = bundled_price_feed().model_count
    if newest.model_count < LEAST_SHARE_OF_MODELS * known:
        raise ValueError(f"{url} lists {newest.model_count} models; {known} are known already.")
    return newest
