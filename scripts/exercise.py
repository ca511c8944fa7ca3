"""Exercises: write the functions of the book yourself, and let its tests judge them.

    python scripts/exercise.py --list                   the course, in reading order
    python scripts/exercise.py start normal_log_prob    writes exercises/normal_log_prob.py
    python scripts/exercise.py check normal_log_prob    runs the book's tests on what you wrote
    python scripts/exercise.py hint normal_log_prob     one more formula or line at each call
    python scripts/exercise.py show normal_log_prob     the book's own code
    python scripts/exercise.py --all                    how far you are

A file that is there is never overwritten. A check runs in a copy, which is removed at the end: the
package stays as it is. Its exit status is 0 if all tests have passed, and 1 if not. Importing the
book's own function passes too, and teaches nothing.
"""

import argparse
import ast
import difflib
import hashlib
import os
import sys
import textwrap

import command
import course
from course import Question, cutting, grading
from files import read_json, update_json

HOME = course.ROOT / "exercises"
PROGRESS = ".progress.json"
SHOWN = 12                                                  # failed tests
INDENT = 8 * " "


def known(progress, path):
    """What `path` says of each exercise. WrongUse, if that is not what this program has written."""
    if not isinstance(progress, dict) or not all(isinstance(e, dict) for e in progress.values()):
        raise command.WrongUse(f"{path} is broken, mend or remove it: it has no entries by name")
    return progress


def exercise_named(parser, name):
    found = course.exercises().get(name)
    if found is None:
        near = difflib.get_close_matches(name, course.exercises(), 3) or [
            other for other in course.exercises() if name and name in other][:3]
        parser.error(f"there is no exercise {name!r:.60}; "
                     + (f"did you mean {' or '.join(near)}?" if near else "--list names them"))
    return found


def seconds(text):
    try:
        number = float(text)
    except ValueError:
        number = 0
    if not 1 <= number <= 3600:
        raise argparse.ArgumentTypeError(f"must be a number from 1 to 3600, got {text!r:.40}")
    return number


def list_all():
    """The course, two lines for each exercise."""
    place = None
    for name, exercise in course.exercises().items():
        here = "errata" if isinstance(exercise, Question) else exercise.module
        if here != place:
            print(f"\n{'Errata, as questions' if here == 'errata' else here}")
            place = here
        print(f"    {name} ({exercise.level})")
        print(textwrap.fill(exercise.asks, 98, initial_indent=INDENT, subsequent_indent=INDENT))


def again(action, name, folder):
    """What to type next."""
    more = "" if folder == HOME else f" --folder {command.quoted(str(folder))}"
    return f"{command.as_typed(__file__)} {action} {name}{more}"


def hash_of(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def state_of(name, folder, progress):
    """solved, changed (since it was solved), begun, or nothing."""
    path, solved = folder / f"{name}.py", progress.get(name, {}).get("solved")
    try:
        if not path.is_file():
            return ""
        return "begun" if solved is None else "solved" if solved == hash_of(path) else "changed"
    except OSError:
        return ""


def how_far(folder, progress):
    """What is solved, begun, or was changed after it had been solved."""
    states = {name: state_of(name, folder, progress) for name in course.exercises()}
    for name, state in states.items():
        said = {"changed": "changed since it passed: check it again", "": "-"}.get(state, state)
        hints = progress.get(name, {}).get("hints", 0)
        print(f"    {name:<50} {said}" + (f", hints: {hints}" if hints else ""))
    solved = sum(state == "solved" for state in states.values())
    print(f"\n{solved} of {len(states)} solved, in {folder}")
    following = next((name for name, state in states.items() if state != "solved"), None)
    if following:
        print("Next: " + again("check" if states[following] else "start", following, folder))


def start(parser, exercise, folder):
    """Write the reader's file, unless there is one."""
    path = folder / f"{exercise.name}.py"
    if os.path.lexists(path):
        parser.error(f"{path} is there already, and is left as it is")
    parser.folder(folder)
    try:
        with path.open("x", encoding="utf-8", newline="\n") as file:   # never over one that came
            file.write(cutting.start(exercise, *(                       # into being meanwhile
                again(action, exercise.name, folder) for action in ("check", "hint"))))
    except FileExistsError:
        parser.error(f"{path} is there already, and is left as it is")
    print(f"{path}\n{exercise.asks}\nThen: {again('check', exercise.name, folder)}")


def hints(exercise):
    """What is shown one at a time: formulas first, then the lines of the package's own body."""
    if isinstance(exercise, Question):
        return exercise.hints
    lines = cutting.package_source(exercise).split("\n")
    node, _ = cutting.found(ast.parse("\n".join(lines)), exercise.qualname)
    _, body = cutting.opening(node, lines)
    code, ends = [], [statement.end_lineno for statement in body]
    for first, last in zip([body[0].lineno - 1, *ends], ends, strict=False):
        code.append("\n".join(lines[first:last]).strip("\n"))
    return [*cutting.formulas(exercise), *code]


def hint(parser, exercise, folder, number):
    """Show the next hint, or the one of a number, and remember how many were asked for."""
    all_hints = hints(exercise)
    if number is None:
        parser.folder(folder)

        def one_more(progress):
            entry = known(progress, folder / PROGRESS).setdefault(exercise.name, {})
            entry["hints"] = min(entry.get("hints", 0) + 1, len(all_hints))
            nonlocal number
            number = entry["hints"]
            return progress

        update_json(folder / PROGRESS, one_more)
    if number > len(all_hints):
        parser.error(f"{exercise.name} has {len(all_hints)} hints, got --number {number}")
    print(f"Hint {number} of {len(all_hints)}:\n\n{all_hints[number - 1]}")
    if number == len(all_hints):
        print(f"\nThat was the last one. {again('show', exercise.name, HOME)}")


def show(exercise):
    """The package's own code; of an erratum, its sentence and its test."""
    if isinstance(exercise, Question):
        source = (course.ROOT / exercise.tests).read_text(encoding="utf-8")
        tests = [node for node in ast.parse(source).body if isinstance(node, ast.FunctionDef)
                 and node.name.startswith(f"test_{exercise.erratum.lower()}_")]
        print(f"# {exercise.tests.as_posix()}\n")
        for node in tests:
            print(cutting.segment(source.split("\n"), cutting.first_line(node), node.end_lineno))
        return
    texts = cutting.formulas(exercise)
    print(f"# {exercise.source.as_posix()}, {exercise.qualname}\n")
    print("".join(f"# {line}\n" for text in texts for line in text.split("\n")))
    print(cutting.own_code(exercise))


def check(parser, exercise, folder, strict, limit):
    """Judge the reader's file, say how, and give the exit status."""
    path = folder / f"{exercise.name}.py"
    if not os.path.lexists(path):
        parser.error(f"there is no {path}: {again('start', exercise.name, folder)}")
    try:
        judged = hash_of(path) if path.is_file() else None
        result = grading.check(exercise, path, strict, limit)
    except cutting.Unreadable as error:
        print(error)
        return 1
    tell(exercise, path, result, strict)

    def remember(progress):
        if result.passed:
            known(progress, folder / PROGRESS).setdefault(exercise.name, {})["solved"] = judged
        return progress

    try:
        update_json(folder / PROGRESS, remember)
    except OSError as error:
        print(f"(This is not remembered: {error.strerror})")
    return 0 if result.passed else 1


def tell(exercise, path, result, strict):
    """The Result in sentences."""
    if result.tests and not isinstance(exercise, Question):
        rows = [(title, *counts) for title, counts in result.tests.items()]
        for title, _, failed in rows:
            if not failed:
                print(f"passed  {title}")
        wrong = [row for row in rows if row[2]]
        for title, passed, failed in wrong[:SHOWN]:
            print(f"FAILED  {title}" + (f" ({failed} of {passed + failed} cases)"
                                        if passed + failed > 1 else ""))
        if len(wrong) > SHOWN:
            print(f"        ... and {len(wrong) - SHOWN} more")
        print(f"{len(rows) - len(wrong)} passed, {len(wrong)} failed; {result.others} other tests "
              f"of {exercise.module} do not call it\n")
    if result.failure:
        tell_failure(path, result.failure)
    if result.verdict:
        print(result.verdict)
    if result.passed:
        print(f"{exercise.name} is solved." + ("" if strict or isinstance(exercise, Question) else
              f" The book's own: {again('show', exercise.name, HOME)}"))


def tell_failure(path, failure):
    """The first failure, with what was got and what was wanted."""
    if "wrong" in failure:
        print(f"Not yet: {failure['wrong']}")
        return
    if failure.get("title") and "test" in failure and "::test_" in failure["test"]:
        print(f"First failure: {failure['title']}"
              + (f" [{failure['case']}]" if failure["case"] else ""))
    if "where" in failure:
        print(f"    {failure['where']}")
    if "got" in failure:
        print(f"    got   {failure['got']}\n    want  {failure['want']}")
    else:
        print("    " + "\n    ".join(failure["error"].split("\n")))
    if failure.get("none"):
        print("    It returned None: is a return missing?")
    if failure["line"] is not None:
        print(f"    {path}, line {failure['line']}")
    if failure.get("printed"):
        more = failure["printed_lines"] - len(failure["printed"])
        lines = [*(line[:200] for line in failure["printed"]),
                 *([f"... and {more:,} more lines"] if more > 0 else [])]
        print("    It printed:\n        " + "\n        ".join(lines))


def main(arguments=None):
    parser = command.Parser(__doc__)
    parser.add_argument("action", nargs="?", choices=["start", "check", "hint", "show"],
                        help="what to do with the exercise")
    parser.add_argument("name", nargs="?", help="of the exercise")
    parser.add_argument("--list", action="store_true", help="show the course")
    parser.add_argument("--all", action="store_true", help="say how far you are")
    parser.add_argument("--folder", type=command.folder, default=HOME, help="where your files are")
    parser.add_argument("--number", type=command.whole(1), help="of the hint to show again")
    parser.add_argument("--strict", action="store_true",
                        help="check also warnings, bad input, array modules, single precision")
    parser.add_argument("--seconds", type=seconds, default=grading.SECONDS,
                        help="that one test may take, and five times as many for all")
    given = parser.parse_args(arguments)
    folder = given.folder
    if sum([given.list, given.all, given.action is not None]) != 1:
        parser.error("say one of --list, --all, start NAME, check NAME, hint NAME, show NAME")
    if folder.exists() and not folder.is_dir():
        parser.error(f"{folder} is a file, and must be a folder")
    if given.action is None:
        if given.list:
            list_all()
        else:
            path = folder / PROGRESS
            how_far(folder, known(read_json(path, {}), path))
        return 0
    if given.name is None:
        parser.error(f"{given.action} needs the name of an exercise; --list names them")
    exercise = exercise_named(parser, given.name)
    if given.action == "start":
        start(parser, exercise, folder)
    elif given.action == "hint":
        hint(parser, exercise, folder, given.number)
    elif given.action == "show":
        show(exercise)
    else:
        if not isinstance(exercise, Question):
            parser.needs("pytest", "scipy", "sklearn")
        return check(parser, exercise, folder, given.strict, given.seconds)
    return 0


if __name__ == "__main__":
    sys.exit(main())
