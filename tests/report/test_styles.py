"""Everything that a figure may draw stands out from light and dark pages."""

import pytest
from contrast import contrast, faint, surfaces

from sparsine.report.run import training as training_chart
from sparsine.report.styles import (
    BAND,
    DENSE,
    OTHER_CODECS,
    OTHER_PUBLISHED,
    PUBLISHED,
    SCRATCH,
    STYLES,
    ramp,
    styles_of,
)

UNKNOWN = styles_of(f"method-{i}" for i in range(40))


@pytest.mark.parametrize(
    ("one", "other", "ratio"),
    [
        ("#000000", "#ffffff", 21.0),
        ("#767676", "#ffffff", 4.54),
        ("#495057", "#1d2126", 1.98),
        ("#f59f00", "#ffffff", 2.13),
    ],
)
def test_contrast_is_that_of_wcag(one, other, ratio):
    assert contrast(one, other) == contrast(other, one) == pytest.approx(ratio, abs=0.005)


def test_light_and_dark_pages_are_looked_at():
    tones = [contrast(surface, "#000000") for surface in surfaces()]
    assert max(tones) == 21.0
    assert min(tones) < 1.3


@pytest.mark.parametrize(
    "colours",
    [
        pytest.param([ramp(i / 200) for i in range(201)], id="starts from dense to sparse"),
        pytest.param([BAND, SCRATCH], id="ours and scratch"),
        pytest.param([style.colour for style in STYLES.values()], id="methods"),
        pytest.param([style.colour for style in UNKNOWN.values()], id="methods that are not known"),
        pytest.param([style.colour for style in (*OTHER_CODECS.values(), *DENSE)], id="other codecs"),
        pytest.param([style.colour for style in (*PUBLISHED.values(), OTHER_PUBLISHED)], id="published codecs"),
        pytest.param([training_chart._OUTER, training_chart._OUTER_RAW, *training_chart._VALIDATION], id="learning"),
    ],
)
def test_lines_and_marks_stand_out_from_every_page(colours):
    assert faint(colours) == {}
