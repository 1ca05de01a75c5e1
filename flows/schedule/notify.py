"""What happens when a scheduled run fails: a command is run, or an address is sent a message."""

import json
import os
import subprocess
import urllib.request
from collections.abc import Mapping

TIMEOUT_SECONDS = 60  # seconds a command or an address may take


def notify(to: str, facts: Mapping[str, str]) -> None:
    """Notifies of a failed run.

    Args:
        to: an address that begins with http:// or https://, which gets the facts as JSON; anything
            else is a shell's command line, which gets them as variables RNNKIT_NAME and so on.
            $VARIABLE and ${VARIABLE} stand for what they are now, so that a secret is kept nowhere.
        facts: name, date and error.

    Raises:
        OSError: the address does not take it.
        subprocess.SubprocessError: the command fails.
    """
    address = os.path.expandvars(to)
    if address.startswith(("http://", "https://")):
        request = urllib.request.Request(
            address,
            data=json.dumps(facts).encode(),
            headers={"Content-Type": "application/json"},
            method="POST",
        )
        with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS):
            return
    environment = os.environ | {f"RNNKIT_{name.upper()}": value for name, value in facts.items()}
    subprocess.run(to, shell=True, check=True, timeout=TIMEOUT_SECONDS, env=environment)
