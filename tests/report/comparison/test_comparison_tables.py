import pytest
from fabricated_cells import cell, comparison, signal

from sparsine.cli.compare import _table
from sparsine.errors import BadInput
from sparsine.report.comparison.tables import KINDS, tables_markdown, tables_of
from sparsine.report.table import Table
from sparsine.report.wording import DASH, MINUS


def grid(table: Table) -> dict[str, list[str]]:
    return {row[0]: list(row[1:]) for row in table.rows}


def test_the_main_table_has_methods_by_levels_with_the_best_in_bold():
    cells = [
        cell(lasts=(30.0,)), cell(lasts=(31.0,), seed=1), cell(level="round-07", lasts=(20.0,), weights=97),
        cell("scratch", lasts=(33.0,), weights=240),
        cell("scratch", level="round-07", lasts=(15.0,), weights=97),
    ]  # fmt: skip
    (table,) = tables_of(cells, ["psnr"])
    assert table.title == "faces: PSNR (dB) after 100 Adam steps"
    assert table.head == ("method", "51.1 % (233)", "21.3 % (97)")
    assert grid(table) == {
        "Meta-SparseINR": ["30.50 ± 0.71", "20.00 (1 of 2 seeds)"],
        "Scratch": ["33.00 (1 of 2 seeds)", "15.00 (1 of 2 seeds)"],
    }
    assert table.strong == {(1, 1), (0, 2)}
    assert "up to 3 %" in table.note
    assert "| Scratch | **33.00 (1 of 2 seeds)** | 15.00 (1 of 2 seeds) |" in table.markdown()


def test_failed_signals_are_told_in_the_cell():
    made = cell(lasts=(30.0, 31.0, 32.0))
    made["protocols"]["adam"]["signals"][2] = signal("bad.jpg", None, status="diverged")
    (table,) = tables_of([made], ["psnr"])
    assert grid(table) == {"Meta-SparseINR": ["30.50 (2 of 3 signals)"]}


def test_a_missing_cell_is_a_dash():
    cells = [cell(), cell(level="round-07", weights=97), cell("scratch", lasts=(12.0,))]
    assert grid(tables_of(cells, ["psnr"])[0])["Scratch"] == ["12.00", DASH]


def test_methods_with_levels_of_their_own_have_a_table_of_their_own():
    cells = [cell(), cell("modulations", "latents-064", (25.0,), weights=64, biases=0, shared_numbers=12_345)]
    _, own = tables_of(cells, ["psnr"])
    assert own.rows == (("Latent modulations (Functa, COIN++)", "latents-064", "64", "64", "2,048", "12,345", "25.00"),)


def test_weights_for_the_same_psnr_with_the_factor():
    cells = [
        cell(lasts=(32.0,), weights=500), cell(level="round-09", lasts=(26.0,), weights=100),
        cell(level="round-12", lasts=(36.0,), weights=50),
        *(cell("scratch", level=f"round-{k:02d}", lasts=(last,), weights=weights)
          for k, last, weights in ((3, 34.0, 4000), (9, 30.0, 1000))),
        cell("dense-maml", "dense", (41.0,), weights=900),
    ]  # fmt: skip
    (table,) = tables_of(cells, ["same-psnr"])
    assert table.head == ("method", "32.00 dB (110 %)", "26.00 dB (21.9 %)", "36.00 dB (11 %)")
    assert grid(table) == {
        "Meta-SparseINR": ["500", "100", "50"],
        "Scratch": ["2,000 (4 x)", "< 1,000 (10 x)", "> 4,000 (80 x)"],
    }


def test_bits_are_compared_too_where_numbers_are_quantised():
    cells = [cell(lasts=(30.0,), weights=459, biases=41),
             *(cell("coin-8", f"round-{k:02d}", (last,), weights=w, biases=0, bits=8 * w)
               for k, last, w in ((3, 32.0, 4000), (9, 28.0, 1000)))]  # fmt: skip
    weights, bits = tables_of(cells, ["same-psnr"])
    assert grid(weights)["COIN, 8 bit"] == ["2,000 (4.36 x)"]
    assert grid(bits)["COIN, 8 bit"] == ["16,000 (1 x)"]
    assert grid(bits)["Meta-SparseINR"] == ["16,000"]


def test_budgets_go_from_the_cheapest_level_to_the_dearest():
    cells = [cell(level="round-02"), cell(level="round-02", seed=1), cell(level="round-05"), cell("scratch")]
    cells[1]["learning"] |= {"outer_steps": 3900, "seconds": 100.0}
    (table,) = tables_of(cells, ["budgets"])
    assert grid(table) == {
        "Meta-SparseINR": ["2", "3,850 to 5,000", "1 min 28 s to 1 min 40 s", "1 min 15 s to 1 min 38 s", "450 MiB",
                           "3.0 s", "2.7 s", "300 MiB"],
        "Scratch": ["1", "0", "0.0 s", "0.0 s", DASH, "3.0 s", "2.7 s", "300 MiB"],
    }  # fmt: skip


def test_differences_are_told_at_sparse_levels_only():
    cells = [
        *(cell(m, lasts=lasts, weights=49) for m, lasts in (("meta-sparse", (33.0, 33.0)), ("scratch", (30.0, 31.0)))),
        *(cell(m, "round-01", weights=400) for m in ("meta-sparse", "scratch")),
    ]  # fmt: skip
    (table,) = tables_of(cells, ["differences"])
    assert table.head == ("method", "10.7 % (49)")
    # 3 and 2: mean 2.5, standard deviation 0.7071, half width 12.706 * 0.5
    assert grid(table) == {"Scratch": [f"+2.50 ({MINUS}3.85 to +8.85)"]}


def test_the_two_step_protocol_and_ssim_have_tables():
    sgd, ssim = tables_of([cell(lasts=(30.0,))], ["sgd", "ssim"])
    assert (sgd.title, grid(sgd)) == ("faces: PSNR (dB) after 2 SGD steps", {"Meta-SparseINR": ["15.00"]})
    assert (ssim.title, grid(ssim)) == ("faces: SSIM after 100 Adam steps", {"Meta-SparseINR": ["0.600"]})


def test_published_and_measured_stand_beside_each_other_where_the_protocol_is_the_same():
    made = cell(level="round-14", lasts=(27.0,), weights=8704, biases=1027, sizes=(2, 256, 256, 256, 256, 3))
    made["data"]["shape"] = [178, 178]
    made["field"]["omega_0"] = 200.0
    other = made | {"method": "scratch", "label": "Scratch", "family": "baseline"}
    variant = made | {"method": "meta-sparse-mine", "label": "Mine", "family": "ours"}
    (table,) = tables_of([made, other, variant], ["published"])
    assert table.head == ("method", "k = 14 (8,704)")
    assert table.rows == (
        ("Meta-SparseINR, published", "27.71"),
        ("Meta-SparseINR", f"27.00 ({MINUS}0.71)"),
        ("Mine", f"27.00 ({MINUS}0.71)"),
        ("Scratch, published", "about 12.7"),
        ("Scratch", "27.00 (+14.30)"),
    )
    assert "Variants of ours stand beside the published Meta-SparseINR" in table.note
    (alone,) = tables_of([made, other], ["published"])
    assert "Variants" not in alone.note
    made["field"]["omega_0"] = 30.0
    assert tables_of([made], ["published"]) == []


def test_names_break_no_table_and_no_page():
    cells = [cell(label="a|b\n<script>", data="<x>")]
    text = tables_markdown(cells, ["psnr"])
    assert "a\\|b &lt;script>" in text
    assert "<" not in text


@pytest.mark.parametrize("kind", KINDS)
def test_every_table_survives_whatever_is_missing(kind):
    cells = comparison(rounds=(3, 11), seeds=2, num_signals=2)
    for keep in range(0, len(cells), 7):
        tables_of(cells[keep : keep + 1], [kind])
    empty = cell(lasts=(None,))
    empty["protocols"]["adam"]["signals"] = [signal("bad.jpg", None, status="unreadable")]
    empty["protocols"].pop("sgd")
    for made in ([empty], [empty, cell("scratch")], [empty | {"protocols": {}}, cell("modulations", "latents-008")]):
        for table in tables_of(made, [kind]):
            assert all(len(row) == len(table.head) for row in table.rows)


def test_a_whole_comparison_makes_rectangular_markdown():
    text = tables_markdown(comparison(seeds=2, num_signals=2))
    for block in text.split("\n\n"):
        lines = [line for line in block.splitlines() if line.startswith("|")]
        assert len({line.count("|") for line in lines}) <= 1


def test_tables_of_something_else_are_refused():
    with pytest.raises(BadInput, match="comparison cells"):
        tables_markdown([{"kind": "evaluation"}])


def test_a_mean_with_less_evidence_than_others_says_so_in_the_terminal():
    cells = [cell(lasts=(30.0, 32.0)), cell(lasts=(34.0, 36.0), seed=1), cell("scratch", lasts=(11.0, None))]
    columns = [list(column.cells) for column in _table(cells).columns]
    assert columns[1:] == [["Meta-SparseINR", "Scratch"], ["33.00", "11.00 (1 of 2 seeds, 1 of 2 signals)"]]
