# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pickle

import numpy as np

from perception.frame import Frame
from perception.sample import Sample


def test_a_sample_goes_to_another_process_as_it_is() -> None:
    rgb = np.arange(18, dtype=np.uint8).reshape(2, 3, 3)
    sample = Sample("train/1", Frame(5, rgb=rgb), np.full((2, 3), 255, np.uint8))
    found = pickle.loads(pickle.dumps(sample))
    assert (found.name, found.frame.stamp_ns) == ("train/1", 5)
    np.testing.assert_array_equal(found.frame.rgb, rgb)
    np.testing.assert_array_equal(found.labels, sample.labels)
    assert found.probabilities is found.point_labels is None
