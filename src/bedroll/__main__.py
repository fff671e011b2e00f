"""`python -m bedroll` is the `bedroll` command."""

from bedroll.cli import main

if __name__ == "__main__":
    main(prog_name="bedroll")
