"""Where did the time go? Folded stacks as a table of functions and as a flame graph."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape

WIDTH, ROW, MARGIN = 1_200, 17, 10
LETTER = 6.6  # how wide one is, on average, at the size the names are drawn in
# Narrower boxes are left out: nothing can be read off them.
LEAST_WIDTH = 0.6
TONES = ("#e8684a", "#ee8a4f", "#f2a65a", "#eec06c", "#d9c27e")


@dataclass(frozen=True, slots=True, kw_only=True)
class Hot:
    """One function. own: samples in itself; total: in itself or what it called."""

    name: str
    own: int
    total: int


def parsed(text: str) -> dict[tuple[str, ...], int]:
    """Stacks, outermost first, and how often each was seen; lines of another shape are skipped."""
    found: Counter[tuple[str, ...]] = Counter()
    for line in text.splitlines():
        stack, _, count = line.rpartition(" ")
        if stack and count.isdigit():
            found[tuple(stack.split(";"))] += int(count)
    return dict(found)


def hottest(stacks: Mapping[tuple[str, ...], int]) -> list[Hot]:
    """Every function, the one that most samples were in itself first."""
    own: Counter[str] = Counter()
    total: Counter[str] = Counter()
    for stack, count in stacks.items():
        own[stack[-1]] += count
        for name in set(stack):
            total[name] += count
    found = [Hot(name=name, own=own[name], total=total[name]) for name in total]
    return sorted(found, key=lambda hot: (-hot.own, -hot.total, hot.name))


def table(stacks: Mapping[tuple[str, ...], int], most: int = 25) -> str:
    """The hottest functions, a line each: share in itself, share with what it called, name."""
    whole = sum(stacks.values())
    lines = [f"{'own':>7} {'total':>7}  function, of {whole:,} samples of threads at work"]
    lines += [
        f"{hot.own / whole:7.1%} {hot.total / whole:7.1%}  {hot.name}"
        for hot in hottest(stacks)[:most]
        if hot.own
    ]
    return "\n".join(lines)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Box:
    name: str
    depth: int
    first: int
    count: int


def svg(stacks: Mapping[tuple[str, ...], int], title: str) -> str:
    """An SVG file: a box per call, as wide as it was often seen; callers stand above."""
    whole = max(1, sum(stacks.values()))
    boxes = list(_boxes(sorted(stacks.items()), 0, 0))
    height = ROW * (2 + max((box.depth for box in boxes), default=0)) + 2 * MARGIN + ROW
    scale = (WIDTH - 2 * MARGIN) / whole
    drawn = [_drawn(box, scale, whole) for box in boxes if box.count * scale >= LEAST_WIDTH]
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" '
            'font-family="monospace" font-size="11">',
            f'<rect width="{WIDTH}" height="{height}" fill="#fdfdfc"/>',
            f'<text x="{MARGIN}" y="{MARGIN + 11}" font-size="13">{escape(title)}</text>',
            *drawn,
            "</svg>\n",
        ]
    )


def _boxes(stacks: Sequence[tuple[tuple[str, ...], int]], depth: int, first: int) -> Iterator[_Box]:
    """Of stacks that agree above depth, sorted: one box per function there, and those below it."""
    groups: dict[str, list[tuple[tuple[str, ...], int]]] = {}
    for stack, count in stacks:
        if len(stack) > depth:
            groups.setdefault(stack[depth], []).append((stack, count))
    for name, group in groups.items():
        count = sum(each for _, each in group)
        yield _Box(name=name, depth=depth, first=first, count=count)
        yield from _boxes(group, depth + 1, first)
        first += count


def _drawn(box: _Box, scale: float, whole: int) -> str:
    x, width = MARGIN + box.first * scale, box.count * scale
    y = 2 * MARGIN + ROW * (1 + box.depth)
    tone = TONES[sum(box.name.encode()) % len(TONES)]
    room = int((width - 4) / LETTER)
    name = box.name if len(box.name) <= room else f"{box.name[: room - 1]}…" if room > 3 else ""
    said = escape(f"{box.name}, {box.count / whole:.1%} of {whole:,} samples")
    return (
        f'<g><title>{said}</title><rect x="{x:.1f}" y="{y}" width="{width:.1f}" '
        f'height="{ROW - 1}" fill="{tone}"/>'
        f'<text x="{x + 2:.1f}" y="{y + 12}">{escape(name)}</text></g>'
    )
