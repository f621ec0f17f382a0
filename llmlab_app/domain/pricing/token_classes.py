"""The parts of a usage that are billed at one unit price each.

``TokenUsage`` counts overlap on purpose (cached input is part of the input). Here they become
classes that do not: their quantities add up to ``input_tokens`` and ``output_tokens`` exactly.
"""

from enum import StrEnum

from llmlab_app.domain.usage import TokenUsage


class TokenClass(StrEnum):
    """What a unit price is for. ``CACHE_WRITE`` is the five-minute write.

    The last three are fees per piece, not tokens. Other pieces (images, seconds, pages) are named
    by the event's ``units`` and priced under the same name.
    """

    INPUT = "input"
    CACHE_READ = "cache_read"
    CACHE_WRITE = "cache_write"
    CACHE_WRITE_1H = "cache_write_1h"
    CACHE_READ_AUDIO = "cache_read_audio"
    INPUT_AUDIO = "input_audio"
    INPUT_IMAGE = "input_image"
    INPUT_VIDEO = "input_video"
    OUTPUT = "output"
    REASONING = "reasoning"
    OUTPUT_AUDIO = "output_audio"
    OUTPUT_IMAGE = "output_image"
    WEB_SEARCH = "web_search"
    GROUNDED_PROMPT = "grounded_prompt"
    REQUEST = "request"


FEES = frozenset({TokenClass.WEB_SEARCH, TokenClass.GROUNDED_PROMPT, TokenClass.REQUEST})
TOKENS = frozenset(TokenClass) - FEES

# A class without a unit price of its own is billed as the first of these that has one. Providers
# list only what differs: a model with no cached price bills cached input in full, a model with no
# image price bills image tokens as text. An hour's cache write has no such stand-in while
# five-minute writes are priced: it costs more, and nobody said how much.
STAND_INS: dict[TokenClass, tuple[TokenClass, ...]] = {
    TokenClass.CACHE_READ: (TokenClass.INPUT,),
    TokenClass.CACHE_WRITE: (TokenClass.INPUT,),
    TokenClass.CACHE_WRITE_1H: (TokenClass.INPUT,),
    TokenClass.CACHE_READ_AUDIO: (
        TokenClass.INPUT_AUDIO,
        TokenClass.CACHE_READ,
        TokenClass.INPUT,
    ),
    TokenClass.INPUT_AUDIO: (TokenClass.INPUT,),
    TokenClass.INPUT_IMAGE: (TokenClass.INPUT,),
    TokenClass.INPUT_VIDEO: (TokenClass.INPUT,),
    TokenClass.REASONING: (TokenClass.OUTPUT,),
    TokenClass.OUTPUT_AUDIO: (TokenClass.OUTPUT,),
    TokenClass.OUTPUT_IMAGE: (TokenClass.OUTPUT,),
}


def quantities(usage: TokenUsage) -> list[tuple[TokenClass, int]]:
    """``usage`` as (class, tokens) pairs that never overlap; empty classes are left out.

    Which modality was cached is unknown except for audio, so cached tokens are taken as text
    first, then as video, images and audio.
    """
    pairs = [*_input_quantities(usage), *_output_quantities(usage)]
    return [pair for pair in pairs if pair[1]]


def _input_quantities(usage: TokenUsage) -> tuple[tuple[TokenClass, int], ...]:
    audio = usage.input_audio_tokens - usage.cache_read_audio_tokens
    image = usage.input_image_tokens
    video = usage.input_video_tokens
    text = usage.input_tokens - usage.cache_read_tokens - usage.cache_write_tokens
    text -= audio + image + video
    if text < 0:
        video, text = _absorb(video, text)
        image, text = _absorb(image, text)
        audio, text = _absorb(audio, text)
    return (
        (TokenClass.INPUT, text),
        (TokenClass.CACHE_READ, usage.cache_read_tokens - usage.cache_read_audio_tokens),
        (TokenClass.CACHE_WRITE, usage.cache_write_tokens - usage.cache_write_1h_tokens),
        (TokenClass.CACHE_WRITE_1H, usage.cache_write_1h_tokens),
        (TokenClass.CACHE_READ_AUDIO, usage.cache_read_audio_tokens),
        (TokenClass.INPUT_AUDIO, audio),
        (TokenClass.INPUT_IMAGE, image),
        (TokenClass.INPUT_VIDEO, video),
    )


def _absorb(part: int, missing: int) -> tuple[int, int]:
    """Take from ``part`` what was cached: ``missing`` (≤ 0) tokens, as far as they go."""
    taken = min(part, -missing)
    return part - taken, missing + taken


def _output_quantities(usage: TokenUsage) -> tuple[tuple[TokenClass, int], ...]:
    audio, image = usage.output_audio_tokens, usage.output_image_tokens
    text = usage.output_tokens - audio - image
    reasoning = min(usage.reasoning_tokens, text)
    return (
        (TokenClass.OUTPUT, text - reasoning),
        (TokenClass.REASONING, reasoning),
        (TokenClass.OUTPUT_AUDIO, audio),
        (TokenClass.OUTPUT_IMAGE, image),
    )
