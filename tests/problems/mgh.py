# ruff: noqa: B007, COM819, E501, I001, ICN001, Q000
# fmt: off
# A table in the form of functions, one line a problem: kept as it is written.
"""Moré, Garbow & Hillstrom, Testing Unconstrained Optimization Software, ACM TOMS 7(1), 1981: as residual vectors.

f is the plain sum of squares. Dimensions are the standard ones. x0 is the standard start; the paper also uses 10 x0 and 100 x0
(`starts(p)`). Written from the mathematics; values and gradients checked against CUTEst's.
"""
from math import sqrt, pi, exp
import numpy
from tests.problems.base import Collection

MGH = Collection("mgh")


def R(name, x0, res, fstar, xstar=None, **kw):
    return MGH.add(name, x0, res=res, fstar=fstar, xstar=xstar, **kw)


def starts(p):
    return [p.x0, 10 * p.x0, 100 * p.x0]


A = lambda *v: numpy.array(v, float)
S = lambda np, *v: np.stack(v)
R("01_rosenbrock", [-1.2, 1], lambda x, np: S(np, 10 * (x[1] - x[0] ** 2), 1 - x[0]), 0.0, [1, 1], cutest="ROSENBR")
R("03_powell_badly_scaled", [0, 1], lambda x, np: S(np, 1e4 * x[0] * x[1] - 1, np.exp(-x[0]) + np.exp(-x[1]) - 1.0001), 0.0,
  [1.09815932969981745e-5, 9.10614673986652], note="S2MPJ holds it as equations only")
R("05_beale", [1, 1], lambda x, np: S(np, 1.5 - x[0] * (1 - x[1]), 2.25 - x[0] * (1 - x[1] ** 2), 2.625 - x[0] * (1 - x[1] ** 3)), 0.0, [3, .5], cutest="BEALE")
_i10 = numpy.arange(1., 11)
R("07_helical_valley", [-1, 0, 0], lambda x, np: S(np, 10 * (x[2] - 10 * (np.arctan(x[1] / x[0]) / (2 * pi) + np.where(x[0] < 0, .5, 0.))),
                                                   10 * (np.sqrt(x[0] ** 2 + x[1] ** 2) - 1), x[2]), 0.0, [1, 0, 0], cutest="HELIX")
_yb = A(.14, .18, .22, .25, .29, .32, .35, .39, .37, .58, .73, .96, 1.34, 2.10, 4.39)
_u = numpy.arange(1., 16)
_v = 16 - _u
_w = numpy.minimum(_u, _v)
_yg = A(.0009, .0044, .0175, .0540, .1295, .2420, .3521, .3989, .3521, .2420, .1295, .0540, .0175, .0044, .0009)
_tg = (8 - numpy.arange(1., 16)) / 2
R("09_gaussian", [.4, 1, 0], lambda x, np: x[0] * np.exp(-x[1] * (_tg - x[2]) ** 2 / 2) - _yg, 1.12793e-8, [.3989561, 1.0000191, 0], cutest="GAUSSIAN")
_ym = A(34780, 28610, 23650, 19630, 16370, 13720, 11540, 9744, 8261, 7030, 6005, 5147, 4427, 3820, 3307, 2872)
_tm = 45 + 5 * numpy.arange(1., 17)
_tgu = .01 * numpy.arange(1., 100)
_ygu = 25 + (-50 * numpy.log(_tgu)) ** (2 / 3)
R("11_gulf", [5, 2.5, .15], lambda x, np: np.exp(-np.abs(_ygu - x[1]) ** x[2] / x[0]) - _tgu, 0.0, [50, 25, 1.5], also=[.038], cutest="GULF", note="m = 99; the paper's 'm i' factor is a known misprint")
_tb = .1 * numpy.arange(1., 11)
R("13_powell_singular", [3, -1, 0, 1], lambda x, np: S(np, x[0] + 10 * x[1], sqrt(5) * (x[2] - x[3]), (x[1] - 2 * x[2]) ** 2, sqrt(10) * (x[0] - x[3]) ** 2), 0.0,
  [0, 0, 0, 0], cutest="POWELLSG", cutest_args=(4,))
_yk = A(.1957, .1947, .1735, .1600, .0844, .0627, .0456, .0342, .0323, .0235, .0246)
_uk = A(4, 2, 1, .5, .25, .167, .125, .1, .0833, .0714, .0625)
R("15_kowalik_osborne", [.25, .39, .415, .39], lambda x, np: _yk - x[0] * (_uk ** 2 + _uk * x[1]) / (_uk ** 2 + _uk * x[2] + x[3]), 3.07505e-4,
  [.1928069, .1912823, .1230566, .1360623], also=[1.02734e-3], cutest="KOWOSB")
_td = numpy.arange(1., 21) / 5
_yo = A(.844, .908, .932, .936, .925, .908, .881, .850, .818, .784, .751, .718, .685, .658, .628, .603, .580, .558, .538, .522, .506, .490, .478, .467, .457, .448,
        .438, .431, .424, .420, .414, .411, .406)
_to = 10 * numpy.arange(33.)
R("17_osborne1", [.5, 1.5, -1, .01, .02], lambda x, np: _yo - (x[0] + x[1] * np.exp(-_to * x[3]) + x[2] * np.exp(-_to * x[4])), 5.46489e-5,
  [.37541, 1.93585, -1.46469, .0128675, .0221227], cutest="OSBORNEA")
_t6 = .1 * numpy.arange(1., 14)
_y6 = numpy.exp(-_t6) - 5 * numpy.exp(-10 * _t6) + 3 * numpy.exp(-4 * _t6)
_yo2 = A(1.366, 1.191, 1.112, 1.013, .991, .885, .831, .847, .786, .725, .746, .679, .608, .655, .616, .606, .602, .626, .651, .724, .649, .649, .694, .644, .624,
         .661, .612, .558, .533, .495, .500, .423, .395, .375, .372, .391, .396, .405, .428, .429, .523, .562, .607, .653, .672, .708, .633, .668, .645, .632,
         .591, .559, .597, .625, .739, .710, .729, .720, .636, .581, .428, .292, .162, .098, .054)
_to2 = numpy.arange(65.) / 10
R("19_osborne2", [1.3, .65, .65, .7, .6, 3, 5, 7, 2, 4.5, 5.5],
  lambda x, np: _yo2 - (x[0] * np.exp(-_to2 * x[4]) + x[1] * np.exp(-(_to2 - x[8]) ** 2 * x[5]) + x[2] * np.exp(-(_to2 - x[9]) ** 2 * x[6])
                        + x[3] * np.exp(-(_to2 - x[10]) ** 2 * x[7])), 4.01377e-2, note="S2MPJ's OSBORNEB has other values (n = 11 decoding); MINPACK prints the initial and final norms 1.446865 and .2003440, which these residuals give")


def watson(n):
    t = numpy.arange(1., 30) / 29
    P = t[:, None] ** numpy.arange(n)
    D = numpy.zeros((29, n))
    D[:, 1:] = numpy.arange(1, n) * t[:, None] ** numpy.arange(n - 1)
    return lambda x, np: np.concatenate([D @ x - (P @ x) ** 2 - 1, np.stack([x[0], x[1] - x[0] ** 2 - 1])])


for _n, _fs in ((6, 2.28767e-3), (9, 1.39976e-6), (12, 4.72238e-10)):
    R(f"20_watson{_n}", [0] * _n, watson(_n), _fs, cutest="WATSON" if _n == 12 else None, cutest_args=(12,))


def ext_rosen(x, np):
    return np.concatenate([10 * (x[1::2] - x[0::2] ** 2), 1 - x[0::2]])


R("21_ext_rosenbrock", [-1.2, 1] * 5, ext_rosen, 0.0, [1] * 10, )


def ext_powell(x, np):
    a, b, c, d = x[0::4], x[1::4], x[2::4], x[3::4]
    return np.concatenate([a + 10 * b, sqrt(5) * (c - d), (b - 2 * c) ** 2, sqrt(10) * (a - d) ** 2])


_pen1 = lambda x, np: np.concatenate([sqrt(1e-5) * (x - 1), np.stack([np.sum(x ** 2) - .25])])
R("23_penalty1_4", [1, 2, 3, 4], _pen1, 2.24997e-5, cutest="PENALTY1", cutest_args=(4,))
R("23_penalty1_10", list(range(1, 11)), _pen1, 7.08765e-5, cutest="PENALTY1", cutest_args=(10,))


def penalty2(n):
    i = numpy.arange(2., n + 1)
    y = numpy.exp(i / 10) + numpy.exp((i - 1) / 10)
    k = n - numpy.arange(1., n + 1) + 1
    a = sqrt(1e-5)
    return lambda x, np: np.concatenate([np.stack([x[0] - .2]), a * (np.exp(x[1:n] / 10) + np.exp(x[0:n - 1] / 10) - y),
                                         a * (np.exp(x[1:n] / 10) - exp(-.1)), np.stack([np.sum(k * x ** 2) - 1])])




def vardim(n):
    j = numpy.arange(1., n + 1)
    return lambda x, np: np.concatenate([x - 1, np.stack([np.sum(j * (x - 1)), np.sum(j * (x - 1)) ** 2])])


R("25_vardim", [1 - j / 10 for j in range(1, 11)], vardim(10), 0.0, [1] * 10, cutest="VARDIM", cutest_args=(10,))


def trig(n):
    i = numpy.arange(1., n + 1)
    return lambda x, np: n - np.sum(np.cos(x)) + i * (1 - np.cos(x)) - np.sin(x)




def brown_al(n):
    def r(x, np):
        p = x[0]
        for k in range(1, n):
            p = p * x[k]
        return np.concatenate([x[0:n - 1] + np.sum(x) - (n + 1), np.stack([p - 1])])
    return r


R("27_brown_almost_linear", [.5] * 10, brown_al(10), 0.0, [1] * 10, also=[1.0], cutest="BROWNAL", cutest_args=(10,))


def disc_bv(n):
    h = 1 / (n + 1)
    t = h * numpy.arange(1., n + 1)

    def r(x, np):
        z = x[0:1] * 0
        return 2 * x - np.concatenate([z, x[0:n - 1]]) - np.concatenate([x[1:n], z]) + h ** 2 * (x + t + 1) ** 3 / 2
    return r, t * (t - 1)


_r, _x0 = disc_bv(10)


def disc_int(n):
    h = 1 / (n + 1)
    t = h * numpy.arange(1., n + 1)
    K = numpy.where(numpy.arange(n)[None, :] <= numpy.arange(n)[:, None], (1 - t)[:, None] * t[None, :], t[:, None] * (1 - t)[None, :])
    return lambda x, np: x + h / 2 * (K @ (x + t + 1) ** 3)


R("29_discrete_integral", _x0, disc_int(10), 0.0, note="S2MPJ's INTEQNELS counts two fixed boundary variables; compared with them held at 0")


def broyden3(n):
    def r(x, np):
        z = x[0:1] * 0
        return (3 - 2 * x) * x - np.concatenate([z, x[0:n - 1]]) - 2 * np.concatenate([x[1:n], z]) + 1
    return r




def broyden_banded(n):
    B = numpy.zeros((n, n))
    for i in range(n):
        for j in range(max(0, i - 5), min(n, i + 2)):
            if i != j:
                B[i, j] = 1
    return lambda x, np: x * (2 + 5 * x ** 2) + 1 - B @ (x * (1 + x))


R("31_broyden_banded", [-1] * 10, broyden_banded(10), 0.0, note="S2MPJ's BROYDNBDLS is another variant; MINPACK initial norm 18.97367 agrees")
_i20 = numpy.arange(1., 21)
_j10 = numpy.arange(1., 11)
R("33_linear_rank1", [1] * 10, lambda x, np: _i20 * np.sum(_j10 * x) - 1, 20 * 19 / (2 * 41), cutest="ARGLINB", cutest_args=(10, 20))


def chebyquad(n, m=None):
    m = m or n

    def r(x, np):
        y = 2 * x - 1
        T = [1 + 0 * y, y]
        for k in range(2, m + 1):
            T.append(2 * y * T[-1] - T[-2])
        return np.stack([np.sum(T[k]) / n + (1 / (k * k - 1) if k % 2 == 0 else 0) for k in range(1, m + 1)])
    return r


for _n, _fs in ((7, 0.0), (8, 3.51687e-3), (9, 0.0), (10, 6.50395e-3)):
    R(f"35_chebyquad{_n}", [j / (_n + 1) for j in range(1, _n + 1)], chebyquad(_n), _fs, also=[4.77271e-3] if _n == 10 else [], cutest="CHEBYQAD", cutest_args=(_n, _n))
for _k in ['20_watson12', '20_watson6', '20_watson9']:
    MGH.pop(_k, None)
