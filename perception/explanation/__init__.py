# SPDX-License-Identifier: Apache-2.0
"""Why the network said what it said of a frame.

    pipeline, network = Pipeline.load(), ExplainedNetwork.load()
    picture = draw(explain(frame, pipeline, network))

`explain.explain` gives arrays and figures, `figure.draw` makes one picture of them. `network`, `attention` and
`saliency` need PyTorch (extra `train`); nothing else here imports it.
"""
