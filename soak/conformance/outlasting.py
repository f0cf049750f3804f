"""Is what was acknowledged there when a target is opened again? Asked for all that it can."""

from soak.conformance.scene import Scene, require_same
from soak.seams import Edge, Query


def outlasts_reopen(scene: Scene) -> None:
    _leave_something(scene)
    scene.target.reopen()
    _require_what_was_left(scene)


def outlasts_end(scene: Scene) -> None:
    _leave_something(scene)
    scene.build_again()
    _require_what_was_left(scene)
    # That it goes on: what it found is what it can change.
    if scene.can("delete"):
        scene.target.delete(3)
        require_same(4, scene.target.count(), "records, after one more was deleted")


def _leave_something(scene: Scene) -> None:
    """Six records, of which it was asked to change one and to delete another, if it can."""
    scene.store(6)
    if scene.can("link", "traverse"):
        scene.target.link(Edge(source=0, target=3))
    if scene.can("update"):
        scene.target.update(scene.record(1, version=1))
    if scene.can("delete"):
        scene.target.delete(2)


def _require_what_was_left(scene: Scene) -> None:
    content = scene.content
    left = {key: int(key == 1 and scene.can("update")) for key in range(6)}
    if scene.can("delete"):
        del left[2]
    require_same(len(left), scene.target.count(), "records")
    if scene.can("get"):
        texts = {key: content.text(key, version) for key, version in left.items()}
        expected = [texts.get(key) for key in range(6)]
        require_same(expected, [scene.text_of(key) for key in range(6)], "texts after it")
    if scene.can("search"):
        vectors = [content.vector(key, version) for key, version in left.items()]
        found = [[hit.key for hit in scene.hits(Query(vector=v, k=1))] for v in vectors]
        require_same([[key] for key in left], found, "nearest to each vector after it")
    if scene.can("link", "traverse"):
        require_same([3], list(scene.target.traverse(0, 1)), "a step from 0 after it")
