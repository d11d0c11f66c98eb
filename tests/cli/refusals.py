"""Systems that refuse: functions to run in a child before para starts, and folders of its own."""
import ctypes
import errno
import platform
import subprocess

MMAP, FALLOCATE, FSTATFS = {"x86_64": (9, 285, 138), "aarch64": (222, 47, 44)}.get(platform.machine(), (0, 0, 0))
LOAD, AND, EQUAL, AT_LEAST, RETURN = 0x20, 0x54, 0x15, 0x35, 0x06  # instructions of the Berkeley packet filter
ALLOW, ERRNO = 0x7FFF0000, 0x00050000
SHARED = 1  # of mmap's flags


class Instruction(ctypes.Structure):
    _fields_ = [("code", ctypes.c_ushort), ("jt", ctypes.c_ubyte), ("jf", ctypes.c_ubyte), ("k", ctypes.c_uint)]


class Program(ctypes.Structure):
    _fields_ = [("len", ctypes.c_ushort), ("filter", ctypes.POINTER(Instruction))]


def argument(index):
    return LOAD, 0, 0, 16 + 8 * index  # the lower half, on little-endian machines


def filtered(instructions):
    """A function that puts the process under that filter (seccomp)."""
    array = (Instruction * len(instructions))(*(Instruction(*i) for i in instructions))
    program = Program(len(instructions), array)
    libc = ctypes.CDLL(None, use_errno=True)

    def apply():
        if libc.prctl(38, 1, 0, 0, 0) or libc.prctl(22, 2, ctypes.byref(program), 0, 0):
            raise OSError(ctypes.get_errno(), "seccomp")
    return apply


def refuse(shared=False, length=None, calls=()):
    """mmap fails for shared mappings of files, or for all of that length; so do the other calls."""
    program = []
    for number, error in calls:
        program += [(LOAD, 0, 0, 0), (EQUAL, 0, 1, number), (RETURN, 0, 0, ERRNO | error)]
    if shared:
        program += [(LOAD, 0, 0, 0), (EQUAL, 0, 6, MMAP), argument(3), (AND, 0, 0, SHARED), (EQUAL, 0, 3, SHARED),
                    argument(4), (AT_LEAST, 1, 0, 0x80000000), (RETURN, 0, 0, ERRNO | errno.ENODEV)]
    if length is not None:
        program += [(LOAD, 0, 0, 0), (EQUAL, 0, 3, MMAP), argument(1), (EQUAL, 0, 1, length),
                    (RETURN, 0, 0, ERRNO | errno.ENODEV)]
    return filtered(program + [(RETURN, 0, 0, ALLOW)])


def can_mount():
    """Whether a process may have mounts of its own."""
    done = subprocess.run(["unshare", "-rm", "true"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                          check=False)
    return done.returncode == 0

