from pathlib import Path

import pytest
import timm
import torch
from safetensors.torch import save_file

from adu_depth_core.networks.encoder import Encoder


@pytest.mark.parametrize(
    "name", ["convnext_atto", "resnet18", "tf_efficientnet_lite0", "swin_tiny_patch4_window7_224"]
)
def test_file_of_a_whole_timm_model_fills_every_tensor_of_the_encoder(tmp_path: Path, name: str) -> None:
    model = timm.create_model(name, pretrained=False)
    path = tmp_path / "model.pth"
    torch.save(model.state_dict(), path)
    stored = {key.replace(".", "_"): value for key, value in model.state_dict().items()}

    encoder = Encoder(name, str(path))

    for key, value in encoder.backbone.state_dict().items():
        assert torch.equal(value, stored[key.replace(".", "_")]), key


def test_safetensors_file_is_read_too(tmp_path: Path) -> None:
    model = timm.create_model("resnet18", pretrained=False)
    save_file(model.state_dict(), tmp_path / "model.safetensors")

    encoder = Encoder("resnet18", str(tmp_path / "model.safetensors"))

    assert torch.equal(encoder.backbone.state_dict()["conv1.weight"], model.state_dict()["conv1.weight"])


def test_file_of_another_model_is_refused_and_says_how_little_fits(tmp_path: Path) -> None:
    path = tmp_path / "other.pth"
    torch.save(timm.create_model("resnet18", pretrained=False).state_dict(), path)

    with pytest.raises(ValueError, match=r"other\.pth does not hold the weights .* tensors are missing"):
        Encoder("convnext_atto", str(path))


def test_file_that_lacks_a_single_tensor_is_refused(tmp_path: Path) -> None:
    state = timm.create_model("resnet18", pretrained=False).state_dict()
    del state["layer2.0.conv1.weight"]
    torch.save(state, tmp_path / "cut.pth")

    with pytest.raises(ValueError, match=r"1 of \d+ tensors are missing \(first: layer2\.0\.conv1\.weight\)"):
        Encoder("resnet18", str(tmp_path / "cut.pth"))


@pytest.mark.parametrize("content", [b"", b"not weights", b"PK\x03\x04 cut"])
def test_damaged_file_is_refused_by_name(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "damaged.pth"
    path.write_bytes(content)

    with pytest.raises(ValueError, match=r"damaged\.pth is not a file of weights"):
        Encoder("resnet18", str(path))


def test_package_weights_are_matched_by_name_not_by_position(monkeypatch: pytest.MonkeyPatch) -> None:
    load = torch.load

    def shuffled(*args: object, **kwargs: object) -> dict[str, torch.Tensor]:
        return dict(sorted(load(*args, **kwargs).items(), reverse=True))

    expected = Encoder("tf_efficientnet_lite0", "package").backbone.state_dict()
    monkeypatch.setattr(torch, "load", shuffled)

    found = Encoder("tf_efficientnet_lite0", "package").backbone.state_dict()

    assert all(torch.equal(found[name], value) for name, value in expected.items())


def test_encoder_without_a_package_is_told_the_choice() -> None:
    with pytest.raises(ValueError, match="no Python package"):
        Encoder("resnet18", "package")
