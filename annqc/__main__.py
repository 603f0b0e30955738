"""``python -m annqc``: the command line."""

from annqc.cli import main

if __name__ == "__main__":
    main()
