"""`rnnkit claims`: what is said of recurrent networks, as experiments."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flows import settings as places
from flows.cli.options import MLRUNS, Home, Json, Set, print_aligned, print_json, print_line, short
from flows.launcher import WORKERS, Failure

if TYPE_CHECKING:
    from rnnkit.claims.page import Judged

PAGE = "claims.md"


def claims(
    names: Annotated[
        list[str] | None,
        typer.Argument(help="Names of claims; all where left out.", show_default=False),
    ] = None,
    list_: Annotated[bool, typer.Option("--list", help="List the claims.")] = False,
    set_: Set = None,
    workers: Annotated[
        int | None, typer.Option(min=1, help=f"Claims at once; {WORKERS} where left out.")
    ] = None,
    page: Annotated[
        Path | None,
        typer.Option(help="The page to write; mlruns/claims/claims.md where left out."),
    ] = None,
    mlruns: Home = MLRUNS,
    as_json: Json = False,
) -> None:
    """Train what tests the claims of the notes, and write a page of what holds."""
    from rnnkit.claims.claim import load
    from rnnkit.claims.files import chosen

    of_names = {name: load(file) for name, file in chosen(names or []).items()}
    if list_:
        sentences = {name: claim.claim for name, claim in of_names.items()}
        if as_json:
            print_json(sentences)
        else:
            print_aligned(sentences, indent="")
        return
    settings = places.read(mlruns)
    from flows.claims import ClaimsFailed, measure_claims
    from flows.console import out
    from rnnkit.claims.page import write_page
    from rnnkit.params.load import changes_of

    out.quiet = as_json
    try:
        judged = measure_claims(of_names, changes_of(set_ or []), settings, workers or WORKERS)
    except ClaimsFailed as error:
        raise Failure(str(error)) from None
    file = page or settings.home / "claims" / PAGE
    write_page(file, judged)
    if as_json:
        print_json({"page": str(file), "claims": [_shown(each) for each in judged]})
        return
    for each in judged:
        print_line(f"{each.name}: {each.claim.claim} {each.verdict.capitalize()}.")
        for outcome in each.outcomes:
            print_line(f"  {outcome.verdict}: {outcome.sentence}")
    print_line(f"{short(file)}: written, with a figure for each")


def _shown(each: "Judged") -> dict[str, object]:
    """A claim for machines."""
    return {
        "name": each.name,
        "claim": each.claim.claim,
        "verdict": each.verdict,
        "predictions": [outcome._asdict() for outcome in each.outcomes],
    }
