"""The record of what a workspace agreed or mapped: who entered it, when it holds, who closed it.

A term is never edited. It is closed, by hand or by the term that takes its place, so that what was
true last month can still be read. Two terms about the same calls never hold at the same time.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TypeAlias
from uuid import UUID

from llmlab_app.domain.errors import Conflict, FieldError, InvalidInput
from llmlab_app.domain.pricing import Discount, MappedModel, PriceOverride, PriceScope, Validity
from llmlab_app.domain.pricing.names import canonical_model, canonical_provider, canonical_tier
from llmlab_app.domain.pricing.terms import ANY

Agreement: TypeAlias = PriceOverride | Discount | MappedModel


class TermKind(StrEnum):
    """What a term changes."""

    OVERRIDE = "override"
    DISCOUNT = "discount"
    MAPPING = "mapping"


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceTerm:
    """An agreement and its record. ``agreement.validity`` begins at an instant, never unbounded."""

    id: UUID
    agreement: Agreement
    created_at: datetime
    created_by: str
    closed_at: datetime | None = None
    closed_by: str | None = None

    @property
    def starts_at(self) -> datetime:
        """The first instant at which it holds."""
        start = self.agreement.validity.start
        assert start is not None  # storage has no term without one
        return start

    @property
    def is_withdrawn(self) -> bool:
        """Whether it was closed before it began, so that it never held."""
        end = self.agreement.validity.end
        return end is not None and end <= self.starts_at


@dataclass(frozen=True, slots=True)
class Closure:
    """``term`` must hold no longer than until ``end`` (not included)."""

    term: PriceTerm
    end: datetime


def kind_of(agreement: Agreement) -> TermKind:
    """What kind of term ``agreement`` is."""
    match agreement:
        case PriceOverride():
            return TermKind.OVERRIDE
        case Discount():
            return TermKind.DISCOUNT
        case MappedModel():
            return TermKind.MAPPING


def closures(terms: Sequence[PriceTerm], new: Agreement) -> Iterator[Closure]:
    """What must be closed so that ``new`` holds alone about its calls.

    A term that began earlier ends where ``new`` begins; one that ``new`` covers is withdrawn.

    Raises:
        Conflict: a term holds longer than ``new`` does, so that closing it would lose its rest.
    """
    for term in terms:
        old = term.agreement.validity
        about_the_same = _subject(term.agreement) == _subject(new)
        if term.is_withdrawn or not about_the_same or not old.overlaps(new.validity):
            continue
        if _outlasts(old, new.validity):
            raise Conflict(
                f"The {kind_of(new)} {term.id} about the same calls holds longer. Close it first, "
                "or leave the end of the new one out.",
                code="overlapping_term",
            )
        yield closure(term, new.validity.start or term.starts_at)


def closure(term: PriceTerm, until: datetime) -> Closure:
    """How ``term`` ends at ``until``: never before it began, never later than it does already."""
    end = max(term.starts_at, until)
    old_end = term.agreement.validity.end
    return Closure(term, end if old_end is None else min(end, old_end))


def scope(provider: str | None, model: str | None, service_tier: str | None) -> PriceScope:
    """The calls that a term is about, in canonical names; None is any.

    Raises:
        InvalidInput: the model has a star inside, or more than one.
    """
    who = canonical_provider(provider) if provider else ANY
    return PriceScope(
        provider=who,
        model=model_pattern(who, model or ANY),
        service_tier=canonical_tier(service_tier) if service_tier else None,
    )


def model_pattern(provider: str, model: str) -> str:
    """``model`` as price lists name it: a whole name, ``prefix*`` or ``*suffix``.

    Raises:
        InvalidInput: the model has a star inside, or more than one.
    """
    pattern = canonical_model(provider, model)
    inner = pattern.removeprefix("*") if pattern.startswith("*") else pattern.removesuffix("*")
    if "*" in inner or not pattern:
        detail = "A model is a whole name, a prefix (gpt-5*), a suffix (*:free) or * for all."
        raise InvalidInput(
            detail,
            code="invalid_model_pattern",
            errors=(FieldError("/model", "invalid_model_pattern", detail),),
        )
    return pattern


def checked_validity(start: datetime, end: datetime | None) -> Validity:
    """From ``start`` (in) to ``end`` (out).

    Raises:
        InvalidInput: it ends before it begins.
    """
    if end is not None and end <= start:
        detail = "effective_to must be later than effective_from."
        raise InvalidInput(
            detail,
            code="empty_range",
            errors=(FieldError("/effective_to", "empty_range", detail),),
        )
    return Validity(start, end)


def _outlasts(old: Validity, new: Validity) -> bool:
    return new.end is not None and (old.end is None or old.end > new.end)


def _subject(agreement: Agreement) -> tuple[object, ...]:
    if isinstance(agreement, MappedModel):
        return TermKind.MAPPING, agreement.provider, agreement.model
    return kind_of(agreement), agreement.scope
