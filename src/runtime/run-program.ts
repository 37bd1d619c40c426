/** Runs a program to its end: the OCI runtime, and criu. Failures are results, not exceptions. */
import {type ChildProcess, spawn} from 'node:child_process'
import type {Readable} from 'node:stream'
import {toToolEnvironment} from '../kernel/environment.ts'

export interface ProgramOptions {
  /** After this the program is killed with SIGKILL: a runtime ends criu by itself, and criu stops processes, also its own. */
  readonly timeoutMs: number
  /** Written to stdin, which is empty by default. */
  readonly input?: string
  /** Given to the program as stdin, stdout and stderr. Without it stdout and stderr are collected. */
  readonly fds?: readonly [number, number, number] | undefined
  /** Added to the environment of tools (docs/environment.md). */
  readonly env?: Readonly<Record<string, string>>
  /** Called at once with its pid, so that nothing else reaps it. */
  readonly onSpawn?: ((pid: number) => void) | undefined
  /** Called when it has been reaped. */
  readonly onReaped?: ((pid: number) => void) | undefined
}

export interface ProgramResult {
  /** It was not executed, or did not end with status 0. */
  readonly failed: boolean
  /** Undefined when it was not executed, or ended by a signal. */
  readonly exitCode: number | undefined
  readonly signal: string | undefined
  readonly timedOut: boolean
  /** The errno with which it could not be executed. */
  readonly code: string | undefined
  /** Without the last newline; empty when they were not collected. */
  readonly stdout: string
  readonly stderr: string
}

/** More than this is read, and dropped. */
const mostBytes = 16 * 1024 * 1024

export async function runProgram(program: string, args: readonly string[], options: ProgramOptions): Promise<ProgramResult> {
  const {timeoutMs, input, fds, env, onSpawn, onReaped} = options
  const child = trySpawn(program, args, {
    stdio: fds ? [...fds] : [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
    env: {...toToolEnvironment(), ...env},
    cwd: '/',
  })
  if ('code' in child) return {...notRun, code: child.code}
  if (child.pid !== undefined) onSpawn?.(child.pid)
  const [stdout, stderr] = [collect(child.stdout), collect(child.stderr)]
  // It need not read what it is given.
  child.stdin?.on('error', () => {})
  child.stdin?.end(input)
  return await new Promise((resolve) => {
    let timedOut = false
    const timer = setTimeout(() => {
      timedOut = true
      child.kill('SIGKILL')
    }, timeoutMs)
    const end = (ended: Pick<ProgramResult, 'exitCode' | 'signal' | 'code'>) => {
      clearTimeout(timer)
      resolve({...ended, failed: ended.exitCode !== 0 || timedOut, timedOut, stdout: stdout(), stderr: stderr()})
    }
    child.once('error', (error) => child.pid === undefined && end({exitCode: undefined, signal: undefined, code: toCode(error)}))
    child.once('exit', (exitCode, signal) => {
      if (child.pid !== undefined) onReaped?.(child.pid)
      // What it has started may hold its pipes.
      if (timedOut) end({exitCode: exitCode ?? undefined, signal: signal ?? undefined, code: undefined})
    })
    child.once('close', (exitCode, signal) => {
      if (child.pid !== undefined) end({exitCode: exitCode ?? undefined, signal: signal ?? undefined, code: undefined})
    })
  })
}

const notRun = {failed: true, exitCode: undefined, signal: undefined, timedOut: false, stdout: '', stderr: ''} as const

/** spawn throws for some errors (E2BIG), and emits others (ENOENT). */
function trySpawn(program: string, args: readonly string[], options: Parameters<typeof spawn>[2]): ChildProcess | {readonly code: string} {
  try {
    return spawn(program, args, options)
  } catch (error) {
    return {code: toCode(error)}
  }
}

function toCode(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'UNKNOWN'
}

/** @returns what has been read until it is called */
function collect(stream: Readable | null): () => string {
  const pieces: Buffer[] = []
  let bytes = 0
  stream?.on('error', () => {})
  stream?.on('data', (piece: Buffer) => {
    if (bytes < mostBytes) pieces.push(piece)
    bytes += piece.length
  })
  return () => {
    stream?.destroy()
    return Buffer.concat(pieces)
      .toString('utf8')
      .replace(/\r?\n$/, '')
  }
}
