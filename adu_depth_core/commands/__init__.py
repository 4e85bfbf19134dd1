"""Sub-commands of the `adu_depth` command, one file each."""
