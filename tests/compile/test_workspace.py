import random

from symtape.compile.workspace import ALIGNMENT, Workspace


def test_what_is_given_back_is_used_again():
    room = Workspace()
    a, b, c = room.take(100), room.take(100), room.take(100)
    assert len({a, b, c}) == 3
    room.give(a)
    room.give(b)
    assert room.take(200) == a
    assert room.size == c + 128


def test_the_end_grows_from_what_is_free():
    room = Workspace()
    a = room.take(64)
    b = room.take(64)
    room.give(b)
    assert room.take(640) == b
    assert room.size == 64 + 640
    room.give(a)


def test_ranges_never_overlap():
    rng = random.Random(0)
    room, taken = Workspace(), {}
    for _ in range(2000):
        if taken and rng.random() < 0.5:
            start = rng.choice(list(taken))
            room.give(start)
            del taken[start]
        else:
            length = rng.randrange(0, 1000)
            start = room.take(length)
            assert start % ALIGNMENT == 0
            for other, size in taken.items():
                assert start + max(length, 1) <= other or other + max(size, 1) <= start
            taken[start] = length
            assert start + length <= room.size
    for start in taken:
        room.give(start)
    assert room.take(room.size) == 0
