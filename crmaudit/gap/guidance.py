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
    """How much work a remedy of one kind is, and in how many days it can be done."""

    says: str
    days: int = Field(ge=1)


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
    owners: dict[str, str]
    questions: dict[str, QuestionGuidance] = Field(default_factory=dict)
    interviews: Interviews

    def question(self, audit_id: str) -> QuestionGuidance:
        return self.questions.get(audit_id, QuestionGuidance())


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
    wrong = sorted({q.effort for q in guidance.questions.values() if q.effort} - set(guidance.efforts))
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
