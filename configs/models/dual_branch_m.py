# A larger network of the same form: teaches the real-time one (`perception train … --teacher`), too slow to drive with.
_base_ = "dual_branch_s.py"

channels = (48, 96, 192, 384)
aux_channels = (32, 64, 96, 160)

model = dict(
    backbone=dict(
        rgb=dict(
            stem=(24, 48),
            channels=channels,
            hidden=((48, 48), (96, 96, 96), (192, 192, 192), (384, 384)),
            wide=(0, 0, 2, 2),
        ),
        aux_stem=dict(channels=24),
        aux=dict(
            in_channels=24, channels=aux_channels, hidden=((32,), (64, 64), (96, 96), (160, 160)), wide=(0, 0, 1, 1)
        ),
        rgb_channels=channels,
        aux_channels=aux_channels,
    ),
    decode_head=dict(in_channels=channels, width=96, channels=48),
)

training = dict(learning_rate=1e-3, iterations=24000)
