#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every sub-command and option of commands.def stands in the manual page, and nothing else does."""
import re
import sys


def rows_of(table):
    """The words that the command line knows: commands, and options by command."""
    commands = re.findall(r"^COMMAND\((\w+),", table, re.M)
    options = re.findall(r"^OPTION\((\w+),\s*(\w+),", table, re.M)
    return commands, {(command, name.replace("_", "-")) for command, name in options}


def rows_of_page(page):
    """The same, as the manual page documents them: `.It Fl -name` under `.Ss alcove command`."""
    commands = []
    options = set()
    for line in page.splitlines():
        heading = re.match(r"\.Ss alcove (\w+(?: \w+)*)$", line)
        item = re.match(r"\.It Fl -([\w-]+)", line)
        if heading:
            commands.append(heading.group(1).replace(" ", "_"))
        elif line.startswith(".Sh"):
            commands.append("")
        elif item:
            options.add((commands[-1], item.group(1)))
    return [command for command in commands if command], options


def compare(table, page):
    commands, options = rows_of(table)
    page_commands, page_options = rows_of_page(page)
    problems = [f"command {name}: only on one side" for name in set(commands) ^ set(page_commands)]
    problems += [f"option {command} --{name}: only on one side"
                 for command, name in sorted(options ^ page_options)]
    return problems


def main():
    with open(sys.argv[1], encoding="utf-8") as table, open(sys.argv[2], encoding="utf-8") as page:
        table, page = table.read(), page.read()
    # The check must be able to fail: without its first option the page has to be wrong.
    if not compare(table, re.sub(r"\.It Fl -\w+.*\n", "", page, count=1)):
        print("check_man: does not notice a missing option")
        return 1
    problems = compare(table, page)
    print("\n".join(problems) or "manual page: ok")
    return 1 if problems else 0


sys.exit(main())
