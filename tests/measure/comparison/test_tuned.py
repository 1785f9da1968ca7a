"""The third protocol: every method at its own best settings."""

import json
from dataclasses import replace
from math import inf

import numpy as np
import pytest
import tiny
import torch

from sparsine.errors import BadInput
from sparsine.fields import MLP, Siren
from sparsine.fields.activations import Gauss
from sparsine.fitting.collection import fit_collection
from sparsine.fitting.plan_search import PlanConfig, find_plans
from sparsine.measure.comparison import tuning
from sparsine.measure.comparison.comparison import Comparison
from sparsine.measure.comparison.fitted_models import FromStart
from sparsine.measure.comparison.methods import METHODS, Context, Method
from sparsine.measure.comparison.methods.scratch import from_scratch
from sparsine.measure.comparison.records import read_cell
from sparsine.measure.comparison.tuning import at_omegas, best_of, fit_by, in_the_middle
from sparsine.report.comparison.figures import count_figure, write_figures
from sparsine.report.comparison.notes import notes_of
from sparsine.report.comparison.page import write_comparison_page
from sparsine.report.comparison.results import results_of
from sparsine.report.comparison.tables import tables_markdown
from sparsine.report.styles import styles_of
from sparsine.report.wording import gain
from sparsine.signals.kinds import Distance, Rgb
from sparsine.starts.plan import FitPlan
from sparsine.storage import write_json

TUNED = ("meta-sparse", "scratch", "pattern", "maml-imp", "modulations", "coin-8", "cosines")
CHOOSE_OMEGA = {"scratch", "pattern", "coin-8"}


class Untunable(Method):
    name, label, family = "untunable", "its own way", "other"

    def needs(self, plan, level):
        return []

    def fitted_model(self, context):
        return from_scratch(context)

    def to_tune(self, context):
        return []


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    METHODS["untunable"] = Untunable()
    root = tmp_path_factory.mktemp("tuned")
    photos = tiny.save_photos(root / "photos")
    yield tiny.learned(
        tiny.comparison(root / "out", {"photos": f"images:{photos}"}, methods=(*TUNED, "untunable"), levels=(2,),
                        tuned_signals=2, tuned_effort="instant")
    )  # fmt: skip
    del METHODS["untunable"]


@pytest.fixture(scope="module")
def records(made):
    found = {}
    for cell in made.cells():
        record = cell.measure(made.root, lambda done: None)
        write_json(made.root / cell.key, record)
        assert read_cell(made.root / cell.key, cell) == json.loads(json.dumps(record))
        found[cell.method.name] = record
    return found


def cell_of(made, method):
    (cell,) = [cell for cell in made.cells() if cell.method.name == method]
    return cell


def context_of(made, method):
    cell = cell_of(made, method)
    return Context(cell.plan, cell.level, cell._learned, made.root, cell._learned_to_tune)


def test_a_record_holds_the_chosen_plan_and_every_trial(records):
    for name in TUNED:
        tuned = records[name]["protocols"]["tuned"]
        assert (tuned["effort"], tuned["validation_signals"], tuned["optimizer"]) == ("instant", 2, "adam")
        assert tuned["lr"] == tuned["plan"]["lr"]
        assert tuned["steps"][-1] == tuned["plan"]["steps"]
        assert tuned["plan"]["decay"] == "cosine"
        assert len(tuned["signals"]) == 3
        if name == "cosines":
            assert tuned["trials"] == []
            continue
        best = max(tuned["trials"], key=lambda trial: trial["psnr_db"])
        assert len({trial["lr"] for trial in tuned["trials"]}) >= 2
        assert len({trial["omega_0"] for trial in tuned["trials"]}) == (4 if name in CHOOSE_OMEGA else 1)
        (chosen,) = [t for t in tuned["trials"] if (t["omega_0"], t["lr"]) == (tuned["omega_0"], tuned["lr"])]
        assert chosen["psnr_db"] >= best["psnr_db"] - 0.06  # a smaller step size is preferred where it is as good


def test_tuned_fits_are_better_than_the_papers(records):
    """Ten full steps of many small ones reach more than seven at 1e-4."""
    for name in ("scratch", "pattern", "modulations", "coin-8"):
        protocols = records[name]["protocols"]
        tuned, paper = ([s["metrics"]["psnr_db"][-1] for s in protocols[by]["signals"]] for by in ("tuned", "adam"))
        assert np.mean(tuned) > np.mean(paper) + 0.2, name


def test_the_papers_protocols_are_what_they_are_without_the_tuned_one(made, records, tmp_path):
    config = replace(made.config, tuned_signals=0, methods=("scratch",))
    (cell,) = Comparison(config, made.data, tmp_path).cells()
    without = cell.measure(tmp_path, lambda done: None)
    assert set(without["protocols"]) == {"adam", "sgd"}
    assert "tuned" not in cell.made_from["protocols"]
    for name in ("adam", "sgd"):
        assert without["protocols"][name]["signals"] == records["scratch"]["protocols"][name]["signals"]
    assert without["learning"] == records["scratch"]["learning"]


def test_what_was_learned_to_tune_is_not_counted_as_learning(records):
    record = records["pattern"]
    assert [stage["name"] for stage in record["learning"]["stages"]] == ["pattern"]
    names = [stage["name"] for stage in record["protocols"]["tuned"]["learning"]["stages"]]
    assert names == [f"pattern-tuned-{number}" for number in range(4)]


def test_the_search_is_that_of_plans_of_starts(made):
    """The same plan as `find_plans` says of the same start, and the PSNR that `fit_collection` reaches by it."""
    cell, context = cell_of(made, "meta-sparse"), context_of(made, "meta-sparse")
    plans = find_plans(context.starts[0], cell.plan.dataset.split("val"), PlanConfig(plan_signals=2))
    config = replace(made.config, tuned_effort="balanced", methods=("meta-sparse",))
    (balanced,) = Comparison(config, made.data, made.root).cells()
    tuned = balanced.measure(made.root, lambda done: None)["protocols"]["tuned"]
    assert FitPlan(**tuned["plan"]) == plans["balanced"]
    fits = fit_collection(context.starts[0], cell.plan.dataset.test, fit_by(plans["balanced"]),
                          indices=range(3))  # fmt: skip
    for signal, fit in zip(tuned["signals"], fits, strict=True):
        assert signal["metrics"]["psnr_db"][-1] == pytest.approx(fit.psnr_db[-1], abs=2e-3)


def test_validation_signals_choose_and_test_signals_report(made, monkeypatch):
    asked = []
    real = tuning.tune

    def spy(candidates, effort, num_samples, reached):
        def listen(model, fit):
            asked.append((model, fit))
            return reached(model, fit)

        return real(candidates, effort, num_samples, listen)

    monkeypatch.setattr("sparsine.measure.comparison.cell.tune", spy)
    cell = cell_of(made, "scratch")
    dataset = cell.plan.dataset
    read = []

    def load(signals, index, kind):
        read.append(signals.name(index))
        return signals.load(index)

    monkeypatch.setattr("sparsine.measure.score.load_values", load)
    cell.measure(made.root, lambda done: None)
    validation = [dataset.split("val").name(i) for i in range(2)]
    test = [dataset.test.name(i) for i in range(3)]
    assert sorted(set(read)) == sorted({*validation, *test})
    assert [read.count(name) for name in validation] == [1, 1]
    assert asked


def test_random_fields_choose_among_four_omegas_with_the_output_in_the_middle(made):
    for name in ("scratch", "pattern"):
        fields = [one.field for one in METHODS[name].to_tune(context_of(made, name))]
        assert [field.omega_0 if hasattr(field, "omega_0") else field.activation.omega_0 for field in fields] == [
            pytest.approx(9.0 * part) for part in (0.4, 0.6, 0.8, 1.0)
        ]
        assert {field.output_offset for field in fields} == {0.5}
    patterns = [one.start.pattern for one in METHODS["pattern"].to_tune(context_of(made, "pattern"))]
    assert {pattern.num_weights for pattern in patterns} == {33}
    assert len({tuple(pattern.keep.tolist()) for pattern in patterns}) > 1  # each was looked for in its own field


def test_the_middle_and_the_omegas_are_those_that_a_field_has():
    siren = Siren(sizes=(2, 5, 1), omega_0=30.0, output_offset=0.2)
    assert in_the_middle(siren, Rgb()).output_offset == 0.5
    low, high = Distance().value_range
    assert in_the_middle(siren, Distance()).output_offset == ((low + high) / 2 if abs(high) < inf else 0.2)
    assert at_omegas(siren, (0.5, 1.0)) == [Siren(sizes=(2, 5, 1), omega_0=w, output_offset=0.2) for w in (15.0, 30.0)]
    gauss = MLP(sizes=(2, 5, 1), activation=Gauss(sigma=0.1))
    assert at_omegas(gauss) == [gauss]


def test_the_best_candidate_is_the_first_of_those_that_reached_most():
    assert best_of("abc", lambda name: (name.upper(), {"a": 1.0, "b": 2.0, "c": 2.0}[name])) == ("b", "B")


def test_who_cannot_be_tuned_stands_in_the_other_protocols(records):
    assert set(records["untunable"]["protocols"]) == {"adam", "sgd"}


def test_a_comparison_begun_without_the_tuned_protocol_does_not_get_it_later(tmp_path):
    comparison = tiny.comparison(tmp_path, methods=("scratch",))
    comparison.write()
    saved = json.loads((tmp_path / "comparison.json").read_text())
    for name in ("tuned_signals", "tuned_effort"):  # as it was before there was one
        del saved["config"][name]
    (tmp_path / "comparison.json").write_text(json.dumps(saved))
    Comparison.read(tmp_path).write()
    with pytest.raises(BadInput, match="tuned_signals was 0, now 4"):
        tiny.comparison(tmp_path, methods=("scratch",), tuned_signals=4).write()


def test_steps_on_lattices_are_spaced_along_the_axes(made):
    """Not along the list of samples: the fit by a plan is that of `fit_collection`."""
    cell = cell_of(made, "scratch")
    model = from_scratch(context_of(made, "scratch"))
    assert isinstance(model, FromStart)
    plan = FitPlan(steps=9, lr=1e-3, share=0.11)
    (expected,) = fit_collection(model.start, cell.plan.dataset.test, fit_by(plan), indices=[0])
    drawn = {}
    model.shape = cell.plan.dataset.shape
    values = torch.from_numpy(cell.plan.dataset.test.load(0)).reshape(1, -1, 3)
    model.fit(cell.plan.domain.coords(), values, fit_by(plan), drawn.__setitem__)
    assert -10 * np.log10(float((drawn[9] - values).square().mean())) == pytest.approx(expected.psnr_db[-1], abs=1e-3)


# Tables, figures, page


def test_tables_of_the_third_protocol_say_what_records_hold(records):
    cells = list(records.values())
    tuned = tables_markdown(cells, ["tuned"])
    assert "PSNR (dB) after 10 steps, each method at its own best settings" in tuned
    settings = {line.split(" | ")[0].strip("| "): line for line in tables_markdown(cells, ["settings"]).splitlines()}
    record = records["scratch"]["protocols"]["tuned"]
    assert f"| {record['omega_0']:.4g} | {record['lr']:.4g} |" in settings["Scratch"]
    assert settings["Scratch"].endswith(f"| {len(record['trials'])} |")
    assert "Cosines, a fixed set" in tuned
    assert "Cosines, a fixed set" not in settings  # nothing was chosen
    assert "its own way" not in tuned


def test_what_meta_learning_is_worth_is_the_learned_start_minus_the_pattern(records):
    table = tables_markdown(list(records.values()), ["worth"])
    rows = {line.split(" | ")[0].strip("| "): line for line in table.splitlines()}
    for protocol, words in (
        ("adam", "paper, Adam, 7 steps"),
        ("sgd", "paper, SGD, 2 steps"),
        ("tuned", "tuned, 10 steps"),
    ):
        ours, alone = (
            [signal["metrics"]["psnr_db"][-1] for signal in records[name]["protocols"][protocol]["signals"]]
            for name in ("meta-sparse", "pattern")
        )
        assert rows[words].endswith(f"| {gain(np.mean(np.subtract(ours, alone)))} |")
    assert "paper, SGD, 1 step" in rows
    assert tables_markdown([records["meta-sparse"]], ["worth"]) == ""
    untuned = [{**record, "protocols": {"adam": record["protocols"]["adam"]}} for record in records.values()]
    rows = [line for line in tables_markdown(untuned, ["worth"]).splitlines() if line.startswith("|")]
    assert len(rows) == 5
    assert "tuned," not in "".join(rows)


def test_figures_and_the_page_have_it_and_old_records_do_not(records, tmp_path):
    cells = list(records.values())
    names = {path.name for path in write_figures(tmp_path, cells, tmp_path / "figures")}
    assert {"tuned-psnr-against-weights.png", "tuned-psnr-against-steps.png"} <= names
    page = write_comparison_page(tmp_path, cells).read_text()
    for heading in ("Each at its own best settings", "The same, step after step", "What is meta-learning worth"):
        assert f"<h2>{heading}</h2>" in page
    old = [{**record, "protocols": {by: record["protocols"][by] for by in ("adam", "sgd")}} for record in cells
           if record["method"] == "scratch"]  # fmt: skip
    assert not [path for path in write_figures(tmp_path, old, tmp_path / "old") if path.name.startswith("tuned")]
    page = write_comparison_page(tmp_path, old).read_text()
    assert "best settings" not in page
    assert "step after step" not in page


def test_one_note_says_how_it_was_tuned_and_who_was_not(records):
    (results,) = results_of(list(records.values()))
    notes = [note for note in notes_of([results]) if note.startswith(("In the tuned", "Not tuned"))]
    assert len(notes) == 2
    assert "effort instant, found on 2 validation signals" in notes[0]
    assert notes[1] == "Not tuned, and so in the other protocols only: its own way."


def test_lines_of_the_tuned_figure_are_its_own_protocols(records):
    (results,) = results_of(list(records.values()))
    styles = styles_of(results.methods)
    for fitted in ("adam", "tuned"):
        figure = count_figure(results, "weights", results.main_families, styles, fitted, with_published=False)
        found = {line.name: line.y for line in figure.lines}
        signals = records["scratch"]["protocols"][fitted]["signals"]
        assert found[records["scratch"]["label"]] == [
            pytest.approx(np.mean([signal["metrics"]["psnr_db"][-1] for signal in signals]))
        ]
        assert (records["untunable"]["label"] in found) == (fitted == "adam")
