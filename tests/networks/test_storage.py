"""Storage: what was saved is loaded for the same family, and refused for any other."""

import contextlib
import io
import math
import os
import struct
import threading
import time
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy
import pytest
from register_of_families import FAMILIES

from gdl_numpy.models.energy_based import EnergyBasedFamily
from gdl_numpy.models.variational_autoencoder import VariationalAutoencoderFamily
from gdl_numpy.networks.fourier import wave_vectors
from gdl_numpy.networks.network import Network
from gdl_numpy.networks.storage import load, save, write_whole
from gdl_numpy.numerics.backend import array_module, to_numpy
from gdl_numpy.numerics.described import Described
from gdl_numpy.probability.density import Mixture, Normal
from gdl_numpy.probability.family import BoxFamily, HistogramFamily
from gdl_numpy.probability.normal_family import MixtureFamily, NormalFamily
from gdl_numpy.probability.recalibrated import RecalibratedFamily
from gdl_numpy.probability.sample_space import SampleSpace
from gdl_numpy.representation.autoencoder import AutoencoderFamily

F = wave_vectors(2, 2, (1.0,), numpy.random.default_rng(0))
NET = Network((2, 3, 2), "relu", F)
each_family = pytest.mark.parametrize("entry", FAMILIES.values(), ids=FAMILIES)


@pytest.mark.parametrize("saved, asked, message", [
    (NormalFamily(3), NormalFamily(2), "family.d is 3 there and 2 here"),
    (NormalFamily(3), MixtureFamily(1, 3), "family is NormalFamily there and MixtureFamily here"),
    (MixtureFamily(2, 3), MixtureFamily(3, 2), r"family.d is 3 there and 2 here"),
    (AutoencoderFamily((6, 4, 2)), AutoencoderFamily((6, 4, 2), "relu"),
     'family.activation is "softplus" there and "relu" here'),
    (VariationalAutoencoderFamily(NET, Network((1, 3, 2))),
     VariationalAutoencoderFamily(NET, Network((1, 3, 2), "relu")),
     'family.decoder.activation is "tanh" there and "relu" here'),
    (HistogramFamily(SampleSpace([0.0], [1.0]), (4,)),
     HistogramFamily(SampleSpace([0.0], [2.0]), (4,)), "was saved for another family"),
])
def test_another_family_is_refused_by_what_differs(tmp_path, saved, asked, message):
    save(tmp_path / "theta.npz", saved, numpy.zeros(saved.n_parameters))
    with pytest.raises(ValueError, match=message):
        load(tmp_path / "theta.npz", asked)


def test_each_family_of_the_register_is_told_from_every_other(tmp_path):
    """By the type and the arguments, whatever the number of parameters."""
    families = [entry.built() for entry in FAMILIES.values()]
    for entry, family in zip(FAMILIES.values(), families, strict=True):
        save(tmp_path / "theta.npz", family, entry.theta_of())
        for other in families:
            if other is family:
                assert (load(tmp_path / "theta.npz", other) == entry.theta_of()).all()
            else:
                with pytest.raises(ValueError, match=r": family[\w.]* is .* there and .* here"):
                    load(tmp_path / "theta.npz", other)


def test_what_cannot_be_compared_is_not_saved(tmp_path):
    family = NormalFamily(3)
    family.d = slice(3)
    with pytest.raises(TypeError, match="slice is not JSON serializable"):
        save(tmp_path / "theta.npz", family, numpy.zeros(9))
    assert not list(tmp_path.iterdir())


def test_whole_numbers_and_floats_of_a_bound_are_the_same_bound(tmp_path):
    one, two = (EnergyBasedFamily([0.0], [1.0], Network((1, 3, 1), bound=b)) for b in (3, 3.0))
    save(tmp_path / "theta.npz", one, numpy.zeros(one.n_parameters))
    assert len(load(tmp_path / "theta.npz", two)) == two.n_parameters


def test_families_of_as_many_parameters_are_told_apart(tmp_path):
    one = HistogramFamily(SampleSpace([0.0, 0.0], [1.0, 1.0]), (3, 4))
    two = HistogramFamily(SampleSpace([0.0, 0.0], [1.0, 1.0]), (4, 3))
    save(tmp_path / "theta.npz", one, numpy.zeros(12))
    with pytest.raises(ValueError, match=r"family.shape is \[3, 4\] there and \[4, 3\] here"):
        load(tmp_path / "theta.npz", two)


@pytest.mark.parametrize("theta, message", [(numpy.zeros(5), r"shape \(9,\), got \(5,\)"),
                                            (numpy.full(9, numpy.nan), "theta holds nan")])
def test_a_theta_that_does_not_fit_is_not_saved(tmp_path, theta, message):
    with pytest.raises(ValueError, match=message):
        save(tmp_path / "theta.npz", NormalFamily(3), theta)
    assert not list(tmp_path.iterdir())


# What can be saved

LINE = SampleSpace([0.0], [1.0])


def test_the_estimate_of_a_histogram_with_empty_cells_is_saved_and_loaded(tmp_path):
    family = HistogramFamily(LINE, (3,))
    theta_hat = family.mle([[0.1], [0.2], [0.9]])
    save(tmp_path / "theta.npz", family, theta_hat)
    loaded = load(tmp_path / "theta.npz", family, like=theta_hat)
    assert theta_hat[1] == -math.inf and (loaded == theta_hat).all()
    assert (family(loaded).masses == family(theta_hat).masses).all()


@pytest.mark.parametrize("family, theta, message", [
    (NormalFamily(1), [0.0, -math.inf], "theta holds -inf"),
    (HistogramFamily(LINE, (2,)), [0.0, math.inf], "theta holds inf"),
    (HistogramFamily(LINE, (2,)), [0.0, math.nan], "theta holds nan"),
    (BoxFamily(1), [1.0, 0.0], "low must be below high")])
def test_what_the_family_does_not_take_is_neither_saved_nor_loaded(tmp_path, family, theta,
                                                                   message):
    path, whole = tmp_path / "theta.npz", tmp_path / "whole.npz"
    with pytest.raises(ValueError, match=message):
        save(path, family, theta)
    assert not list(tmp_path.iterdir())
    save(whole, family, [0.0, 1.0])
    with numpy.load(whole) as held:
        numpy.savez(path, **(dict(held) | {"theta": numpy.array(theta)}))
    with pytest.raises(ValueError, match=rf"theta.npz holds a theta that .* take: {message}"):
        load(path, family)


@pytest.mark.parametrize("theta, dtype", [
    ([1.0, 2.0], "float64"), ([1, 2], "float64"), (numpy.array([1.5, 2.5], "float16"), "float32"),
    (numpy.array([1.5, 2.5], "float32"), "float32"), (numpy.array([1.5, 2.5], ">f8"), "float64")])
def test_theta_is_saved_in_the_precision_in_which_it_is_computed_with(tmp_path, theta, dtype):
    save(tmp_path / "theta.npz", NormalFamily(1), theta)
    loaded = load(tmp_path / "theta.npz", NormalFamily(1))
    assert loaded.dtype == dtype and (loaded == numpy.asarray(theta)).all()


def test_an_archive_from_a_machine_of_the_other_byte_order_is_loaded_in_that_of_this_one(tmp_path):
    save(tmp_path / "here.npz", NormalFamily(1), [1.0, 2.0])
    with numpy.load(tmp_path / "here.npz") as held:
        there = dict(held) | {"theta": numpy.array([1.0, 2.0], ">f4")}
        numpy.savez(tmp_path / "there.npz", **there)
    loaded = load(tmp_path / "there.npz", NormalFamily(1))
    assert loaded.dtype == "float32" and loaded.dtype.isnative and loaded.tolist() == [1, 2]


@dataclass
class Marked:
    """Made of one thing."""
    mark: object


class AnythingFamily(Described):
    """A family of one parameter that is made of whatever one likes."""
    n_parameters = 1

    def __init__(self, made_of):
        self.made_of = made_of

    def __call__(self, theta):
        return theta


EACH_TWICE = [                                              # functions, so that two are made
    lambda: None, lambda: (), lambda: (1, 2.5, "three", None, True), lambda: {"a": 1, "b": (2,)},
    lambda: [Network((2, 3)), Network((3, 1), "relu", bound=2.0)], lambda: (LINE, None, (LINE,)),
    lambda: {"space": LINE, "arrays": [numpy.eye(2), numpy.ones(3, "float32")]},
    lambda: NormalFamily(2), lambda: AnythingFamily(AnythingFamily([Marked(numpy.arange(3))])),
    lambda: float, lambda: numpy.float32, lambda: numpy.dtype("float64"), lambda: numpy.int64(3),
    lambda: numpy.array([numpy.nan, -numpy.inf, 1.0]), lambda: numpy.array(["a", "b"]),
    lambda: Mixture([0.5, 0.5], [Normal([0.0], [[1.0]]), Normal([1.0], [[2.0]])])]


@pytest.mark.parametrize("number", range(len(EACH_TWICE)))
def test_a_family_may_be_made_of_anything_that_can_be_compared(tmp_path, number):
    save(tmp_path / "theta.npz", AnythingFamily(EACH_TWICE[number]()), [7.0])
    for i, make in enumerate(EACH_TWICE):
        if i == number:
            assert load(tmp_path / "theta.npz", AnythingFamily(make())) == 7
        else:
            with pytest.raises(ValueError, match="was saved for another family"):
                load(tmp_path / "theta.npz", AnythingFamily(make()))


def test_numbers_of_numpy_and_of_python_and_lists_and_tuples_make_the_same_family(tmp_path):
    for one, two in ((3, numpy.int64(3)), (0.5, numpy.float64(0.5)), ((1, 2), [1, numpy.int32(2)]),
                     ([LINE], (LINE,)), (2.5, numpy.array(2.5))):
        save(tmp_path / "theta.npz", AnythingFamily(one), [7.0])
        assert load(tmp_path / "theta.npz", AnythingFamily(two)) == 7


def test_a_recalibrated_mixture_is_saved_with_all_its_components(tmp_path):
    def made(sigma):
        f = Mixture([0.5, 0.5], [Normal([0.2], [[0.1]]), Normal([0.8], [[sigma]])])
        return RecalibratedFamily(f, -1.0, LINE, (5,))

    save(tmp_path / "theta.npz", made(0.1), [2.0, 3.0, 1.0])
    assert load(tmp_path / "theta.npz", made(0.1)).tolist() == [2, 3, 1]
    with pytest.raises(ValueError, match=r"family.f.components.1.covariance is an array"):
        load(tmp_path / "theta.npz", made(0.2))


@pytest.mark.parametrize("thing", [lambda x: x, print, object, {1, 2}, slice(3), io.StringIO(),
                                   numpy.array([None])])
def test_what_cannot_be_compared_is_refused_by_its_name(tmp_path, thing):
    if thing is object:
        thing = threading.Lock()
    with pytest.raises(TypeError, match=r"family.made_of.1 cannot be saved: "):
        save(tmp_path / "theta.npz", AnythingFamily([3, thing]), [7.0])
    assert not list(tmp_path.iterdir())


# Broken archives

def broken(whole, path):
    """Files that are not a whole archive of a NormalFamily(3)'s θ, and what is said of each."""
    damaged, parts = "is not a whole archive of parameters", dict(numpy.load(io.BytesIO(whole)))
    yield b"", damaged
    yield b"text", damaged
    end = whole.rindex(b"PK\5\6")                           # an archive with a second, false end
    yield whole[:end] + struct.pack("<4sLQL", b"PK\6\7", 0, 0, 2) + whole[end:], damaged
    yield from ((whole[:len(whole) * i // 8], damaged) for i in range(1, 8))
    for write in (lambda file: numpy.save(file, numpy.zeros(9)),
                  lambda file: numpy.savez(file, theta=numpy.array([os.getcwd], dtype=object))):
        write(file := io.BytesIO())
        yield file.getvalue(), damaged
    header = b"{'descr': '<f8', 'fortran_order': False, 'shape': (99999999999999,), }"
    huge = b"\x93NUMPY\x01\x00\x76\x00" + header.ljust(117) + b"\n"
    for member, content in (("theta.npy", huge), ("theta.npy", b"\x93NUMPY"),
                            ("theta.npy", b"\x93NUMPY\x09\x09ab"), ("theta", b"1 2 3")):
        with zipfile.ZipFile(file := io.BytesIO(), "w") as archive:
            archive.writestr(member, content)
            for name in parts.keys() - {"theta"}:
                numpy.save(part := io.BytesIO(), parts[name])
                archive.writestr(f"{name}.npy", part.getvalue())
        yield file.getvalue(), damaged if member == "theta.npy" else "holds a theta of dtype"
    other = "was saved for another family: "
    for change, message in [
            ({"theta": None}, "holds no theta, but family"),
            ({"family": None}, other + "family is not set there"),
            ({"family.d": None}, other + "family.d is not set there and 3 here"),
            ({"family": numpy.array("PoissonFamily")}, other + "family is PoissonFamily there"),
            ({"family": numpy.array("x" * 10_000)}, other + "family is xxx"),
            ({"family": numpy.array("two\nlines")}, other + "family is two lines there"),
            ({"family": numpy.array(3.0)}, other), ({"family": numpy.zeros(3, "i4,f8")}, other),
            ({"family.d": numpy.array(3)}, other), ({"more": numpy.ones(2)}, other + "more is an"),
            ({"theta": numpy.zeros(8)}, r"must be an array of shape \(9,\), got \(8,\)"),
            ({"theta": numpy.zeros((3, 3))}, r"must be an array of shape \(9,\), got \(3, 3\)"),
            ({"theta": numpy.array(0.0)}, r"must be an array of shape \(9,\), got \(\)"),
            ({"theta": numpy.full(9, math.nan)}, "theta holds nan"),
            ({"theta": numpy.full(9, math.inf)}, "theta holds inf"),
            *(({"theta": numpy.zeros(9, dtype)}, "holds a theta of dtype") for dtype in
              ("int64", "float16", "complex128", "bool", "U3", "M8[s]", "i4,f8"))]:
        changed = {name: value for name, value in (parts | change).items() if value is not None}
        numpy.savez(file := io.BytesIO(), **changed)
        yield file.getvalue(), message


def test_every_broken_archive_is_refused_in_one_line_that_names_it_and_runs_nothing(tmp_path):
    path, family = tmp_path / "theta.npz", NormalFamily(3)
    save(path, family, numpy.zeros(9))
    for content, message in list(broken(path.read_bytes(), path)):
        path.write_bytes(content)
        with pytest.raises(ValueError, match=message) as refused:
            load(path, family)
        said = str(refused.value)
        assert said.startswith(str(path)) and "\n" not in said and len(said) < 600


def test_a_flipped_byte_is_noticed_or_changes_nothing(tmp_path):
    path, family = tmp_path / "theta.npz", NormalFamily(3)
    save(path, family, theta := numpy.arange(9.0))
    whole = path.read_bytes()
    for i in range(0, len(whole), 5):
        path.write_bytes(whole[:i] + bytes([whole[i] ^ 255]) + whole[i + 1:])
        with contextlib.suppress(ValueError):
            assert (load(path, family) == theta).all()


def test_a_file_that_is_not_there_and_a_folder_are_errors_of_the_system(tmp_path):
    with pytest.raises(FileNotFoundError, match="nothing.npz"):
        load(tmp_path / "nothing.npz", NormalFamily(3))
    with pytest.raises(OSError, match=str(tmp_path)):
        load(tmp_path, NormalFamily(3))
    with pytest.raises(OSError, match=str(tmp_path)):
        save(tmp_path, NormalFamily(3), numpy.zeros(9))
    with pytest.raises(FileNotFoundError, match="'.*nowhere/theta.npz'"):
        save(tmp_path / "nowhere" / "theta.npz", NormalFamily(3), numpy.zeros(9))


# Whole files

def test_an_interrupted_save_leaves_the_old_file_whole(tmp_path, monkeypatch):
    path, family = tmp_path / "theta.npz", NormalFamily(3)
    save(path, family, numpy.ones(9))
    monkeypatch.setattr(numpy, "savez", lambda *args, **kwargs: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        save(path, family, numpy.zeros(9))
    assert (to_numpy(load(path, family)) == 1).all()
    assert [path.name for path in tmp_path.iterdir()] == ["theta.npz"]


def test_writers_of_one_file_do_not_meet_and_no_reader_sees_half_of_it(tmp_path):
    path, errors, wrong = tmp_path / "file", [], []

    def writer(letter):
        def write(file):
            for _ in range(20):
                file.write(20_000 * letter)

        for _ in range(20):
            try:
                write_whole(path, write)
            except OSError as error:
                errors.append(error)

    write_whole(path, lambda file: file.write(400_000 * b"o"))
    threads = [threading.Thread(target=writer, args=(letter,)) for letter in (b"a", b"b", b"c")]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        text = path.read_bytes()
        if text != 400_000 * text[:1]:
            wrong.append(text)
    assert not errors and not wrong and list(tmp_path.iterdir()) == [path]


def test_files_of_others_are_left_alone_and_what_was_killed_is_swept_after_an_hour(tmp_path):
    theirs = [tmp_path / name for name in ("theta.npz.tmp", "theta.npz.partial", ".theta.npz.tmp",
                                           f".other.npz.{32 * '1'}.partial", ".theta.npz.partial",
                                           ".theta.npz.my own.partial",
                                           f".theta.npz.{32 * 'a'}.partial")]
    left = tmp_path / f".theta.npz.{32 * 'b'}.partial"
    for file in [*theirs, left]:
        file.write_text("mine")
    for file in [*theirs[:-1], left]:
        os.utime(file, (0, time.time() - 3700))
    save(tmp_path / "theta.npz", NormalFamily(3), numpy.zeros(9))
    assert all(file.read_text() == "mine" for file in theirs) and not left.exists()


def mode(path):
    return path.stat().st_mode & 0o777


@pytest.mark.skipif(os.name != "posix", reason="modes and links as POSIX has them")
def test_modes_and_links_are_kept(tmp_path):
    path, link = tmp_path / "theta.npz", tmp_path / "link.npz"
    link.symlink_to("theta.npz")
    old = os.umask(0o027)
    try:
        save(link, NormalFamily(3), numpy.zeros(9))         # through a link that leads nowhere yet
    finally:
        os.umask(old)
    assert mode(path) == 0o640 and link.is_symlink()        # a new file has what the umask leaves
    path.chmod(0o664)
    save(link, NormalFamily(3), numpy.ones(9))
    assert mode(path) == 0o664 and link.is_symlink() and (load(path, NormalFamily(3)) == 1).all()


@pytest.mark.skipif(os.name != "posix", reason="modes as POSIX has them")
def test_a_private_file_stays_private_while_it_is_written(tmp_path):
    path, seen = tmp_path / "theta.npz", []
    path.touch(mode=0o600)
    write_whole(path, lambda file: seen.append(mode(Path(file.name))))
    assert seen == [0o600]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes as POSIX has them")
def test_a_pipe_is_written_to_and_not_replaced(tmp_path):
    pipe, read = tmp_path / "pipe", []
    os.mkfifo(pipe)
    reader = threading.Thread(target=lambda: read.append(pipe.read_bytes()), daemon=True)
    reader.start()
    save(pipe, NormalFamily(3), numpy.ones(9))
    reader.join(10)
    assert pipe.is_fifo() and (numpy.load(io.BytesIO(read[0]))["theta"] == 1).all()


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="Linux has a disk that is always full")
def test_a_device_is_written_to_and_not_replaced():
    for device, error in (("/dev/full", pytest.raises(OSError, match="No space left")),
                          ("/dev/null", contextlib.nullcontext())):
        with error:
            save(device, NormalFamily(3), numpy.zeros(9))
        assert not os.path.isfile(device)


@pytest.mark.parametrize("name", ["x" * 250, "数" * 80 + ".npz", "[a] *?.npz", "two words.npz"])
def test_a_file_may_have_any_name(tmp_path, name):
    save(str(tmp_path / name), NormalFamily(3), numpy.zeros(9))
    assert len(load(tmp_path / name, NormalFamily(3))) == 9


def test_a_path_may_be_bytes_but_not_a_number(tmp_path):
    save(os.fsencode(tmp_path / "theta.npz"), NormalFamily(3), numpy.ones(9))
    assert (load(os.fsencode(tmp_path / "theta.npz"), NormalFamily(3)) == 1).all()
    held = os.open(tmp_path / "theta.npz", os.O_RDONLY)
    for wrong in (lambda: save(held, NormalFamily(3), numpy.ones(9)),
                  lambda: load(held, NormalFamily(3))):
        with pytest.raises(TypeError, match="expected str, bytes or os.PathLike object, not int"):
            wrong()
    os.close(held)                                          # it was still open


def test_a_full_disk_leaves_the_old_file_and_the_error_names_it(tmp_path):
    def full(file):
        file.write(b"half")
        raise OSError(28, "No space left on device")

    (tmp_path / "file").write_text("old")
    with pytest.raises(OSError, match="No space left on device: '.*/file'$"):
        write_whole(tmp_path / "file", full)
    assert (tmp_path / "file").read_text() == "old" and len(list(tmp_path.iterdir())) == 1


# Contracts

@each_family
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_what_was_saved_is_loaded_bit_by_bit(tmp_path, xp, entry, dtype):
    family, theta = entry.built(xp, dtype), entry.theta_of(xp, dtype)
    save(tmp_path / "theta.npz", family, theta)
    loaded = load(tmp_path / "theta.npz", entry.built(xp, dtype), like=theta)
    assert array_module(loaded) is xp and loaded.dtype == dtype and (loaded == theta).all()
    assert isinstance(load(tmp_path / "theta.npz", family), numpy.ndarray)
    assert [path.name for path in tmp_path.iterdir()] == ["theta.npz"]
