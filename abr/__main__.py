"""`abr` and `python -m abr`: run the command line, end with its exit code."""

import gc
import os
import sys

# OpenBLAS, which numpy brings, would start a thread per core, and they spin before they sleep: 0.03 to 0.05 s of
# processor time at every start on two cores. abr uses no linear algebra.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
# SVT-AV1 writes its settings to stderr, line by line, unless told not to.
os.environ.setdefault("SVT_LOG", "1")

_YOUNG = 20_000
"""Objects made since the last search for cycles. What abr makes by the thousand has none; with Python's 700 the searches
are a tenth of a short command."""


def main() -> None:
    """Run the command line. A failure is one sentence on stderr; exit codes as in DESIGN 5."""
    gc.set_threshold(_YOUNG)
    import click

    from abr.cli.commands import abr
    from abr.errors import AbrError
    from abr.log import redact

    try:
        code = abr.main(standalone_mode=False, prog_name="abr")
    except click.ClickException as error:
        error.show()
        code = error.exit_code
    except AbrError as error:
        click.echo(f"abr: {redact(str(error))}", err=True)
        code = error.exit_code
    except (KeyboardInterrupt, click.Abort):
        code = 130
    gc.freeze()  # all memory goes back as a whole now: nothing to search
    sys.exit(code if isinstance(code, int) else 0)


if __name__ == "__main__":
    main()
