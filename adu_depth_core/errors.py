"""Errors reported to the user, and missing optional packages."""

from __future__ import annotations

import importlib
from types import ModuleType


class UserError(Exception):
    """An error the user can fix; the text names file, value and fix. Shown without traceback."""


class UsageError(UserError):
    """An invalid option or combination of options, whatever the files contain."""


def require(module: str, extra: str, purpose: str) -> ModuleType:
    """Import an optional package.

    :param module: module to import, e.g. ``openvino``
    :param extra: the extra of this package that installs it, e.g. ``openvino``
    :param purpose: purpose, to complete "is needed ..."
    :raises UserError: if it is not installed, with the command that installs it
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise UserError(
            f"the Python package {module!r} is needed {purpose} and could not be imported ({error}); "
            f"install it with: pip install 'adu_depth[{extra}]'"
        ) from error
