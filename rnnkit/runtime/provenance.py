"""Who ran what where: versions, user, host, CPU and the git commit of the working folder."""

import getpass
import platform
import re
import socket
import subprocess
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path

GIT_SECONDS = 5  # seconds git may take in a large repository
GIT_COMMIT, GIT_BRANCH, GIT_CHANGED = "git_commit", "git_branch", "git_changed"


def provenance() -> dict[str, str]:
    """rnnkit, python, user, host, cpu; in a git repository also git_commit, git_branch and
    git_changed (yes: tracked files differ from the commit)."""
    facts = {
        "rnnkit": version("rnnkit"),
        "python": platform.python_version(),
        "host": socket.gethostname(),
        "cpu": cpu_model(),
    }
    with suppress(KeyError, OSError):  # a user without a name, as in a container
        facts["user"] = getpass.getuser()
    return facts | git_facts(Path.cwd())


def cpu_model() -> str:
    """The CPU's name; its architecture where the system does not tell."""
    with suppress(OSError):
        listed = Path("/proc/cpuinfo").read_text(errors="replace")
        if model := re.search(r"^model name\s*:\s*(.+)$", listed, re.MULTILINE):
            return model[1].strip()
    return platform.processor() or platform.machine()


def git_facts(folder: Path) -> dict[str, str]:
    """Commit and branch of a folder in a git repository; empty where it is in none, or git is
    missing."""
    commit = _git(folder, "rev-parse", "HEAD")
    if not commit:
        return {}
    changes = _git(folder, "status", "--porcelain", "--untracked-files=no")
    branch = _git(folder, "rev-parse", "--abbrev-ref", "HEAD")
    facts = {GIT_COMMIT: commit, GIT_CHANGED: "no" if changes == "" else "yes"}
    return facts | ({GIT_BRANCH: branch} if branch and branch != "HEAD" else {})


def _git(folder: Path, *arguments: str) -> str | None:
    """What git prints; None where it fails."""
    with suppress(OSError, subprocess.SubprocessError):
        done = subprocess.run(
            ["git", "--no-optional-locks", "-C", str(folder), *arguments],
            capture_output=True,
            text=True,
            errors="replace",
            timeout=GIT_SECONDS,
            check=False,
            stdin=subprocess.DEVNULL,
        )
        if done.returncode == 0:
            return done.stdout.strip()
    return None
