"""In which format does a scraper want the metrics? What its Accept header prefers."""

from soak.show.exporter import OPENMETRICS_TYPE, TEXT_TYPE
from soak.show.native import PROTOBUF_TYPE

# In our own order of preference, for a scraper that has none.
_FORMATS = {
    "application/vnd.google.protobuf": PROTOBUF_TYPE,
    "application/openmetrics-text": OPENMETRICS_TYPE,
    "text/plain": TEXT_TYPE,
}


def preferred(accept: str) -> str:
    """The content type to answer with; plain text where the header names none that there is."""
    weighed: list[tuple[float, str]] = []
    for choice in accept.split(","):
        name, *parameters = (part.strip() for part in choice.lower().split(";"))
        given = dict(part.split("=", 1) for part in parameters if "=" in part)
        if name in _FORMATS and _is_ours(name, given):
            weighed.append((_weight(given.get("q", "1")), _FORMATS[name]))
    return max(weighed, key=lambda found: found[0], default=(0.0, TEXT_TYPE))[1]


def _is_ours(name: str, given: dict[str, str]) -> bool:
    """Protobuf is a family of formats; text and OpenMetrics have versions that differ little."""
    if name != "application/vnd.google.protobuf":
        return True
    is_delimited = given.get("encoding", "delimited") == "delimited"
    return is_delimited and given.get("proto") == "io.prometheus.client.metricfamily"


def _weight(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0
