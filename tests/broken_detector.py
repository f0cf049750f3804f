"""A detector with a mistake in it, for tests of plug-ins."""

from pydantic import BaseModel, ConfigDict

from soak.seams import Evidence, Finding
from soak.verdict import Status


class Params(BaseModel):
    """from_s: it raises at looks from then on."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")

    from_s: float = 0.0


def detect(evidence: Evidence, params: Params) -> Finding:
    rows = evidence.columns["t_s"].size  # soak/seams.py promises that column
    if evidence.totals.get("elapsed_s", 0.0) > params.from_s:
        raise LookupError(f"no figure in {rows} rows")
    return Finding(status=Status.PASS, reason="nothing was wrong")
