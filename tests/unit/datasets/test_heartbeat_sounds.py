"""The heart sounds: how members of the archives of the challenge are named as on Kaggle."""

import pytest

from lib.datasets.heartbeat_sounds import layout
from lib.errors import HeldoutError


@pytest.mark.parametrize(
    ("part", "label", "member", "path"),
    [
        ("set_a", "normal", "Atraining_normal/201101070538.wav", "set_a/normal__201101070538.wav"),
        (
            "set_a",
            "extrahls",
            "Atraining_extrahls/extrahls__201101070953.WAV",
            "set_a/extrahls__201101070953.wav",
        ),
        ("set_a", "artifact", "201012172012.wav", "set_a/artifact__201012172012.wav"),
        (
            "set_b",
            "normal",
            "Training B Normal/103_1305031931979_B.wav",
            "set_b/normal__103_1305031931979_B.wav",
        ),
        (
            "set_b",
            "normal",
            "Training B Normal/Btraining_noisynormal/101_1305030823364_B.wav",
            "set_b/normal_noisynormal_101_1305030823364_B.wav",
        ),
        (
            "set_b",
            "murmur",
            "Btraining_murmur/Btraining_noisymurmur_162_1307101835989_B_1.wav",
            "set_b/murmur_noisymurmur_162_1307101835989_B_1.wav",
        ),
        (
            "set_b",
            "extrastole",
            "Btraining_extrastole/extrastole__127_1306764300147_C2.wav",
            "set_b/extrastole__127_1306764300147_C2.wav",
        ),
        ("set_b", "normal", "readme.txt", None),
    ],
)
def test_heart_sounds_are_named_as_on_kaggle(part, label, member, path):
    assert layout(f"{part}/{label}_*.wav", member) == path


@pytest.mark.parametrize(("part", "member"), [("set_a", "heart.wav"), ("set_b", "12.wav")])
def test_a_heart_sound_with_another_name_is_refused(part, member):
    with pytest.raises(HeldoutError, match=f"expected recordings named .* '{member}'"):
        layout(f"{part}/normal_*.wav", member)
