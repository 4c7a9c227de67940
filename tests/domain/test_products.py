"""What an operator may write about products."""

import pytest
from pydantic import ValidationError

from render_farm.domain.fields import FieldSpec
from render_farm.domain.products import Product


def product(**keys):
    return Product(
        **{
            "key": "t2m",
            "title": "2 m temperature",
            "recipe": "identity",
            "fields": {"value": "TMP:2 m above ground"},
            "scales": {"fill": "temperature"},
            **keys,
        }
    )


def test_a_product_reads_its_fields_and_needs_a_fill():
    assert product().fields == {"value": FieldSpec("TMP", "2 m above ground")}
    for wrong in (
        {"scales": {"rain": "rate"}},
        {"fields": {"value": "TMP"}},
        {"key": "T2m"},
        {"colour": "red"},
    ):
        with pytest.raises(ValidationError):
            product(**wrong)


def test_a_variant_replaces_whole_entries_and_leaves_other_models_alone():
    variant = {"recipe": "total", "fields": {"value": "TMP:850 mb"}, "optional": ["value"]}
    both = product(note="plain", models={"aigfs": {**variant, "note": "other"}})

    assert both.for_model("gfs") is both
    other = both.for_model("aigfs")
    assert (other.recipe, other.note, other.optional) == ("total", "other", ("value",))
    assert other.fields == {"value": FieldSpec("TMP", "850 mb")}
    assert other.models == {}
    assert other.for_model("aigfs") is other
    silent = product(note="plain", models={"aigfs": {}}).for_model("aigfs")
    assert (silent.recipe, silent.note) == ("identity", "plain")
