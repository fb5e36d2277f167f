import { CALL_HARNESS_DIGEST } from '../../model/call-harness.js';
import type { SourceFile } from '../../model/sample.js';

/*
 * Solutions that are functions, or methods of a class `Solution`, become programs by means of a harness in Python. It reads
 * `{"call": name, "rule": rule, "args": [...]}` from stdin, calls the function and prints its return value in the form of
 * canonical-value.ts. Anything that the solution itself prints is discarded, as in the graders of APPS, TACO and LiveCodeBench.
 */

/** Imports that those graders put before every solution; modules that are not installed are left out. */
const PREAMBLE = [
    'from string import *',
    'from re import *',
    'from datetime import *',
    'from collections import *',
    'from heapq import *',
    'from bisect import *',
    'from copy import *',
    'from math import *',
    'from random import *',
    'from statistics import *',
    'from itertools import *',
    'from functools import *',
    'from operator import *',
    'from io import *',
    'from sys import *',
    'from json import *',
    'from builtins import *',
    'from typing import *',
    'import string, re, datetime, collections, heapq, bisect, copy, math, random, statistics, itertools, functools, operator, io, sys, json',
    'import time, queue, fractions, decimal, os',
    'import numpy',
    'import numpy as np',
];

const HARNESS = `import decimal, fractions, json, os, struct, sys, types

PREAMBLE = ${JSON.stringify(PREAMBLE)}


def number(value):
    if isinstance(value, int):
        return str(int(value))
    if value is json.decoder.NaN:
        return "fnan"
    if value != value or value in (float("inf"), float("-inf")):
        return "f" + struct.pack(">d", value).hex()
    return str(int(value)) if value == int(value) else "f" + struct.pack(">d", value).hex()


def plain(value):
    """The integer or float that equals it, as Python compares; itself where there is none."""
    if isinstance(value, complex):
        return value if value.imag else value.real
    try:
        top, bottom = value.as_integer_ratio()
        near = top if bottom == 1 else top / bottom
    except (ArithmeticError, ValueError):
        near = float(value)
    return near if near == value else value


def text(value):
    if isinstance(value, (complex, decimal.Decimal, fractions.Fraction)):
        value = plain(value)
    if value is None:
        return "n"
    if isinstance(value, (int, float)):
        return number(value)
    if isinstance(value, str):
        return "s" + json.dumps(value)
    if isinstance(value, list):
        return "l[" + ",".join(map(text, value)) + "]"
    if isinstance(value, tuple):
        return "t[" + ",".join(map(text, value)) + "]"
    if isinstance(value, dict):
        return "d{" + ",".join(sorted(text(k) + ":" + text(v) for k, v in value.items())) + "}"
    item = getattr(value, "item", None)
    return text(item()) if callable(item) and not getattr(value, "shape", ()) else "o" + type(value).__name__


def load():
    module = types.ModuleType("solution")
    sys.modules["solution"] = module
    for line in PREAMBLE:
        try:
            exec(line, module.__dict__)
        except ImportError:
            pass
    folder = os.path.dirname(os.path.abspath(__file__))
    with open(os.path.join(folder, "solution.py"), encoding="utf-8") as file:
        source = file.read()
    exec(compile(source, "solution.py", "exec"), module.__dict__)
    return module


def main():
    task = json.loads(sys.stdin.read())
    answer = os.dup(1)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    sys.setrecursionlimit(6 * 10**5)
    if hasattr(sys, "set_int_max_str_digits"):
        sys.set_int_max_str_digits(0)
    args = task["args"]
    if task["rule"] == "apps" and args and isinstance(args[0], dict):
        try:
            args = [{int(key): value for key, value in args[0].items()}]
        except ValueError:
            pass
    module = load()
    owner = module.Solution() if hasattr(module, "Solution") else module
    result = getattr(owner, task["call"])(*args)
    if isinstance(result, tuple):
        result = list(result)
    lines = ["r:" + text(result)]
    if task["rule"] == "apps" and isinstance(result, list) and result and isinstance(result[0], tuple):
        try:
            lines.append("c:" + text([list(item) for item in result]))
        except TypeError:
            pass
    os.write(answer, ("\\n".join(lines) + "\\n").encode())


main()
`;

/** The files of a called solution's program: the harness, and the solution itself. */
export const callFiles = (solution: SourceFile['content']): [SourceFile, SourceFile] => [
    { name: 'main.py', content: { text: HARNESS, digest: CALL_HARNESS_DIGEST } },
    { name: 'solution.py', content: solution },
];

/** The stdin of a call. @param args the list of arguments as JSON */
export const callInput = (name: string, rule: string, args: string): string =>
    `{"call": ${JSON.stringify(name)}, "rule": ${JSON.stringify(rule)}, "args": ${args}}\n`;
