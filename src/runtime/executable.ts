/**
 * Finds out why the kernel did not execute a program (execve(2), elf(5)). Only used for messages: whether a program can be executed, the
 * kernel alone decides, since binfmt_misc can add interpreters.
 */
import {closeSync, fstatSync, readSync} from 'node:fs'
import {isAbsolute, posix} from 'node:path'
import {openInRoot} from './open-in-root.ts'

export interface Program {
  readonly args: readonly string[]
  readonly cwd: string
  readonly env: readonly string[]
}

export interface ExecutionFault {
  readonly code: 'COMMAND_NOT_FOUND' | 'COMMAND_NOT_EXECUTABLE'
  readonly message: string
}

/** The number of bytes from which the kernel detects the type of a file (BINPRM_BUF_SIZE). */
const headBytes = 256
/** The interpreter of a script can be a script, up to this depth. */
const mostInterpreters = 5
const mostHeaders = 64
const longestPath = 4096

/**
 * @param root the root directory of the process that executes it, such as /proc/<pid>/root
 * @returns undefined when no fault is found
 */
export function findExecutionFault(root: string, {args: [name = ''], cwd, env}: Program): ExecutionFault | undefined {
  const path = toCandidates(name, cwd, env).find((candidate) => hasMode(root, candidate))
  if (path === undefined) return undefined
  return findFault(root, path, cwd, mostInterpreters)
}

function findFault(root: string, path: string, cwd: string, left: number): ExecutionFault | undefined {
  const fd = openInRoot(root, path)
  if (fd === undefined || left === 0) return undefined
  try {
    const head = read(fd, 0, headBytes)
    if (head.subarray(0, 2).toString('latin1') === '#!') return findScriptFault(root, {path, head, cwd, left})
    if (head.subarray(0, 4).toString('latin1') === '\x7fELF') return findElfFault(root, fd, path, head)
    return notExecutable(`${path} is neither a program of Linux nor a script that begins with #!`)
  } finally {
    closeSync(fd)
  }
}

interface Script {
  readonly path: string
  readonly head: Buffer
  readonly cwd: string
  readonly left: number
}

function findScriptFault(root: string, {path, head, cwd, left}: Script): ExecutionFault | undefined {
  const [line = ''] = head
    .subarray(2)
    .toString('utf8')
    .split(/[\n\0]/, 1)
  const [interpreter = ''] = line.replace(/^[ \t]+/, '').split(/[ \t]/, 1)
  if (interpreter === '') return notExecutable(`${path} begins with #!, but names no interpreter`)
  const at = posix.resolve(cwd, interpreter)
  return findInterpreterFault(root, path, at, interpreter) ?? findFault(root, at, cwd, left - 1)
}

function findElfFault(root: string, fd: number, path: string, head: Buffer): ExecutionFault | undefined {
  const isWide = head[4] === 2
  if (head.length < (isWide ? 64 : 52)) return notExecutable(`${path} is a program that has been cut off`)
  const isBig = head[5] === 2
  const word = (at: number) => (isBig ? head.readUInt16BE(at) : head.readUInt16LE(at))
  const machine = word(18)
  if (isBig !== isBigEndian() || !toHostMachines().includes(machine))
    return notExecutable(`${path} is a program for ${machineNames[machine] ?? `machine ${machine}`}, and this host is ${process.arch}`)
  const interpreter = findElfInterpreter(fd, {isWide, isBig, head})
  return interpreter === undefined ? undefined : findInterpreterFault(root, path, interpreter, interpreter)
}

/** The path in the program header of type PT_INTERP. */
function findElfInterpreter(
  fd: number,
  {isWide, isBig, head}: {readonly isWide: boolean; readonly isBig: boolean; readonly head: Buffer},
): string | undefined {
  const readNumber = (bytes: Buffer, at: number, size: 2 | 4 | 8) => {
    if (bytes.length < at + size) return 0
    if (size === 8) return Number(isBig ? bytes.readBigUInt64BE(at) : bytes.readBigUInt64LE(at))
    return isBig ? bytes.readUIntBE(at, size) : bytes.readUIntLE(at, size)
  }
  const [offset, size, count] = isWide
    ? [readNumber(head, 32, 8), readNumber(head, 54, 2), readNumber(head, 56, 2)]
    : [readNumber(head, 28, 4), readNumber(head, 42, 2), readNumber(head, 44, 2)]
  for (let index = 0; index < Math.min(count, mostHeaders); index += 1) {
    const header = read(fd, offset + index * size, isWide ? 56 : 32)
    if (readNumber(header, 0, 4) !== 3) continue
    const [from, length] = isWide
      ? [readNumber(header, 8, 8), readNumber(header, 32, 8)]
      : [readNumber(header, 4, 4), readNumber(header, 16, 4)]
    return read(fd, from, Math.min(length, longestPath)).toString('utf8').split('\0', 1)[0]
  }
  return undefined
}

function findInterpreterFault(root: string, path: string, at: string, interpreter: string): ExecutionFault | undefined {
  const mode = hasMode(root, at)
  if (mode === undefined)
    return {code: 'COMMAND_NOT_FOUND', message: `${path} needs ${JSON.stringify(interpreter)}, which does not exist in the container`}
  return mode ? undefined : notExecutable(`${path} needs ${JSON.stringify(interpreter)}, which is not executable`)
}

function toCandidates(name: string, cwd: string, env: readonly string[]): readonly string[] {
  if (name.includes('/')) return [posix.resolve(cwd, name)]
  const path = env.findLast((entry) => entry.startsWith('PATH='))?.slice('PATH='.length) ?? ''
  return path.split(':').flatMap((directory) => (isAbsolute(directory) ? [posix.join(directory, name)] : []))
}

/** Whether any execute permission is set; undefined when there is no such file. */
function hasMode(root: string, path: string): boolean | undefined {
  const fd = openInRoot(root, path)
  if (fd === undefined) return undefined
  try {
    return (fstatSync(fd).mode & 0o111) !== 0
  } finally {
    closeSync(fd)
  }
}

function read(fd: number, position: number, count: number): Buffer {
  const bytes = Buffer.alloc(count)
  return Number.isSafeInteger(position) ? bytes.subarray(0, readSync(fd, bytes, 0, count, position)) : bytes.subarray(0, 0)
}

function notExecutable(message: string): ExecutionFault {
  return {code: 'COMMAND_NOT_EXECUTABLE', message}
}

/** elf(5), e_machine. */
const machineNames: Readonly<Record<number, string>> = {
  3: 'x86 (32 bits)',
  8: 'MIPS',
  20: 'PowerPC',
  21: 'ppc64',
  22: 's390x',
  40: 'arm (32 bits)',
  62: 'x64',
  183: 'arm64',
  243: 'RISC-V',
  258: 'LoongArch',
}

/** The machines whose programs a kernel of this machine can execute without an interpreter. */
function toHostMachines(): readonly number[] {
  const machines: Readonly<Record<string, readonly number[]>> = {
    x64: [62, 3],
    arm64: [183, 40],
    arm: [40],
    ia32: [3],
    ppc64: [21, 20],
    s390x: [22],
    riscv64: [243],
    loong64: [258],
  }
  return machines[process.arch] ?? Object.keys(machineNames).map(Number)
}

function isBigEndian(): boolean {
  return new Uint8Array(new Uint16Array([1]).buffer)[0] === 0
}
