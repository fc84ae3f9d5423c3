"""Which line is the user's."""

import linecache

from symtape.graph.source import describe, line_number, positions, user_frame


def run(code, name, **names):
    filename = f"/nowhere/{name}.py"
    linecache.cache[filename] = (len(code), None, code.splitlines(keepends=True), filename)
    space = {"__name__": name, "user_frame": user_frame, **names}
    exec(compile(code, filename, "exec"), space)
    return space


def test_library_frames_are_skipped():
    inner = run("def call():\n    return user_frame(1)\n", "scipy.optimize._deep")
    outer = run("def mine():\n    return call()\n", "mine", call=inner["call"])
    frame = outer["mine"]()
    assert frame.f_code.co_filename == "/nowhere/mine.py"
    assert line_number(frame.f_code, frame.f_lasti) == 2


def test_names_that_only_begin_alike_are_the_users():
    for name in ("scipy_tricks", "numpyro", "symtape_plots"):
        space = run("def call():\n    return user_frame(1)\n", name)
        assert space["call"]().f_code.co_filename == f"/nowhere/{name}.py"


def test_a_line_is_described_with_its_text():
    space = run("def f():\n    x = 1\n    return user_frame(1)\n", "described")
    frame = space["f"]()
    assert describe(frame.f_code, frame.f_lasti) == "/nowhere/described.py:3: return user_frame(1)"
    linecache.cache.pop("/nowhere/described.py")
    assert describe(frame.f_code, frame.f_lasti) == "/nowhere/described.py:3"
    assert describe(None, 0) == "an unknown line"


def test_positions_tell_places_of_one_line_apart():
    space = run("def f(g):\n    return g() + g()\n", "placed")
    places = []

    def g():
        frame = user_frame(2)
        places.append(positions(frame.f_code, frame.f_lasti))
        return 1

    space["f"](g)
    assert places[0] != places[1]
    assert [p[0] for p in places] == [2, 2]
    assert positions(space["f"].__code__, 10**6) == (None, None, None, None)


def test_text_that_has_no_file_is_judged_each_time():
    mine = {"__name__": "__main__", "user_frame": user_frame}
    exec(compile("def f(): return user_frame(1)", "<string>", "exec"), mine)
    theirs = {"__name__": "numpy.generated", "user_frame": user_frame}
    exec(compile("def f(): return user_frame(1)", "<string>", "exec"), theirs)
    assert theirs["f"]().f_code is not theirs["f"].__code__
    assert mine["f"]().f_code is mine["f"].__code__
