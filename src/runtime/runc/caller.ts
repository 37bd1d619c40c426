/** Calls of the OCI runtime: each starts one process, with a deadline and a log file of its own. */
import {randomBytes} from 'node:crypto'
import {rm} from 'node:fs/promises'
import {join} from 'node:path'
import type {RuntimeStdio} from '../../kernel/runtime-stdio.ts'
import {type ProgramResult, runProgram} from '../run-program.ts'
import {readLastError, toRuncError} from './errors.ts'
import type {RuncVerb} from './verbs.ts'

export interface CallerOptions {
  /** Name or path. */
  readonly binary: string
  /** `--root`: where runc keeps its state. */
  readonly root: string
  /** Directory for the log of each call, which is removed when the call has ended. */
  readonly logDir: string
  readonly systemdCgroup?: boolean | undefined
  readonly timeoutMs?: number
  /** The deadline of a call that writes or reads all memory of a container. */
  readonly criuTimeoutMs?: number
  /** Called at once with the pid of every runc process, so that nothing else reaps it. */
  readonly onSpawn?: (pid: number) => void
  /** Called when it has ended and has been reaped. */
  readonly onReaped?: (pid: number) => void
}

export interface Call {
  readonly verb: RuncVerb
  readonly args: readonly string[]
  /** The stdio of the new process, which runc passes on. Without it, and with a terminal, runc has no stdin, and pipes for the rest. */
  readonly stdio?: RuntimeStdio
  /** Written to runc's stdin, without `stdio`. */
  readonly input?: string
  /** A configuration file for criu, which criu reads in addition to what runc tells it. */
  readonly criuConfig?: string
  /** The soft limit of open files of the new process. Read when the call has failed. */
  readonly openFiles?: () => number | undefined
}

export interface Caller {
  /** @returns what was written to stdout. @throws TallyError */
  run(call: Call): Promise<string>
  /** Runs without `--root` and without a log. @returns what was written to stdout. @throws TallyError */
  runPlain(args: readonly string[]): Promise<string>
  /** Runs, and ignores a failure. @returns what a program that is no OCI runtime wrote to stderr: a runtime writes errors to its log */
  listen(call: Call): Promise<string>
}

export function createCaller({
  binary,
  root,
  logDir,
  systemdCgroup,
  timeoutMs = 30_000,
  criuTimeoutMs = 300_000,
  onSpawn,
  onReaped,
}: CallerOptions): Caller {
  return {
    run: (call) => withLog(call, (args, log) => succeed(args, call, log)),
    runPlain: (args) => succeed(args, {verb: 'state', args: []}, undefined),
    listen: (call) =>
      withLog(call, async (args, log) => {
        const {stderr} = await spawn(args, call)
        return (await readLastError(log)) === undefined ? stderr.trim() : ''
      }),
  }

  async function withLog(call: Call, work: (args: readonly string[], log: string) => Promise<string>): Promise<string> {
    const log = join(logDir, `runc-${call.verb}-${randomBytes(6).toString('hex')}.json`)
    try {
      const global = ['--root', root, '--log', log, '--log-format', 'json', ...(systemdCgroup ? ['--systemd-cgroup'] : [])]
      return await work([...global, call.verb, ...call.args], log)
    } finally {
      await rm(log, {force: true})
    }
  }

  async function succeed(args: readonly string[], call: Call, log: string | undefined): Promise<string> {
    const result = await spawn(args, call)
    if (!result.failed) return result.stdout
    throw await toRuncError({verb: call.verb, binary, timeoutMs: toDeadline(call), result, log, openFiles: call.openFiles?.()})
  }

  function toDeadline({criuConfig}: Call): number {
    return criuConfig === undefined ? timeoutMs : criuTimeoutMs
  }

  async function spawn(args: readonly string[], call: Call): Promise<ProgramResult> {
    const {stdio, input, criuConfig} = call
    return await runProgram(binary, args, {
      timeoutMs: toDeadline(call),
      onSpawn,
      onReaped,
      ...(input !== undefined && {input}),
      fds: stdio?.type === 'pipes' ? stdio.fds : undefined,
      ...(criuConfig !== undefined && {env: {CRIU_CONFIG_FILE: criuConfig}}),
    })
  }
}
