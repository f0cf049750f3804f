"""Which colour means what? One table for figures, tables and pages: same thing, same colour."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Tone:
    """A colour on a light page (and on paper) and its counterpart on a dark one."""

    light: str
    dark: str


# The light tones must all differ: figures are drawn with them and then made to follow the page.
PALETTE = {
    "p50": Tone("#2f6fb3", "#6aa9e9"),
    "p99": Tone("#c8552b", "#f08a5d"),
    "achieved": Tone("#1f7a70", "#4fb8ab"),
    "offered": Tone("#8b949e", "#8b95a1"),
    "anonymous": Tone("#7345a8", "#b08be0"),
    "resident": Tone("#b793d6", "#7d62a6"),
    "records": Tone("#4c8c2b", "#86c465"),
    "disk": Tone("#8a6a3c", "#cfa76a"),
    "allocated": Tone("#c9b48c", "#85704c"),
    "recall": Tone("#1d6fa5", "#5fb4e5"),
    "health": Tone("#3f8f5f", "#6fcf97"),
    "files": Tone("#5f6b7a", "#a3afbd"),
    "threads": Tone("#99621e", "#d9a05b"),
    "error": Tone("#b3261e", "#ff8078"),
    "timeout": Tone("#8c1d5b", "#e57ab5"),
    "wrong": Tone("#d0021b", "#ff5f6d"),
    "bound": Tone("#a8071a", "#ff7875"),
    "maintenance": Tone("#6b7f99", "#8299b8"),
    "fault": Tone("#cf3a24", "#ff6b57"),
    "notable": Tone("#a67c00", "#e0b84c"),
    "phase": Tone("#e3e8ee", "#262d36"),
    "phase_next": Tone("#eff2f5", "#1e242c"),
    "ink": Tone("#1c2128", "#e6eaef"),
    "faint": Tone("#5b6570", "#9aa4b0"),
    "grid": Tone("#e6e9ed", "#2b323b"),
    "page": Tone("#fdfdfc", "#14181d"),
    "card": Tone("#ffffff", "#1a1f26"),
    "line": Tone("#dfe3e8", "#313944"),
    "pass": Tone("#1a7f37", "#4cc46f"),
    "fail": Tone("#b42318", "#ff7b72"),
    "unknown": Tone("#8a5a00", "#e3b341"),
}


def css_variables(*, is_dark: bool) -> str:
    """The tones as CSS custom properties: `--p50: #2f6fb3;` and so on."""
    tones = ((name, tone.dark if is_dark else tone.light) for name, tone in PALETTE.items())
    return " ".join(f"--{name.replace('_', '-')}: {colour};" for name, colour in tones)
