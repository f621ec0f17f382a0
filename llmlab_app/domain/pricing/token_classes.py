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


# Reading a member off an enum class is several times slower than reading a name, and this runs
# for every event.
_INPUT = TokenClass.INPUT
_CACHE_READ = TokenClass.CACHE_READ
_CACHE_WRITE = TokenClass.CACHE_WRITE
_CACHE_WRITE_1H = TokenClass.CACHE_WRITE_1H
_CACHE_READ_AUDIO = TokenClass.CACHE_READ_AUDIO
_INPUT_AUDIO = TokenClass.INPUT_AUDIO
_INPUT_IMAGE = TokenClass.INPUT_IMAGE
_INPUT_VIDEO = TokenClass.INPUT_VIDEO
_OUTPUT = TokenClass.OUTPUT
_REASONING = TokenClass.REASONING
_OUTPUT_AUDIO = TokenClass.OUTPUT_AUDIO
_OUTPUT_IMAGE = TokenClass.OUTPUT_IMAGE

_Quantities = tuple[tuple[TokenClass, int], ...]


def quantities(usage: TokenUsage) -> _Quantities:
    """``usage`` as (class, tokens) pairs that never overlap; a class may have none.

    Which modality was cached is unknown except for audio, so cached tokens are taken as text
    first, then as video, images and audio.
    """
    return _input_quantities(usage) + _output_quantities(usage)


def _input_quantities(usage: TokenUsage) -> _Quantities:
    cached, written = usage.cache_read_tokens, usage.cache_write_tokens
    written_1h, cached_audio = usage.cache_write_1h_tokens, usage.cache_read_audio_tokens
    audio = usage.input_audio_tokens - cached_audio
    image, video = usage.input_image_tokens, usage.input_video_tokens
    text = usage.input_tokens - cached - written - audio - image - video
    if text < 0:
        video, text = _absorb(video, text)
        image, text = _absorb(image, text)
        audio, text = _absorb(audio, text)
    return (
        (_INPUT, text),
        (_CACHE_READ, cached - cached_audio),
        (_CACHE_WRITE, written - written_1h),
        (_CACHE_WRITE_1H, written_1h),
        (_CACHE_READ_AUDIO, cached_audio),
        (_INPUT_AUDIO, audio),
        (_INPUT_IMAGE, image),
        (_INPUT_VIDEO, video),
    )


def _absorb(part: int, missing: int) -> tuple[int, int]:
    """Take from ``part`` what was cached: ``missing`` (≤ 0) tokens, as far as they go."""
    taken = min(part, -missing)
    return part - taken, missing + taken


def _output_quantities(usage: TokenUsage) -> _Quantities:
    audio, image = usage.output_audio_tokens, usage.output_image_tokens
    text = usage.output_tokens - audio - image
    reasoning = min(usage.reasoning_tokens, text)
    return (
        (_OUTPUT, text - reasoning),
        (_REASONING, reasoning),
        (_OUTPUT_AUDIO, audio),
        (_OUTPUT_IMAGE, image),
    )
