"""``python -m camvet`` is the ``camvet`` command."""

from camvet.cli import main

if __name__ == "__main__":
    main()
