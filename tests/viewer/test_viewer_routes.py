"""What the server answers to a page that asks as it should."""

import io
import re
import struct

import numpy as np
import pytest
from PIL import Image
from viewer_problems import CURVES, ORIGINALS, SHAPE, catalogue_of, client_of, codes_of, tiny_start, write_folder

from sparsine.codec import decode
from sparsine.psnr import psnr_db
from sparsine.signals import error_picture, to_picture
from sparsine.signals.cache import Cached
from sparsine.signals.open import open_dataset
from sparsine.viewer.bands import Bands
from sparsine.viewer.catalogue import Catalogue
from sparsine.viewer.folder import CodeFolder
from sparsine.viewer.originals import Originals
from sparsine.viewer.starts import Starts

NAME = CURVES[1]


def picture_of(answer, rows, columns):
    """(rows, columns, 4), and the number behind the pixels."""
    assert answer.status_code == 200, answer.text
    assert len(answer.content) == int(answer.headers["content-length"]) == 4 * rows * columns + 8
    pixels = np.frombuffer(answer.content, np.uint8, 4 * rows * columns).reshape(rows, columns, 4)
    return pixels, struct.unpack("<d", answer.content[-8:])[0]


def pixels_of(answer):
    return np.asarray(Image.open(io.BytesIO(answer.content)).convert("RGB"))


def drawn(client, **question):
    answer = client.get("/draw", params={"name": NAME, **question})
    return picture_of(answer, *map(int, question["size"].split("x")))


def test_the_page_and_its_parts_are_served_and_name_nothing_else(client):
    page = client.get("/")
    assert page.status_code == 200
    assert page.headers["content-type"].startswith("text/html")
    parts = set(re.findall(r'(?:src|href)="(/[^"]+)"', page.text))
    seen, kinds = set(), {"js": "text/javascript", "css": "text/css", "svg": "image/svg+xml"}
    while parts - seen:
        part = min(parts - seen)
        seen.add(part)
        answer = client.get(part)
        assert answer.status_code == 200, part
        assert answer.headers["content-type"].startswith(kinds[part.rpartition(".")[2]])
        assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)", answer.text)
        parts |= {f"/static/{name}" for name in re.findall(r'from "\./([\w.]+)"', answer.text)}
    assert len(seen) > 8


def test_every_answer_tells_the_browser_what_it_may_do(client):
    for path in ("/", "/static/main.js", "/api/folder", "/api/nothing", f"/thumbnail?name={NAME}", "/draw"):
        headers = client.get(path).headers
        assert "default-src 'none'" in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cross-origin-resource-policy"] == "same-origin"
        assert headers["cache-control"]


def test_the_folder_is_described(client):
    about = client.get("/api/folder").json()
    assert about["folder"] == "codes"
    assert (about["codes"], about["levels"], about["starts"]) == (3, [""], 1)
    assert about["originals"] == ORIGINALS


def test_codes_are_listed_with_their_numbers(client, codes):
    listed = client.get("/api/codes").json()
    assert listed["total"] == 3
    assert [code["name"] for code in listed["codes"]] == CURVES
    code = listed["codes"][1]
    size = (codes / f"{NAME}.spn").stat().st_size
    assert code["bytes"] == size
    assert code["bits_per_sample"] == pytest.approx(8 * size / (SHAPE[0] * SHAPE[1]))
    assert code["psnr_db"] == 21.0
    assert (code["shape"], code["zoomed"], code["value_kind"]) == (list(SHAPE), True, "distance")


def test_the_list_is_searched_sorted_and_paged(client):
    def names(**question):
        return [code["name"][-1] for code in client.get("/api/codes", params=question).json()["codes"]]

    assert names(search="0002") == ["2"]
    assert names(search="CURVE-TEST") == ["0", "1", "2"]
    assert names(search="nothing of the kind") == []
    assert names(first=1, count=1) == ["1"]
    assert names(sort="best") == ["2", "1", "0"]
    assert names(sort="worst") == ["0", "1", "2"]
    assert names(sort="largest") == names(sort="smallest")[::-1]


def test_a_thumbnail_is_the_field_drawn_small(client, codes, start):
    picture = pixels_of(client.get("/thumbnail", params={"name": NAME, "edge": 34}))
    assert picture.shape == (26, 34, 3)
    field = decode(start, (codes / f"{NAME}.spn").read_bytes())
    own = pixels_of(client.get("/thumbnail", params={"name": NAME, "edge": SHAPE[1]}))
    assert np.abs(own.astype(int) - to_picture(field.render(), "distance")).max() <= 1
    other = pixels_of(client.get("/thumbnail", params={"name": CURVES[0], "edge": 34}))
    assert (picture != other).any()


def test_a_thumbnail_that_the_browser_has_is_not_sent_again(client):
    question = {"name": NAME, "edge": 40}
    tag = client.get("/thumbnail", params=question).headers["etag"]
    again = client.get("/thumbnail", params=question, headers={"if-none-match": tag})
    assert (again.status_code, again.content) == (304, b"")
    assert client.get("/thumbnail", params={"name": NAME, "edge": 41}).headers["etag"] != tag


def test_a_drawing_at_its_own_size_is_that_of_the_codec(client, codes, start):
    pixels, ms = drawn(client, region="0,0,1,1", size="13x17")
    field = decode(start, (codes / f"{NAME}.spn").read_bytes())
    assert np.abs(pixels[:, :, :3].astype(int) - to_picture(field.render(), "distance")).max() <= 1
    assert (pixels[:, :, 3] == 255).all()
    assert 0 < ms < 60_000


def test_a_region_is_the_part_of_the_whole(client):
    whole, _ = drawn(client, region="0,0,1,1", size="120x160")
    part, _ = drawn(client, region="0.25,0.5,0.5,0.625", size="30x20")
    assert np.abs(part.astype(int) - whole[30:60, 80:100]).max() <= 3
    assert np.abs(part.astype(int) - whole[31:61, 80:100]).max() > 8


def test_originals_and_errors_are_shown_beside_the_fitted(client, codes, start):
    original = open_dataset("curves", resolution=SHAPE).test.load(1)
    fitted = decode(start, (codes / f"{NAME}.spn").read_bytes()).render()
    shown, _ = picture_of(client.get("/original", params={"name": NAME}), *SHAPE)
    assert (shown[:, :, :3] == to_picture(original, "distance")).all()
    assert (shown[:, :, 3] == 255).all()
    error, psnr = picture_of(client.get("/error", params={"name": NAME}), *SHAPE)
    assert np.abs(error[:, :, :3].astype(int) - error_picture(original, fitted)).max() <= 1
    assert psnr == pytest.approx(psnr_db(float(((original - fitted) ** 2).mean())), abs=0.01)


def test_a_picture_of_several_bands_is_that_of_one(client, monkeypatch):
    asked = [
        ("/draw", {"name": NAME, "region": "0.1,0.2,0.9,0.7", "size": "29x23"}),
        ("/draw", {"name": NAME, "region": "0.1,0.2,0.1000000001,0.2000000001", "size": "29x23"}),
        ("/original", {"name": NAME}), ("/error", {"name": NAME}),
    ]  # fmt: skip
    whole = [client.get(path, params=question).content for path, question in asked]
    for points in (1, 5 * 23, 7 * 17 + 3):
        monkeypatch.setattr("sparsine.viewer.bands.BAND_POINTS", points)
        for (path, question), expected in zip(asked, whole, strict=True):
            parts = client.get(path, params=question).content
            assert parts[:-8] == expected[:-8], (path, points)
            if path == "/error":
                assert struct.unpack("<d", parts[-8:]) == pytest.approx(struct.unpack("<d", expected[-8:]))


def test_a_head_request_draws_one_band_at_most(codes, start, monkeypatch):
    made = []
    part = Bands._part
    monkeypatch.setattr("sparsine.viewer.bands.BAND_POINTS", 1)
    monkeypatch.setattr(Bands, "_part", lambda *rows: made.append(rows) or part(*rows))
    answer = client_of(catalogue_of(codes, start)).head(
        "/draw", params={"name": NAME, "region": "0,0,1,1", "size": "9x8"}
    )
    assert (answer.status_code, answer.content, answer.headers["content-length"]) == (200, b"", str(4 * 72 + 8))
    assert len(made) == 1


def test_the_value_under_the_pointer_is_that_of_the_field_and_of_the_original(client, codes, start):
    row, column = 4, 11
    at = f"{(row + 0.5) / SHAPE[0]},{(column + 0.5) / SHAPE[1]}"
    told = client.get("/value", params={"name": NAME, "at": at}).json()
    field = decode(start, (codes / f"{NAME}.spn").read_bytes())
    assert told["value"][0] == pytest.approx(float(field.render()[row, column, 0]), abs=1e-5)
    assert told["coords"] == pytest.approx(field.domain.coords()[row * SHAPE[1] + column].tolist(), abs=1e-6)
    original = open_dataset("curves", resolution=SHAPE).test.load(1)
    assert told["original"][0] == pytest.approx(float(original[row, column, 0]))
    assert told["sample"] == [row, column]


def test_without_originals_only_the_fitted_is_shown(codes, start):
    client = client_of(catalogue_of(codes, start))
    assert client.get("/api/folder").json()["originals"] is None
    answer = client.get("/original", params={"name": NAME})
    assert answer.status_code == 404
    assert "--originals" in answer.json()["error"]
    assert client.get("/value", params={"name": NAME, "at": "0.5,0.5"}).json()["original"] is None
    assert "--originals" in client.get("/api/code", params={"name": NAME}).json()["levels"][0]["no_original"]


def test_originals_are_kept_once_and_within_their_bytes(codes, start):
    found = Originals(ORIGINALS, tiny_start(), room=2 * 4 * SHAPE[0] * SHAPE[1])
    client = client_of(Catalogue(CodeFolder(codes), Starts([("start", start)]), found))
    for name in CURVES:
        assert client.get("/original", params={"name": name}).status_code == 200
    assert found._signals.used == 2 * 4 * SHAPE[0] * SHAPE[1]
    assert not any(isinstance(split.signals, Cached) for split in found._opened(SHAPE))


def test_an_original_is_found_by_the_input_that_the_encoder_noted(folder, start):
    (folder / "renamed.spn").write_bytes((folder / f"{NAME}.spn").read_bytes())
    (folder / "unknown.spn").write_bytes((folder / f"{NAME}.spn").read_bytes())
    with open(folder / "journal.jsonl", "a") as journal:
        journal.write(f'{{"input": "{NAME}", "file": "renamed.spn", "psnr_db": null}}\n')
    client = client_of(catalogue_of(folder, start, originals=ORIGINALS))
    same = [client.get("/original", params={"name": name}).content[:-8] for name in (NAME, "renamed")]
    assert same[0] == same[1]
    reasons = [
        client.get("/api/code", params={"name": name}).json()["levels"][0]["no_original"]
        for name in ("renamed", "unknown")
    ]
    assert reasons == [None, f"{ORIGINALS} has no signal called unknown"]
    refused = client.get("/original", params={"name": "unknown"})
    assert refused.status_code == 422
    assert "unknown" in refused.json()["error"]


def test_a_perfect_fit_is_the_best_and_is_told_as_inf(folder, start):
    (folder / "perfect.spn").write_bytes((folder / f"{NAME}.spn").read_bytes())
    with open(folder / "journal.jsonl", "a") as journal:
        journal.write('{"input": "perfect", "file": "perfect.spn", "psnr_db": "inf"}\n')
    codes = client_of(catalogue_of(folder, start)).get("/api/codes", params={"sort": "best"}).json()["codes"]
    assert [code["psnr_db"] for code in codes] == ["inf", 22.0, 21.0, 20.0]


def test_the_same_name_in_several_folders_is_levels_of_one_signal(tmp_path, start):
    sparse = tiny_start(seed=4, density=0.3)
    for level, one, steps in (("steps-10", start, 10), ("steps-2", start, 2), ("sparse", sparse, 10)):
        (tmp_path / level).mkdir()
        (tmp_path / level / "a.spn").write_bytes(codes_of(one, 1, steps)[0])
    (tmp_path / "steps-2" / "b.spn").write_bytes(codes_of(start, 1)[0])
    client = client_of(catalogue_of(tmp_path, start, sparse))
    assert client.get("/api/folder").json()["levels"] == ["sparse", "steps-2", "steps-10"]
    levels = client.get("/api/code", params={"name": "a"}).json()["levels"]
    assert [level["level"] for level in levels] == ["sparse", "steps-2", "steps-10"]
    assert [level["start"][:8] for level in levels] == ["round-01", "round-00", "round-00"]
    assert levels[0]["density"] < levels[1]["density"]
    region = {"name": "a", "region": "0,0,1,1", "size": "9x9"}
    pictures = [client.get("/draw", params={**region, "level": level["level"]}).content[:-8] for level in levels]
    assert len(set(pictures)) == 3
    assert client.get("/draw", params=region).content[:-8] == pictures[-1]
    shown = client.get("/api/codes", params={"level": "steps-2"}).json()
    assert [(code["name"], code["level"]) for code in shown["codes"]] == [("a", "steps-2"), ("b", "steps-2")]
    refused = client.get("/draw", params={**region, "level": "steps-3"})
    assert refused.status_code == 404


def test_codes_that_come_while_the_page_is_open_are_listed(folder, start, monkeypatch):
    monkeypatch.setattr("sparsine.viewer.catalogue.LIST_SECONDS", 0.0)
    client = client_of(catalogue_of(folder, start))
    assert client.get("/api/codes").json()["total"] == 3
    (folder / "new.spn").write_bytes((folder / f"{NAME}.spn").read_bytes())
    assert client.get("/api/codes").json()["total"] == 4
    (folder / "new.spn").unlink()
    gone = client.get("/draw", params={"name": "new", "region": "0,0,1,1", "size": "4x4"})
    assert gone.status_code == 422
    assert "new.spn" in gone.json()["error"]


def test_a_code_that_is_written_anew_is_drawn_anew(folder, start, monkeypatch):
    monkeypatch.setattr("sparsine.viewer.catalogue.LIST_SECONDS", 0.0)
    client = client_of(catalogue_of(folder, start))
    question = {"name": NAME, "region": "0,0,1,1", "size": "8x8"}
    before = client.get("/draw", params=question).content[:-8]
    (folder / f"{NAME}.spn").write_bytes((folder / f"{CURVES[2]}.spn").read_bytes())
    client.get("/api/codes")
    assert client.get("/draw", params=question).content[:-8] != before


def test_a_head_request_has_no_body(client):
    answer = client.head("/thumbnail", params={"name": NAME})
    assert (answer.status_code, answer.content) == (200, b"")


def test_a_folder_without_codes_has_an_empty_list(tmp_path, start):
    client = client_of(catalogue_of(tmp_path, start))
    assert client.get("/api/codes").json() == {"total": 0, "first": 0, "codes": []}


def test_links_are_left_out_and_told(folder, start):
    (folder / "a.spn").symlink_to(folder / f"{NAME}.spn")
    (folder / "broken.spn").symlink_to(folder / "nowhere.spn")
    (folder / "level").mkdir()
    (folder / "level" / "b.spn").symlink_to(folder / f"{NAME}.spn")
    (folder / "linked").symlink_to(folder / "level")
    (folder / "notes.txt").symlink_to(folder / f"{NAME}.spn")
    (folder / ".hidden.spn").symlink_to(folder / f"{NAME}.spn")
    client = client_of(catalogue_of(folder, start))
    for _ in range(2):
        about = client.get("/api/folder").json()
        assert (about["codes"], about["links"]) == (3, 4)


def test_a_folder_may_be_a_link(tmp_path, start):
    write_folder(tmp_path / "real", start)
    (tmp_path / "link").symlink_to(tmp_path / "real")
    assert client_of(catalogue_of(tmp_path / "link", start)).get("/api/codes").json()["total"] == 3
