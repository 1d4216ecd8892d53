# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import torch

from perception.models.preprocessor import FusionPreprocessor, TensorPreprocessor


def batch() -> dict[str, torch.Tensor]:
    return {
        "rgb": torch.randint(0, 256, (2, 3, 8, 12), dtype=torch.uint8),
        "aux": torch.randint(0, 256, (2, 10, 4, 6), dtype=torch.uint8),
        "present": torch.tensor([[1.0, 0, 0, 1], [1, 1, 1, 1]]),
    }


def test_a_batch_becomes_what_segmentors_take() -> None:
    data = batch()
    made = FusionPreprocessor()(data)
    assert torch.equal(made["inputs"].rgb, data["rgb"].float())
    assert torch.equal(made["inputs"].aux, data["aux"].float())
    assert torch.equal(made["inputs"].present, data["present"])
    assert [sample.metainfo["ori_shape"] for sample in made["data_samples"]] == [(8, 12)] * 2
    assert "gt_sem_seg" not in made["data_samples"][0]


def test_labels_go_to_their_samples() -> None:
    labels = torch.stack([torch.full((8, 12), 2), torch.full((8, 12), 255)]).to(torch.uint8)
    first, second = FusionPreprocessor()({**batch(), "labels": labels}, training=True)["data_samples"]
    assert (first.gt_sem_seg.data.dtype, tuple(first.gt_sem_seg.data.shape)) == (torch.int64, (1, 8, 12))
    assert (first.gt_sem_seg.data.unique().item(), second.gt_sem_seg.data.unique().item()) == (2, 255)


def test_who_learns_from_all_tensors_gets_them_as_they_are() -> None:
    data = batch()
    made = TensorPreprocessor()(data, training=True)
    assert made["data_samples"] is None
    assert made["inputs"].keys() == data.keys()
    assert all(torch.equal(made["inputs"][name], tensor) for name, tensor in data.items())


def test_borders_are_marked_where_they_are_asked_for() -> None:
    labels = torch.zeros(2, 8, 12, dtype=torch.uint8)
    labels[:, :, 6:] = 3
    labels[1] = 255
    first, second = FusionPreprocessor(edge_radius=2)({**batch(), "labels": labels}, training=True)["data_samples"]
    assert first.gt_edge_map.data[0, 0].tolist() == [0, 0, 0, 0, 1, 1, 1, 1, 0, 0, 0, 0]
    assert not second.gt_edge_map.data.any()
    plain = FusionPreprocessor()({**batch(), "labels": labels}, training=True)["data_samples"][0]
    assert "gt_edge_map" not in plain
