"""What a workspace pays instead of the list price: its own prices, discounts and mapped models.

A change prices the calls that arrive after it. Calls that are stored keep their cost until somebody
re-prices them (``services.repricing``).
"""

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from sqlmodel.ext.asyncio.session import AsyncSession

from llmlab_app.domain.access import Principal, Scope
from llmlab_app.domain.errors import FieldError, InvalidInput, NotFound
from llmlab_app.domain.identity import EARLIEST
from llmlab_app.domain.price_terms import (
    Agreement,
    Closure,
    PriceTerm,
    TermKind,
    checked_validity,
    closure,
    closures,
    kind_of,
)
from llmlab_app.domain.pricing import MappedModel, PriceBook, Unpriced, UnpricedReason
from llmlab_app.services.prices import current_price_book, newest_prices
from llmlab_app.storage import audit
from llmlab_app.storage import price_terms as stored
from llmlab_app.storage.database import transaction

MAX_TERMS = 1_000
"""Terms that hold or will: each new model name is compared with all of them once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AddedTerm:
    """A new term, and those that were closed so that it holds alone."""

    term: PriceTerm
    closed: tuple[PriceTerm, ...]


async def list_terms(principal: Principal, kind: TermKind) -> tuple[PriceTerm, ...]:
    """The workspace's terms of one kind, newest first; closed ones too."""
    principal.require(Scope.READ)
    async with transaction() as session:
        return await stored.terms_of(session, principal.workspace_id, kind)


async def add_term(
    principal: Principal,
    agreement: Agreement,
    *,
    effective_from: datetime | None,
    effective_to: datetime | None,
    now: datetime,
) -> AddedTerm:
    """Agree on something, in place of what held about the same calls from then on.

    Args:
        principal: An admin of the workspace.
        agreement: What; its own validity is replaced by the two instants.
        effective_from: From when on. None: now; of a mapping, which says what a name always
            meant: since ever.
        effective_to: Until when, not included; None until further notice.
        now: The instant of the change.

    Raises:
        NotAllowed: the caller isn't an admin of the workspace.
        InvalidInput: an empty range, an unknown target, or too many terms.
        Conflict: a term about the same calls holds longer than this one would.
    """
    principal.require(Scope.ADMIN)
    principal.require_workspace()
    start = effective_from or (EARLIEST if isinstance(agreement, MappedModel) else now)
    agreement = replace(agreement, validity=checked_validity(start, effective_to))
    if isinstance(agreement, MappedModel):
        _check_target(current_price_book(), agreement, now)
    async with transaction() as session:
        await stored.begin_change(session, principal.workspace_id)
        terms = await stored.terms_of(session, principal.workspace_id)
        _check_number(terms, now)
        closed = [
            await _close(session, principal, each, now) for each in closures(terms, agreement)
        ]
        added = await stored.add_term(
            session,
            workspace_id=principal.workspace_id,
            agreement=agreement,
            actor=principal.name,
            now=now,
        )
        _audit(session, principal, "added", added, now)
    await newest_prices(principal.workspace_id)
    return AddedTerm(term=added, closed=tuple(closed))


async def close_term(
    principal: Principal, kind: TermKind, term_id: UUID, *, until: datetime | None, now: datetime
) -> PriceTerm:
    """End a term at ``until``, None for now; at or before its start it never held.

    Closing it again can only make it end earlier. No stored cost changes.

    Raises:
        NotAllowed: the caller isn't an admin of the workspace.
        NotFound: the workspace has no such term.
    """
    principal.require(Scope.ADMIN)
    principal.require_workspace()
    async with transaction() as session:
        await stored.begin_change(session, principal.workspace_id)
        terms = await stored.terms_of(session, principal.workspace_id, kind)
        term = next((each for each in terms if each.id == term_id), None)
        if term is None:
            raise NotFound(f"There is no such {kind}.", code="unknown_term")
        closed = await _close(session, principal, closure(term, until or now), now)
    await newest_prices(principal.workspace_id)
    return closed


async def _close(
    session: AsyncSession, principal: Principal, ending: Closure, now: datetime
) -> PriceTerm:
    closed = await stored.close_term(session, ending, actor=principal.name, now=now)
    _audit(session, principal, "closed", closed, now)
    return closed


def _check_target(book: PriceBook, mapping: MappedModel, now: datetime) -> None:
    """A mapping onto a name that nobody knows would leave the calls unpriced, silently."""
    name = f"{mapping.target_provider}/{mapping.target_model}"
    found = book.price_at(provider=mapping.target_provider, model=mapping.target_model, at=now)
    unknown = isinstance(found, Unpriced) and found.reason is UnpricedReason.UNKNOWN_MODEL
    if unknown or name == f"{mapping.provider}/{mapping.model}":
        detail = (
            f"No price list knows {name}, so nothing can be priced as it. "
            "Map to a listed model, or give the model a price of its own."
        )
        raise InvalidInput(
            detail,
            code="unknown_target",
            errors=(FieldError("/target_model", "unknown_target", detail),),
        )


def _check_number(terms: tuple[PriceTerm, ...], now: datetime) -> None:
    ends = (term.agreement.validity.end for term in terms if not term.is_withdrawn)
    if sum(end is None or end > now for end in ends) >= MAX_TERMS:
        raise InvalidInput(
            f"A workspace has at most {MAX_TERMS} prices, discounts and mappings in force. "
            "Use a prefix such as gpt-5* for several models, or close some.",
            code="too_many_terms",
        )


def _audit(
    session: AsyncSession, principal: Principal, action: str, term: PriceTerm, now: datetime
) -> None:
    validity = term.agreement.validity
    audit.record(
        session,
        workspace_id=principal.workspace_id,
        actor=principal.name,
        action=f"price_{kind_of(term.agreement)}.{action}",
        target=str(term.id),
        at=now,
        effective_from=term.starts_at.isoformat(),
        effective_to=validity.end.isoformat() if validity.end else None,
    )
