"""The capability table, from ``data/capability/models.yml``; every fact in it names a source."""

from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, model_validator

from llmlab_app.domain.capability import (
    CapabilityTable,
    Citation,
    ModelFacts,
    Replacement,
    Scale,
    ScaleKind,
    Thinking,
)

_CHECKOUT = Path(__file__).resolve().parents[2] / "data" / "capability" / "models.yml"
_INSTALLED = Path(__file__).resolve().parents[1] / "_data" / "capability" / "models.yml"

Names = Annotated[list[str], Field(min_length=1)]


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _SourceEntry(_Entry):
    text: Annotated[str, Field(min_length=3)]
    url: Annotated[str, Field(pattern=r"^https://")]
    checked_on: date


class _ModelEntry(_Entry):
    provider: str
    model: str
    operations: Names
    context_tokens: Annotated[int, Field(gt=0)]
    thinking: Thinking
    tokenizer: str | None = None
    source: str


class _ReplacementEntry(_Entry):
    provider: str
    models: Names
    by: str
    source: str


class _ScaleEntry(_Entry):
    name: str
    kind: ScaleKind
    operations: Names
    max_gap: Annotated[float, Field(ge=0)]
    scores: dict[str, dict[str, float]]
    source: str


class _TokenizerEntry(_Entry):
    provider: str
    models: Names
    tokenizer: str
    source: str


class _TokenFactorEntry(_Entry):
    tokenizer: str
    against: str
    factor: Annotated[Decimal, Field(gt=0, le=4)]
    source: str


class _CapabilityFile(_Entry):
    sources: dict[str, _SourceEntry]
    models: list[_ModelEntry]
    replacements: list[_ReplacementEntry]
    scales: list[_ScaleEntry]
    tokenizers: list[_TokenizerEntry]
    token_factors: list[_TokenFactorEntry]

    @model_validator(mode="after")
    def _names_its_sources(self) -> "_CapabilityFile":
        sections = (
            *self.models,
            *self.replacements,
            *self.scales,
            *self.tokenizers,
            *self.token_factors,
        )
        used = {entry.source for entry in sections}
        if wrong := used ^ set(self.sources):
            raise ValueError(f"sources that are missing or unused: {sorted(wrong)}")
        return self


@cache
def bundled_capability_table() -> CapabilityTable:
    """The table that ships with this version."""
    return load_capability_table(_CHECKOUT if _CHECKOUT.is_file() else _INSTALLED)


def load_capability_table(path: Path) -> CapabilityTable:
    """The table of one file.

    Raises:
        ValueError: it does not follow the schema; the message says where.
    """
    content: Any = yaml.safe_load(path.read_bytes())
    return _table(_CapabilityFile.model_validate(content))


def _table(file: _CapabilityFile) -> CapabilityTable:
    tokenizers = {
        (entry.provider, model): entry.tokenizer
        for entry in file.tokenizers
        for model in entry.models
    }
    tokenizers |= {(m.provider, m.model): m.tokenizer for m in file.models if m.tokenizer}
    return CapabilityTable(
        facts={(entry.provider, entry.model): _facts(entry) for entry in file.models},
        replacements=tuple(_replacement(file, entry) for entry in file.replacements),
        scales=tuple(_scale(file, entry) for entry in file.scales),
        tokenizers=tokenizers,
        token_factors={(t.tokenizer, t.against): t.factor for t in file.token_factors},
    )


def _facts(entry: _ModelEntry) -> ModelFacts:
    return ModelFacts(
        provider=entry.provider,
        model=entry.model,
        operations=frozenset(entry.operations),
        context_tokens=entry.context_tokens,
        thinking=entry.thinking,
    )


def _replacement(file: _CapabilityFile, entry: _ReplacementEntry) -> Replacement:
    return Replacement(
        provider=entry.provider,
        models=frozenset(entry.models),
        by=entry.by,
        citation=_citation(file, entry.source),
    )


def _scale(file: _CapabilityFile, entry: _ScaleEntry) -> Scale:
    return Scale(
        name=entry.name,
        kind=entry.kind,
        operations=frozenset(entry.operations),
        max_gap=entry.max_gap,
        scores=entry.scores,
        citation=_citation(file, entry.source),
    )


def _citation(file: _CapabilityFile, key: str) -> Citation:
    source = file.sources[key]
    return Citation(text=source.text, url=source.url, checked_on=source.checked_on)
