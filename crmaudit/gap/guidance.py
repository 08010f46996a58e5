"""What gap.toml says: efforts, owners, targets, costs, the questions of interviews. Judgements, no measurements."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from crmaudit.errors import SettingsError

FILE_NAME = "gap.toml"


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Effort(_Strict):
    """How much work a remedy of one kind is, in working days, and in how many days it shows."""

    says: str
    work: float = Field(default=1, gt=0)
    days: int = Field(ge=1)


class PlanGuidance(_Strict):
    """What the plan may ask of those who carry it out."""

    days_a_month: float = Field(gt=0)


class CostRule(_Strict):
    """How what is not known is priced, from figures of the audit named `audit.metric`."""

    amount: str
    unknown: str | None = None
    known: str | None = None
    rates: tuple[str, ...] = ()
    means: str


class QuestionGuidance(_Strict):
    """What is judged of one question."""

    owner: str | None = None
    effort: str | None = None
    figure: str | None = None
    target: float | None = None
    asks: tuple[str, ...] = ()
    """`table.column` that its answer rests on."""
    feeds: tuple[str, ...] = ()
    """Questions that are answered better when this one is."""
    cost: CostRule | None = None
    ranks_people: bool = False


class StratumGuidance(_Strict):
    """What to ask one kind of customer, and why."""

    title: str
    why: str
    questions: tuple[str, ...]


class Interviews(_Strict):
    """How many customers of each kind to talk to, and about what."""

    each: int = Field(ge=1, le=50)
    won: StratumGuidance
    loyal: StratumGuidance
    lost: StratumGuidance


class Guidance(_Strict):
    """The whole file."""

    efforts: dict[str, Effort]
    records: dict[str, str] = Field(default_factory=dict)
    """Canonical table -> effort, for records that are seldom kept before somebody asks for them."""
    plan: PlanGuidance
    owners: dict[str, str]
    questions: dict[str, QuestionGuidance] = Field(default_factory=dict)
    interviews: Interviews

    def question(self, audit_id: str) -> QuestionGuidance:
        return self.questions.get(audit_id, QuestionGuidance())

    def effort_of(self, table: str, *, is_new: bool) -> str:
        """The effort of getting an export of a kind, or, where one came, further fields of it."""
        return self.records.get(table, "export") if is_new else "field"


def read(folders: Sequence[Path]) -> Guidance:
    """The gap.toml of the folders, the first going before entry by entry; SettingsError says what is wrong."""
    data: dict[str, Any] = {}
    names = [folder / FILE_NAME for folder in folders if (folder / FILE_NAME).is_file()]
    for path in reversed(names):
        try:
            data = _over(data, tomllib.loads(path.read_text(encoding="utf-8")))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise SettingsError(f"{path} is no valid TOML: {error}") from error
    try:
        guidance = Guidance.model_validate(data)
    except ValidationError as error:
        told = [f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors()]
        raise SettingsError(f"{names[0]}: {'; '.join(told)}") from error
    named = {*(q.effort for q in guidance.questions.values() if q.effort), *guidance.records.values()}
    wrong = sorted(named - set(guidance.efforts))
    if wrong:
        raise SettingsError(
            f"{names[0]}: there is no effort {', '.join(wrong)}; known are {', '.join(guidance.efforts)}"
        )
    return guidance


def _over(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """The entries of both, those above going before."""
    merged = dict(below)
    for key, value in above.items():
        old = merged.get(key)
        merged[key] = _over(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
    return merged
