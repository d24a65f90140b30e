"""Checks a receiver against docs/CFJS1.md: `check_receiver.py HOST:PORT`. It must be ready, and its store is filled with odd lines.

Prints a JSON object for each check, `{"check": …, "failure": null or why}`, and last `{"taken": […], "copied": […]}`: the lines that the receiver
has to have stored now, and none besides; those that it may have stored a second time.
"""

import json
import sys
import traceback

import check

# To import them is to have their checks in the list.
import compression_checks  # noqa: F401
import copy_checks  # noqa: F401
import frame_checks  # noqa: F401
import line_checks  # noqa: F401


def main() -> None:
    host, _, port = sys.argv[1].rpartition(':')
    for run in check.CHECKS:
        failure = None
        try:
            run((host, int(port)))
        except Exception as error:
            [*_, place] = traceback.extract_tb(error.__traceback__)
            failure = f'{type(error).__name__}: {error} ({place.name}, line {place.lineno})'
        print(json.dumps({'check': run.__doc__, 'failure': failure}), flush=True)
    lines = {'taken': check.TAKEN, 'copied': check.COPIED}
    print(json.dumps({name: [line.decode() for line in each] for name, each in lines.items()}))


if __name__ == '__main__':
    main()
