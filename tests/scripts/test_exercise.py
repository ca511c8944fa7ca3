"""Exercises: each has tests that an empty body fails, and whatever a reader writes is judged."""

import ast
import json
import multiprocessing
import os
import re
import shlex
import subprocess
import sys
import time
from pathlib import Path

import course
import exercise
import numpy as np
import pytest
from course import cutting, grading, helpers, runner

FUNCTIONS = {name: e for name, e in course.exercises().items() if isinstance(e, course.Exercise)}
QUICK = "gradient_descent"                                  # its tests take half a second
PRELOADED = ["pytest", "_pytest.doctest", "numpy.testing", "scipy.stats", "scipy.special",
             "sklearn.linear_model", "sklearn.mixture", "sklearn.neighbors"]
on_linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux can do this")
each_function = pytest.mark.parametrize("name", FUNCTIONS)


def own_answer(name, changes=()):
    """A reader's file with the package's own code, after the changes (old, new)."""
    text, code = cutting.start(FUNCTIONS[name]), cutting.own_code(FUNCTIONS[name])
    for old, new in changes:
        assert code.count(old) == 1, (name, old)
        code = code.replace(old, new)
    tree = ast.parse(text)
    function = next(node for node in tree.body if isinstance(node, ast.FunctionDef))
    return "\n".join([*text.split("\n")[:cutting.first_line(function) - 1], code, ""])


def answered(name, body):
    """A reader's file with this body."""
    text = cutting.start(course.exercises()[name])
    return re.sub(rf"^    {cutting.EMPTY}.*$", lambda found: "    " + body.replace("\n", "\n    "),
                  text, flags=re.M)


# The list

def test_the_course_is_in_the_order_in_which_the_book_is_read():
    import gdl_numpy
    order = re.findall(r"^    (\w+) {2,}", gdl_numpy.__doc__, flags=re.MULTILINE)
    places = [order.index(e.module.rpartition(".")[2]) for e in FUNCTIONS.values()]
    assert places == sorted(places)


def test_names_are_unique_and_each_exercise_has_a_level_and_a_sentence():
    data = course.tomllib.loads(course.DATA.read_text(encoding="utf-8"))
    assert len(course.exercises()) == len(data["function"]) + len(data["question"])
    assert 40 <= len(FUNCTIONS)
    for name, e in course.exercises().items():
        assert re.fullmatch(r"[a-z][a-z0-9_]*", name)
        assert e.level in course.LEVELS
        assert re.fullmatch(r"[A-Z].*[.?]", e.asks) and len(e.asks) < 200


@pytest.mark.parametrize("qualname, name", [
    ("Normal.log_prob", "normal_log_prob"), ("Mixture._log_prob", "mixture_log_prob"),
    ("Adam.__call__", "adam"), ("_disc", "disc"), ("BoxFamily.mle", "box_family_mle"),
    ("ProbabilisticPCAFamily.mle", "probabilistic_pca_family_mle")])
def test_a_name_is_that_of_the_class_and_of_the_method(qualname, name):
    assert course.Exercise("probability.density", qualname, "one line", "").name == name


def test_a_function_of_the_book_finds_its_exercise():
    assert course.of("probability.density", "Normal.log_prob").name == "normal_log_prob"
    assert course.of("gdl_numpy.numerics.optimizer", "Adam.__call__").name == "adam"
    assert course.of("probability.density", "Normal.covariance") is None
    assert course.of("probability.density", "no_density") is None


def test_the_list_can_be_read_without_numpy():
    done = subprocess.run([sys.executable, "-c", "import course, sys; course.of('a', 'b'); "
                           "assert 'numpy' not in sys.modules"], cwd=course.ROOT / "scripts")
    assert done.returncode == 0


# From the package to the reader and back

def code_of(text):
    """The statements of a module without imports, and without the indentation of docstrings."""
    tree = ast.parse(text)
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and ast.get_docstring(node):
            node.body[0].value.value = ast.get_docstring(node).split()
    return [ast.dump(node) for node in tree.body
            if not isinstance(node, ast.Import | ast.ImportFrom)]


@each_function
def test_the_packages_own_code_comes_back_to_where_it_was(name, tmp_path):
    (tmp_path / "own.py").write_text(own_answer(name), encoding="utf-8")
    text, tree = cutting.read(tmp_path / "own.py")
    pasted = cutting.pasted(FUNCTIONS[name], text, tree, tmp_path)
    assert code_of(pasted.text) == code_of(cutting.package_source(FUNCTIONS[name]))
    lines = text.split("\n")
    for number, line in enumerate(pasted.text.split("\n")[:-1], 1):
        if pasted.lines[number] is not None:
            assert line.strip() == lines[pasted.lines[number] - 1].strip()


@each_function
def test_what_is_started_has_formulas_signature_checks_and_no_body(name):
    text = cutting.start(FUNCTIONS[name])
    tree = ast.parse(text)
    node, _ = cutting.found(ast.parse(cutting.package_source(FUNCTIONS[name])),
                            FUNCTIONS[name].qualname)
    function, = (n for n in tree.body if isinstance(n, ast.FunctionDef))
    assert cutting.signature(function) == cutting.signature(node)
    assert (ast.get_docstring(function) or "").split() == (ast.get_docstring(node) or "").split()
    assert isinstance(function.body[-1], ast.Raise) and FUNCTIONS[name].asks[:40] in text
    assert max(map(len, text.split("\n"))) <= 140
    for formula in cutting.formulas(FUNCTIONS[name]):
        assert formula.split("\n")[0] in text
    compile(text, name, "exec")


def test_what_is_started_says_of_helpers_how_they_are_called_and_what_they_give():
    text = cutting.start(FUNCTIONS["class_conditional_log_posterior"])
    assert "    logsumexp(x, axis=None, keepdims=False)\n        log Σ exp(x) along `axis`" in text
    assert "    self.log_joint(X)\n        log p(x, y) for each row of X and each label" in text
    assert "    ClassConditional\n        One density for each label 0, ..., K - 1" in text
    text = cutting.start(FUNCTIONS["masses"])
    assert "    DISPLACEMENTS = ((0, 0), *HEADINGS, (1, 1)" in text


@each_function
def test_what_is_started_explains_all_that_it_imports_of_the_package(name):
    text = cutting.start(FUNCTIONS[name])
    tree = ast.parse(text)
    function = next(node for node in tree.body if isinstance(node, ast.FunctionDef))
    decorators = " ".join(map(ast.unparse, function.decorator_list))
    for statement in tree.body:
        if isinstance(statement, ast.ImportFrom) and statement.module.startswith("gdl_numpy"):
            for alias in statement.names:
                assert alias.name in helpers.WITHOUT_SAYING or alias.name in decorators or (
                    re.search(rf"^    {alias.name}\b", ast.get_docstring(tree), flags=re.M))


def test_a_first_line_that_computes_is_left_to_the_reader():
    text = cutting.start(FUNCTIONS["chart_table"])
    assert "checks.same_shape(" in text and "arange" not in text


def test_the_formulas_of_a_function_are_those_whose_numbers_its_lines_have():
    assert cutting.formulas(FUNCTIONS["normal_log_prob"]) == [
        "u         = L⁻¹ (x - µ)    (4)",
        "log p(x)  = -|u|²/2 - log det L - (d/2) log 2π    (5)"]
    assert cutting.formulas(FUNCTIONS["categorical"]) == []


def test_helpers_imports_and_texts_of_several_lines_come_along(tmp_path):
    text = answered("box_sample", 'text = """a\nb"""\nassert text == "a\\n    b" and HELP == 1\n'
                    "return self.low + helper(self) * rng.random((n, len(self.low)))")
    text = text.replace("\n\ndef sample", "\nHELP = 1\n\n\ndef sample") + (
        "\n\ndef helper(box):\n    return box.high - box.low\n\n\n"
        'if __name__ == "__main__":\n    raise SystemExit\n')
    (tmp_path / "box_sample.py").write_text(text, encoding="utf-8")
    text, tree = cutting.read(tmp_path / "box_sample.py")
    module = {"__name__": "copy"}
    exec(cutting.pasted(FUNCTIONS["box_sample"], text, tree, tmp_path).text, module)
    X = module["Box"]([0.0, 0], [1.0, 2]).sample(5, np.random.default_rng(0))
    assert X.shape == (5, 2) and X.max() <= 2


@pytest.mark.parametrize("change", [
    lambda text: text.replace("\n", "\r\n"), lambda text: "\ufeff" + text,
    lambda text: text.replace("    ", "\t"),
    lambda text: text.replace("theta, dtheta):", "theta: 'array', dtheta: list = None) -> 'array':"
                              ).replace(" = None", "")])
def test_line_ends_a_mark_at_the_start_tabs_and_types_change_nothing(change, tmp_path):
    path = tmp_path / f"{QUICK}.py"
    path.write_bytes(change(own_answer(QUICK)).encode())
    text, tree = cutting.read(path)
    module = {"__name__": "copy"}
    exec(cutting.pasted(FUNCTIONS[QUICK], text, tree, path).text, module)
    assert module["GradientDescent"](0.1)(np.ones(1), 2 * np.ones(1)) == pytest.approx(0.8)


# Every exercise has tests, and they see what is wrong

@pytest.fixture(scope="module")
def judge(tmp_path_factory):
    """Judges a text as an answer, in a process that has loaded all but the package."""
    if "forkserver" not in multiprocessing.get_all_start_methods():
        pytest.skip("here every process would have to load all libraries anew")
    outer = tmp_path_factory.mktemp("exercise")
    grading.copied(outer / "copy")
    monkeypatch = pytest.MonkeyPatch()
    for library in ("OMP", "OPENBLAS", "MKL"):              # a fork should have no threads
        monkeypatch.setenv(f"{library}_NUM_THREADS", "1")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(PRELOADED)

    def judge(name, text):
        e, path = FUNCTIONS[name], outer / f"{name}.py"
        path.write_text(text, encoding="utf-8")
        (outer / "report").unlink(missing_ok=True)
        try:
            job, lines = grading.prepared(e, path, outer / "copy", options=["-x", "--assert=plain"])
            process = context.Process(target=runner.main, args=(json.dumps(job),))
            process.start()
            process.join()
        finally:
            (outer / "copy" / e.source).write_text(cutting.package_source(e), encoding="utf-8")
        events = grading.read_report(outer / "report")
        return grading.judged(events, process.exitcode, lines)

    yield judge
    monkeypatch.undo()


def test_every_exercise_has_a_test_that_an_empty_body_fails():
    done = subprocess.run([sys.executable, course.ROOT / "tests" / "empty_bodies.py"],
                          capture_output=True, text=True, timeout=600)
    said = json.loads(done.stdout)
    assert said.keys() == FUNCTIONS.keys(), done.stderr[-2000:]
    assert {name: text for name, text in said.items()
            if text is None or "NotImplementedError" not in text} == {}


def test_an_empty_body_fails_with_the_line_that_is_to_be_written(judge):
    result = judge(QUICK, text := cutting.start(FUNCTIONS[QUICK]))
    assert not result.passed and "NotImplementedError" in result.failure["error"]
    line = text.split("\n")[result.failure["line"] - 1]
    assert line.strip().startswith(cutting.EMPTY)


WRONG = [
    ("normal_log_prob", "- self.log_det_L", "+ self.log_det_L"),
    ("normal_sample", "self.L.T", "self.L"),
    ("box_sample", "self.high - self.low", "self.high + self.low"),
    ("log_likelihood", ".sum(", ".mean("),
    ("kl_divergence", "- _expectation(log_p, log_q", "+ _expectation(log_p, log_q"),
    ("class_conditional_log_joint", "+ ", "- "),
    ("principal_components_decode", "self.mu +", "0 * self.mu +"),
    ("chart_table", "transpose(1, 0, 2)", "transpose(1, 2, 0)"),
    ("masses", "(d, h * (1 - w))", "(d, h * w)"),
    ("world_log_mass", "[headings, cells, arrivals]", "[headings, arrivals, cells]"),
    ("value_iteration", "1 + to_come.min(", "1 + to_come.max("),
    ("expected_steps", "under_way + P @ V", "under_way - P @ V"),
    ("learn", "m * belief.masses + counts", "belief.masses + counts"),
    ("inverse_affine", "(-", "("),
    ("signal_and_noise", "(-log_snr)", "(log_snr)"),
    ("bounded", "1 - t * t", "1 + t * t"),
    ("gradient_descent", "theta - rate", "theta + rate"),
    ("adam", "-rate * a / b", "-rate * a * b"),
]


@pytest.mark.parametrize("name, old, new", WRONG)
def test_a_wrong_sign_or_factor_is_found(name, old, new, judge):
    result = judge(name, own_answer(name, [(old, new)]))
    assert not result.passed and result.failure is not None


@pytest.mark.parametrize("name, body", [
    ("normal_log_prob", "return 0 * numpy.asarray(X)[:, 0]"),
    ("softplus", "return 0 * x"), ("box_family_mle", "return array_module(X).zeros(2 * self.d)"),
    ("interpolate", "return 0 * xp.ones((n, len(x0)))")])
def test_zeros_are_no_answer(name, body, judge):
    assert not judge(name, answered(name, body)).passed


def test_a_right_result_by_way_of_a_warning_is_right(judge):
    """log 0 is -inf, as is asked for, and cosh may be infinite where 1/cosh² is to be 0."""
    assert judge("world_log_mass", answered(
        "world_log_mass", "import numpy\n"
        "return numpy.log(self.table[log.headings, log.cells, log.arrivals])")).passed
    assert judge("bounded", answered(
        "bounded", "import numpy\nif B is None:\n    return x.copy(), lambda dy: dy\n"
        "return B * numpy.tanh(x / B), lambda dy: dy / numpy.cosh(x / B)**2")).passed


def test_the_packages_own_answer_passes(judge):
    result = judge(QUICK, own_answer(QUICK))
    assert result.passed and result.tests and result.failure is None


# What a reader may do

def checked(tmp_path, capsys, text, *options, name=QUICK):
    """The exit status of a check of this file, and what it prints."""
    folder = tmp_path / "my 答案"
    folder.mkdir(exist_ok=True)
    content = text if isinstance(text, bytes) else text.encode()
    (folder / f"{name}.py").write_bytes(content)
    status = exercise.main(["check", name, "--folder", str(folder), *options])
    said = capsys.readouterr()
    assert said.err == "" and len(said.out) < 6000
    return status, said.out


def test_a_right_answer_passes_and_is_remembered(tmp_path, capsys):
    status, said = checked(tmp_path, capsys, own_answer(QUICK))
    assert status == 0 and "FAILED" not in said and f"{QUICK} is solved." in said
    assert re.search(r"^passed  [a-z]", said, flags=re.M)
    folder = tmp_path / "my 答案"
    exercise.main(["--all", "--folder", str(folder)])
    said = capsys.readouterr().out
    assert re.search(rf"{QUICK} +solved", said) and "1 of " in said
    with (folder / f"{QUICK}.py").open("a") as file:
        file.write("\n# a change\n")
    exercise.main(["--all", "--folder", str(folder)])
    assert "changed since it passed: check it again" in capsys.readouterr().out


def test_a_wrong_answer_is_told_what_was_got_and_what_was_wanted(tmp_path, capsys):
    status, said = checked(tmp_path, capsys, answered(
        QUICK, "for i in range(1000):\n    print('line', i)\nreturn theta + dtheta"))
    assert status == 1 and "FAILED  " in said and "First failure: " in said
    assert re.search(r"^    got   .*\n    want  ", said, flags=re.M)
    assert "line 4\n" in said and "and 995 more lines" in said and "line 5\n" not in said


@pytest.mark.parametrize("body, message", [
    ("theta - dtheta", "It returned None: is a return missing?"),
    ("import os\nwhile True:\n    os.write(1, bytes(10**6))", "printed more than is allowed here"),
    ("import os\nos._exit(0)", "Python itself ended in the test: "),
    ("import sys\nsys.exit(0)", "SystemExit: 0"),
    ("raise KeyboardInterrupt", "the last was broken off"),
    ("return self(theta, dtheta)", "RecursionError"),
    ("import pytest\npytest.skip()", "Skipped"),
    pytest.param("import numpy\nreturn numpy.ones(10**10) + theta", "MemoryError",
                 marks=on_linux),
    ("return 1 / 0", "ZeroDivisionError: division by zero\n    "),
    ("while True:\n    print('without an end')", "without an end")])
def test_whatever_a_body_does_it_has_not_passed_and_is_told_why(body, message, tmp_path, capsys):
    status, said = checked(tmp_path, capsys, answered(QUICK, body), "--seconds",
                           "1" if "without an end" in message else "3")
    assert status == 1 and message in said and "is solved" not in said


@pytest.mark.skipif(os.name != "posix", reason="processes as POSIX has them")
@pytest.mark.parametrize("more", ["", pytest.param("start_new_session=True", marks=on_linux)])
def test_an_endless_loop_is_stopped_with_all_that_it_started(more, tmp_path, capsys):
    pid = tmp_path / "pid"
    began = time.monotonic()
    status, said = checked(tmp_path, capsys, answered(
        QUICK, f"import subprocess\nchild = subprocess.Popen(['sleep', '100'], {more})\n"
               f"open({str(pid)!r}, 'w').write(str(child.pid))\nwhile True:\n    pass"),
        "--seconds", "1")
    assert status == 1 and "Stopped after 1 s without an end in the test: " in said
    assert time.monotonic() - began < 60
    for _ in range(100):                                    # init takes a moment to collect it
        state = Path("/proc", pid.read_text(), "stat")
        if not state.exists() or state.read_text().split()[2] == "Z":
            break
        time.sleep(0.05)
    else:
        pytest.fail("what the loop had started goes on")


@pytest.mark.parametrize("change, message", [
    (lambda text: text.replace("def __call__(self, theta, dtheta):", "def __call__(self theta):"),
     "invalid syntax"),
    (lambda text: text.replace("def __call__(", "def call("), "defines no function __call__"),
    (lambda text: text.replace("theta, dtheta", "theta, dtheta, x"), "the signature must stay"),
    (lambda text: text.encode() + b"# \xff\n", "the byte 0xff is not UTF-8"),
    (lambda text: text + "\0", "null byte"),
    (lambda text: "(" * 10_000, "gradient_descent.py"),
    (lambda text: "x = " + "-" * 9000 + "1", "gradient_descent.py"),
    (lambda text: "", "defines no function __call__"),
    (lambda text: text + 10**6 * "#", "more than 1,000,000 bytes")])
def test_a_file_that_cannot_be_run_is_told_so_with_its_line(change, message, tmp_path, capsys):
    status, said = checked(tmp_path, capsys, change(cutting.start(FUNCTIONS[QUICK])))
    assert status == 1 and message in said and len(said.splitlines()) <= 5


def test_a_syntax_error_has_the_readers_line_and_a_caret(tmp_path, capsys):
    text = answered(QUICK, "return theta +* dtheta")
    line = text.split("\n").index("    return theta +* dtheta") + 1
    _, said = checked(tmp_path, capsys, text)
    assert f"{QUICK}.py, line {line}: invalid syntax\n" in said
    assert said.rstrip("\n").split("\n")[-1].strip() == "^"


def test_an_error_while_the_file_is_imported_has_the_readers_line(tmp_path, capsys):
    status, said = checked(tmp_path, capsys, "import no_such_module\n" + own_answer(QUICK))
    assert status == 1 and "No module named 'no_such_module'" in said and "line 1\n" in said
    assert "cannot be imported" in said


@pytest.mark.parametrize("line, message", [("raise KeyboardInterrupt", "KeyboardInterrupt"),
                                           ("raise SystemExit('bye')", "SystemExit: bye")])
def test_a_file_that_ends_python_while_it_is_imported_is_told_its_line(line, message, tmp_path,
                                                                       capsys):
    status, said = checked(tmp_path, capsys, f"{line}\n{own_answer(QUICK)}")
    assert status == 1 and message in said and "line 1\n" in said and "be imported" in said


def test_an_error_below_the_readers_function_names_the_line_that_led_there(tmp_path, capsys):
    text = answered("jensen_shannon", "return _expectation(None, None, space, shape)")
    line = text.split("\n").index("    return _expectation(None, None, space, shape)") + 1
    _, said = checked(tmp_path, capsys, text, name="jensen_shannon")
    assert f"jensen_shannon.py, line {line}\n" in said


def test_the_package_stays_as_it_is(tmp_path, capsys):
    paths = list((course.ROOT / "gdl_numpy").rglob("*.py"))
    package = [path.read_bytes() for path in paths]
    status, _ = checked(tmp_path, capsys, answered(
        QUICK, "import gdl_numpy\nopen(gdl_numpy.__file__, 'w').write('broken')\nreturn theta"))
    assert status == 1
    assert package == [path.read_bytes() for path in paths]


def test_a_question_is_checked_like_a_function(tmp_path, capsys):
    status, said = checked(tmp_path, capsys, "point = -10, -60\n", name="swapped_to_sea")
    assert status == 0 and "is sea" in said and "swapped_to_sea is solved." in said
    status, said = checked(tmp_path, capsys, "point = 40.7, -73.9\n", name="swapped_to_sea")
    assert status == 1 and "Not yet: [40.7, -73.9] is land, and swapped" in said
    status, said = checked(tmp_path, capsys, "point = 1 / 0\n", name="swapped_to_sea")
    assert status == 1 and "ZeroDivisionError" in said and "line 1\n" in said
    status, said = checked(tmp_path, capsys, "import os; os._exit(0)\n", name="swapped_to_sea")
    assert status == 1 and "Python itself ended while it was imported (exit status 0)" in said


# The other commands

def test_what_is_to_be_typed_next_can_be_typed_wherever_one_is(tmp_path):
    """From the root, from another folder, and as the reader's file says it."""
    script = str(course.ROOT / "scripts" / "exercise.py")
    for here, folder in ((course.ROOT, str(tmp_path / "a b")), (tmp_path, "new 新")):
        begun = subprocess.run([sys.executable, script, "start", "adam", "--folder", folder],
                               cwd=here, capture_output=True, text=True, check=True)
        typed = shlex.split(begun.stdout.splitlines()[-1].removeprefix("Then: "))
        assert typed[-3:] == ["adam", "--folder", folder]
        text = (here / folder / "adam.py").read_text(encoding="utf-8")
        line, = (line for line in text.splitlines() if " hint adam" in line)
        hinted = subprocess.run(shlex.split(line), cwd=here, capture_output=True, text=True)
        assert hinted.returncode == 0 and hinted.stdout.startswith("Hint 1 of ")


def test_start_writes_a_file_and_never_over_one(tmp_path, capsys):
    arguments = ["start", "normal_log_prob", "--folder", str(tmp_path / "new 新")]
    exercise.main(arguments)
    path = tmp_path / "new 新" / "normal_log_prob.py"
    ways = [exercise.again(action, "normal_log_prob", path.parent) for action in ("check", "hint")]
    assert path.read_text(encoding="utf-8") == cutting.start(FUNCTIONS["normal_log_prob"], *ways)
    said = capsys.readouterr().out
    assert str(path) in said and ways[0] in said
    path.write_text("mine")
    with pytest.raises(SystemExit) as ended:
        exercise.main(arguments)
    said = capsys.readouterr().err
    assert ended.value.code == 2 and "is there already, and is left as it is" in said
    assert len(said.splitlines()) == 1 and path.read_text() == "mine"


def test_a_file_that_came_into_being_meanwhile_is_left_as_it_is(tmp_path, capsys, monkeypatch):
    path = tmp_path / "adam.py"
    path.write_text("mine")
    monkeypatch.setattr(exercise.os.path, "lexists", lambda path: False)
    with pytest.raises(SystemExit):
        exercise.main(["start", "adam", "--folder", str(tmp_path)])
    assert "is there already" in capsys.readouterr().err and path.read_text() == "mine"


def test_hints_come_one_by_one_first_formulas_then_lines(tmp_path, capsys):
    arguments = ["hint", "normal_log_prob", "--folder", str(tmp_path)]
    said = []
    for _ in range(7):
        exercise.main(arguments)
        said.append(capsys.readouterr().out)
    assert "Hint 1 of 6" in said[0] and "L⁻¹ (x - µ)    (4)" in said[0]
    assert "Hint 3 of 6" in said[2] and "u = (checks.observations" in said[2]
    assert "Hint 6 of 6" in said[5] == said[6] and "show normal_log_prob" in said[5]
    exercise.main([*arguments, "--number", "2"])
    assert "Hint 2 of 6" in capsys.readouterr().out
    exercise.main(["--all", "--folder", str(tmp_path)])
    assert re.search(r"normal_log_prob +-, hints: 6", capsys.readouterr().out)


@pytest.mark.parametrize("name", course.exercises())
def test_each_exercise_has_hints_and_can_be_shown(name, capsys):
    e = course.exercises()[name]
    assert all(hint.strip() for hint in exercise.hints(e)) and len(exercise.hints(e)) >= 1
    exercise.main(["show", name])
    said = capsys.readouterr().out
    assert ("def " + e.function if name in FUNCTIONS else f"def test_{e.erratum.lower()}_") in said


def test_the_list_names_every_exercise_with_its_level_and_its_sentence(capsys):
    exercise.main(["--list"])
    said = capsys.readouterr().out
    for name, e in course.exercises().items():
        assert f"    {name} ({e.level})\n        {e.asks[:60]}" in said
        assert " ".join(e.asks.split()) in " ".join(said.split())


@pytest.mark.parametrize("arguments, message", [
    ([], "say one of --list, --all, start NAME"), (["start"], "start needs the name"),
    (["--list", "--all"], "say one of"), (["begin", "adam"], "invalid choice"),
    (["check", "normal_logprob"], "did you mean normal_log_prob"),
    (["check", "xyz"], "there is no exercise 'xyz'; --list names them"),
    (["start", "../adam"], "there is no exercise"),
    (["hint", "adam", "--number", "0"], "from 1 on"),
    (["hint", "adam", "--number", "99"], "hints, got --number 99"),
    (["check", "adam", "--seconds", "0"], "must be a number from 1 to 3600"),
    (["check", "adam"], "exercise.py start adam")])
def test_wrong_use_is_one_line_and_exit_status_2(arguments, message, tmp_path, capsys):
    with pytest.raises(SystemExit) as ended:
        exercise.main([*arguments, "--folder", str(tmp_path)])
    said = capsys.readouterr()
    assert ended.value.code == 2 and len(said.err.splitlines()) == 1 and message in said.err
    assert said.out == "" and not any(tmp_path.iterdir())


@pytest.mark.parametrize("arguments", [["start", "adam"], ["check", "adam"], ["--all"]])
def test_a_folder_that_is_a_file_is_one_line(arguments, tmp_path, capsys):
    (tmp_path / "file").write_text("mine")
    with pytest.raises(SystemExit) as ended:
        exercise.main([*arguments, "--folder", str(tmp_path / "file")])
    assert ended.value.code == 2 and "must be a folder" in capsys.readouterr().err


@pytest.mark.parametrize("content", ["{", "[]", '{"adam": 3}'])
@pytest.mark.parametrize("arguments", [["--all"], ["hint", "adam"]])
def test_a_broken_note_of_what_is_solved_is_named(arguments, content, tmp_path):
    (tmp_path / exercise.PROGRESS).write_text(content)
    with pytest.raises(exercise.command.WrongUse, match="is broken, mend or remove it"):
        exercise.main([*arguments, "--folder", str(tmp_path)])


def test_it_works_from_any_folder_and_beside_a_package_of_another_place(tmp_path):
    (tmp_path / "gdl_numpy").mkdir()
    (tmp_path / "gdl_numpy" / "__init__.py").write_text("raise ImportError('another package')")
    (tmp_path / f"{QUICK}.py").write_text(own_answer(QUICK), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, course.ROOT / "scripts" / "exercise.py", "check", QUICK, "--folder", "."],
        cwd=tmp_path, capture_output=True, text=True, encoding="utf-8",
        env=os.environ | {"PYTHONPATH": str(course.ROOT), "PYTEST_ADDOPTS": "--no-such-option"})
    assert done.returncode == 0, done.stdout + done.stderr
