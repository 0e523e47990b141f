"""The kinds of inputs that are attacked, one module each."""

from __future__ import annotations

from tests.hostile.kinds import (
    arrays,
    decisions,
    exports,
    image_sets,
    journals,
    manifests,
    outputs,
    pictures,
    predictions,
    schemas,
    sheets,
    sound,
    splits,
    trees,
    workbooks,
)

_MODULES = (
    sound,
    workbooks,
    sheets,
    schemas,
    trees,
    pictures,
    manifests,
    decisions,
    arrays,
    splits,
    exports,
    journals,
    predictions,
    image_sets,
    outputs,
)
KINDS = {module.KIND.name: module.KIND for module in _MODULES}
"""By name; ``sound`` inputs come first, so that what is wrong with them all is seen there."""

_FOUND = {
    "workbooks": """
        rows-out-of-order one-row-moved-to-the-end last-row-first rows-without-addresses rows-of-the-same-address
        row-99999999 ten-thousand-merged-areas three-million-shared-strings zip-bomb a-pipe endless-zeros
        twenty-thousand-parentheses twenty-thousand-open-parentheses five-thousand-digits an-offset-of-a-year
        numbers-that-are-none escapes-in-every-cell names-that-lead-out
    """,
    "sheets": "a-cell-of-five-thousand-digits thousands-of-columns a-quotation-that-never-ends zeros-in-cells formulas",
    "schemas": """
        aliases-that-multiply nested-lists pattern-of-names-slow folder-that-leads-out template-that-leads-out
        images-list-that-leads-out images-slow-pattern
    """,
    "trees": """
        stray-date-check stray-date-convert-casme-sq stray-date-extract a-link-to-itself-check
        a-link-to-everything-check names-of-every-kind-check names-that-are-not-text-check pipes-check-json
    """,
    "pictures": "pipe-0 pipe-5 device-0 png-bomb png-that-claims-billions eps jpeg-cut-off png-of-sixteen-bits nothing",
    "manifests": """
        path-out-of-the-root-export-clips path-out-of-the-root-check path-with-escapes-check rate-nan-stats
        rate-infinite-stats rate-nought-stats rate-nought-export-segments offset-of-a-year-export-clips
        frames-by-the-billion-export-clips names-that-lead-out-export-clips names-with-escapes-stats json-nested
        no-annotations-stats json-format-a-text tables-are-pipes
    """,
    "decisions": """
        leads-out-0 dataset-that-leads-out-4 with-escapes-3 breaks-the-schema-1 the-table-is-a-pipe the-table-is-a-link
    """,
    "features": """
        name-that-leads-out-export-segments name-that-leads-out-export-auwgcn names-that-are-absolute
        features-that-lead-out-export-segments landmarks-that-lead-out-export-segments
        subject-that-leads-out-export-segments npz-claims-terabytes array-claims-terabytes objects-that-act-when-read
        name-with-escapes-stats numbers-that-are-none numbers-without-end rate-nan-export-segments
        npz-that-inflates an-array-is-a-link-out
    """,
    "splits": "folds-with-escapes-check-split no-rows-check-split nested-json",
    "exports": "as-it-is everything-with-escapes files-that-lead-out an-item-that-claims-terabytes",
    "journals": """
        moves-out-of-the-root-undo moves-into-the-root-apply moves-into-the-root-undo absolute-undo
        absolute-into-the-root-apply journal-links-to-a-file-apply journal-links-to-a-file-undo
        new-links-to-a-file-undo removes-a-folder-elsewhere-undo schema-moves-out-apply schema-moves-out-dry
        moves-with-escapes-undo not-finished-dry
    """,
    "predictions": """
        spotted-header-only spotted-digits npz-claims-terabytes objects-that-act-when-read said-nested said-escapes
        scores-nan a-pipe
    """,
    "image-sets": """
        paths-that-lead-out-images-unify paths-that-lead-out-images-export labels-that-lead-out-images-export
        labels-with-escapes-images-quality root-that-leads-out files-inside-that-lead-out
        decision-of-a-label-that-leads-out no-images-images-export
    """,
    "outputs": "a-folder-of-the-users-with-our-marks a-link-to-a-file a-link-to-itself a-pipe",
}
ALWAYS = [(kind, name) for kind, names in _FOUND.items() for name in names.split()]
"""Attacks that are made in every run, however short: what once succeeded, or would hurt most."""
