"""Models installed with this package, by name: the one place where a name becomes a file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from adu_depth_core.errors import UsageError
from adu_depth_core.files import share_directory
from adu_depth_core.model_card import ModelCard, ModelCardError, card_path, read_card

DEFAULT = "small"
"""Name of the model that is used if none is chosen."""

PREFIX = "adu_"
"""Start of the file names: ``base`` is ``adu_base.onnx``, with its card and weights beside it."""

FILE_NAMES = {DEFAULT: f"{PREFIX}student"}
"""File names that do not follow from the name: that of the first student came before the names."""


@dataclass(frozen=True)
class InstalledModel:
    """A model that can be chosen by name.

    :param name: the name
    :param path: its ONNX file
    """

    name: str
    path: Path

    def card(self) -> ModelCard:
        """Its model card.

        :raises ModelCardError: if the card is malformed or of another file
        """
        return read_card(self.path)


def installed_models() -> list[InstalledModel]:
    """Students in ``models/`` that have a card, the default first.

    :raises FileNotFoundError: if the package's installed files are not found
    """
    names = {file: name for name, file in FILE_NAMES.items()}
    models = [
        InstalledModel(names.get(path.stem, path.stem.removeprefix(PREFIX)), path)
        for path in sorted(_folder().glob(f"{PREFIX}*.onnx"))
        if card_path(path).is_file()
    ]
    return sorted(models, key=lambda model: model.name != DEFAULT)


def model_names() -> list[str]:
    """Names of the installed models; none if the package's installed files are not found."""
    try:
        return [model.name for model in installed_models()]
    except FileNotFoundError:
        return []


def default_model() -> Path:
    """The student that is used if none is chosen.

    :raises FileNotFoundError: if the package's installed files are not found
    """
    return _folder() / f"{FILE_NAMES[DEFAULT]}.onnx"


def find_model(model: str | Path | None = None) -> Path:
    """The file of a model.

    :param model: name of an installed model, or a path; None for the default
    :return: a name's ONNX file; a path as it is, whether there is a file or not
    :raises UsageError: if it is a name (neither folder nor suffix) and no installed model has it, with the
        names and licences of those that are installed
    :raises FileNotFoundError: if the package's installed files are not found
    """
    if model is None:
        return default_model()
    if not is_name(model):
        return Path(model)
    models = installed_models()
    for installed in models:
        if installed.name == str(model):
            return installed.path
    raise UsageError(
        f"there is no installed model {str(model)!r}; give a model file's path, or choose one of: "
        + "; ".join(f"{installed.name} ({_licence(installed)})" for installed in models)
    )


def display_name(model: Path) -> str:
    """The name of an installed model; the file name without its suffix of any other."""
    try:
        names = {installed.path: installed.name for installed in installed_models()}
    except FileNotFoundError:
        names = {}
    return names.get(model, model.stem)


def is_name(model: str | Path) -> bool:
    """True if it can only be an installed model's name: model files have a suffix."""
    return str(model) == Path(model).stem


def _licence(model: InstalledModel) -> str:
    try:
        return model.card().licence
    except (FileNotFoundError, ModelCardError) as error:
        return str(error)


def _folder() -> Path:
    return share_directory() / "models"
