"""What one provider call consumed, in the terms of OpenTelemetry GenAI.

``input_tokens`` is everything that went in, cached or not; ``output_tokens`` everything that came
out, reasoning included. The other token counts are subsets of those two, so nothing is ever added
twice.
"""

from dataclasses import dataclass, fields

from llmlab_app.domain.errors import ContradictoryUsage, FieldError

MAX_COUNT = 2**31 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenUsage:
    """Token and fee counts of one call; every field is a whole number ≥ 0.

    Subsets of ``input_tokens``: ``cache_read_tokens``, ``cache_write_tokens`` (all lifetimes, of
    which ``cache_write_1h_tokens``), ``input_audio_tokens``, ``input_image_tokens``,
    ``input_video_tokens``, ``tool_use_input_tokens``. ``cache_read_audio_tokens`` is part of both
    the cached reads and the audio. Subsets of ``output_tokens``: ``reasoning_tokens``,
    ``output_audio_tokens``, ``output_image_tokens``. ``web_search_requests`` are calls, not tokens.
    """

    input_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0
    cache_write_1h_tokens: int = 0
    input_audio_tokens: int = 0
    input_image_tokens: int = 0
    input_video_tokens: int = 0
    cache_read_audio_tokens: int = 0
    tool_use_input_tokens: int = 0
    output_tokens: int = 0
    reasoning_tokens: int = 0
    output_audio_tokens: int = 0
    output_image_tokens: int = 0
    web_search_requests: int = 0

    def __post_init__(self) -> None:
        """Refuse counts that can't all be true.

        Raises:
            ContradictoryUsage: naming the fields.
        """
        for part, parts, whole, total in self._bounds():
            if parts > total:
                raise ContradictoryUsage(
                    f"{part} ({parts}) can't be more than {whole} ({total}). "
                    f"{whole} includes {part}: send the full count.",
                    errors=(
                        FieldError(f"/usage/{part.split(' ')[0]}", "contradictory_usage", part),
                    ),
                )

    def _bounds(self) -> tuple[tuple[str, int, str, int], ...]:
        media_in = self.input_audio_tokens + self.input_image_tokens + self.input_video_tokens
        media_out = self.output_audio_tokens + self.output_image_tokens
        cached = self.cache_read_tokens + self.cache_write_tokens
        return (
            ("cache_read_tokens + cache_write_tokens", cached, "input_tokens", self.input_tokens),
            (
                "cache_write_1h_tokens",
                self.cache_write_1h_tokens,
                "cache_write_tokens",
                self.cache_write_tokens,
            ),
            ("input_audio_tokens + image + video", media_in, "input_tokens", self.input_tokens),
            (
                "cache_read_audio_tokens",
                self.cache_read_audio_tokens,
                "cache_read_tokens",
                self.cache_read_tokens,
            ),
            (
                "cache_read_audio_tokens",
                self.cache_read_audio_tokens,
                "input_audio_tokens",
                self.input_audio_tokens,
            ),
            (
                "tool_use_input_tokens",
                self.tool_use_input_tokens,
                "input_tokens",
                self.input_tokens,
            ),
            ("reasoning_tokens", self.reasoning_tokens, "output_tokens", self.output_tokens),
            ("output_audio_tokens + image", media_out, "output_tokens", self.output_tokens),
        )


USAGE_FIELDS: tuple[str, ...] = tuple(field.name for field in fields(TokenUsage))
"""Names of the counts, in the order of the table's columns and of the JSON event."""

NO_USAGE = TokenUsage()
