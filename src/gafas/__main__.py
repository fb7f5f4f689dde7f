"""``python -m gafas``."""

from gafas.cli import main

if __name__ == "__main__":
    main()
