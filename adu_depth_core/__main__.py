"""The process of ``adu_depth``, also as ``python -m adu_depth_core``."""

from __future__ import annotations

import sys

from adu_depth_core import interrupts


def main() -> int:
    """Run the command line; returns its exit status."""
    try:
        interrupts.install()
        # Imported late: Ctrl-C during these imports ends without a traceback.
        from adu_depth_core.cli import main as run
        from adu_depth_core.stderr_log import name_warnings

        name_warnings()
        return run()
    except KeyboardInterrupt:  # before or after the command line handles it
        print(interrupts.MESSAGE, file=sys.stderr)
        return interrupts.STATUS
    finally:
        interrupts.ignore()


if __name__ == "__main__":
    sys.exit(main())
