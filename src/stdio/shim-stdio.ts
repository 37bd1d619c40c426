/** The standard streams of processes, held by the shim: it reads them into the log, and writes to them what it is given. */
import {constants, mkdirSync, openSync, rmSync} from 'node:fs'
import {dirname, join} from 'node:path'
import {setTimeout as sleep} from 'node:timers/promises'
import {TallyError} from '../kernel/errors.ts'
import {ShimError} from '../shim/client/calls.ts'
import {type MessageFields, mostInputBytes, nobody, stdioFlags} from '../shim/client/frames.ts'
import type {Held, Shim} from '../shim/client/shim.ts'
import {createChildDescriptors} from './child-descriptors.ts'
import type {InputAccount, LogProgress, NewProcessStdio, ProcessStdio, ProcessStdioOptions, ProcessStdios} from './process-stdio-port.ts'

export interface ShimStdioDependencies {
  readonly shim: Pick<Shim, 'held' | 'call'>
  readonly listenToGrowths: (listener: (growth: MessageFields<'grew'>) => void) => void
}

export interface ShimStdios extends ProcessStdios {
  /** What former supervisors have left, and this one has not opened again, is closed. */
  settle(): void
}

/** As most programs expect of a terminal whose size nobody has set. */
const usualSize = {columns: 80, rows: 24}
const none = new Uint8Array()
/** A former supervisor's input is still being taken. */
const busyMs = 20

export function createShimStdios({shim, listenToGrowths}: ShimStdioDependencies): ShimStdios {
  const left = new Map(shim.held.stdios.map((one) => [one.name, one]))
  const growths = new Map<number, (growth: MessageFields<'grew'>) => void>()
  let latest = Math.max(0, ...shim.held.stdios.map(({stdio}) => stdio))
  listenToGrowths((growth) => growths.get(growth.stdio)?.(growth))

  return {
    open: (options) =>
      orFail(async () => {
        const former = take(options.name)
        if (former) await shim.call('close', {stdio: former.stdio})
        const {stdio, consoleSocket, progress} = await openAtShim(options, 0)
        const child = options.terminal ? undefined : await openFifosOrClose(stdio, options)
        const opened = toProcessStdio(stdio, options, {progress, cookie: none, release: () => child?.release()})
        const forRuntime: Pick<NewProcessStdio, 'forRuntime' | 'handOver'> = {
          forRuntime: child ? {type: 'pipes', fds: child.fds} : {type: 'terminal', consoleSocket},
          handOver: async () => {
            child?.release()
            await shim.call('handOver', {stdio}).catch((cause: unknown) => {
              throw new TallyError('STDIO_FAILED', 'the runtime has made no terminal, or has not sent it', {cause})
            })
          },
        }
        // Not copied: its getters give what is there later.
        return Object.assign(opened, forRuntime)
      }),
    reopen: (options) =>
      orFail(async () => {
        const {stdio, position, stdout, stderr, cookie, isInputOpen} =
          take(options.name) ?? toFormer(await openAtShim(options, stdioFlags.again))
        // The supervisor before may have been killed before it could.
        shim.call('handOver', {stdio}).catch(() => {})
        if (isInputOpen && !options.stdin && !options.terminal) shim.call('closeInput', {stdio}).catch(() => {})
        return toProcessStdio(stdio, options, {progress: {position, stdout, stderr}, cookie, release: () => {}})
      }),
    settle: () => {
      for (const {stdio} of left.values()) shim.call('close', {stdio}).catch(() => {})
      left.clear()
    },
  }

  function take(name: string): Held['stdios'][number] | undefined {
    const former = left.get(name)
    left.delete(name)
    return former
  }

  /** Otherwise there would be two of that name, and the next supervisor would take either. */
  async function openFifosOrClose(stdio: number, options: ProcessStdioOptions): Promise<ReturnType<typeof openFifos>> {
    try {
      return openFifos(options)
    } catch (error) {
      await shim.call('close', {stdio}).catch(() => {})
      throw error
    }
  }

  async function openAtShim(
    {name, dir, logFile, rotation, stdin, terminal, consoleSize = usualSize, owner}: ProcessStdioOptions,
    flags: number,
  ): Promise<{readonly stdio: number; readonly consoleSocket: string; readonly progress: LogProgress}> {
    for (const directory of [dir, dirname(logFile)]) mkdirSync(directory, {recursive: true, mode: 0o700})
    latest += 1
    const stdio = latest
    const {consoleSocket, ...progress} = await shim.call('open', {
      stdio,
      flags: flags | (terminal ? stdioFlags.terminal : 0) | (stdin ? stdioFlags.input : 0),
      name,
      directory: dir,
      log: logFile,
      uid: owner?.uid ?? nobody,
      gid: owner?.gid ?? nobody,
      maxBytes: rotation?.maxBytes ?? 0,
      maxFiles: rotation?.maxFiles ?? 0,
      ...consoleSize,
    })
    return {stdio, consoleSocket, progress}
  }

  function toProcessStdio(
    stdio: number,
    {dir, logFile, onGrew}: ProcessStdioOptions,
    opened: {readonly progress: LogProgress; readonly cookie: Uint8Array; readonly release: () => void},
  ): ProcessStdio {
    const progress = {...opened.progress}
    let written: Promise<unknown> = Promise.resolve()
    const note = ({position, stdout, stderr}: LogProgress) => Object.assign(progress, {position, stdout, stderr})
    growths.set(stdio, (growth) => {
      note(growth)
      onGrew({...progress})
    })

    return {
      write: (bytes, account) => {
        const writing = written.then(() => writeAll(bytes, account))
        written = writing.catch(() => {})
        return writing
      },
      closeInput: async () => {
        // What is on its way here goes first.
        await written
        await shim.call('closeInput', {stdio})
      },
      resize: async (size) => void (await shim.call('resize', {stdio, ...size})),
      hold: async (untilMs, from) => void (await shim.call('holdOutput', {stdio, untilMs, ...from})),
      follow: async (position = Number.MAX_SAFE_INTEGER) => {
        note(await shim.call('follow', {stdio, position}))
        return {...progress}
      },
      drain: async () => {
        note(await shim.call('drain', {stdio}))
        return {...progress}
      },
      progress,
      cookie: opened.cookie,
      close: async () => {
        opened.release()
        const {lostStdout, lostStderr, ...end} = await shim.call('close', {stdio})
        note(end)
        growths.delete(stdio)
        return {stdout: lostStdout, stderr: lostStderr}
      },
      discard: async () => {
        opened.release()
        await shim.call('discard', {stdio})
        growths.delete(stdio)
      },
      remove: () => {
        rmSync(dir, {recursive: true, force: true})
        for (const stream of ['stdout', 'stderr']) rmSync(join(dirname(logFile), `${stream}.spool`), {force: true})
      },
    }

    async function writeAll(bytes: Uint8Array, account: InputAccount): Promise<void> {
      for (let at = 0; at < bytes.length; at += mostInputBytes) {
        const piece = bytes.subarray(at, at + mostInputBytes)
        await writePiece(piece, account.toCookie(piece.length))
        account.taken(piece.length)
      }
    }

    async function writePiece(bytes: Uint8Array, cookie: Uint8Array): Promise<void> {
      for (;;) {
        try {
          return void (await shim.call('input', {stdio, cookie, bytes}))
        } catch (error) {
          if (!(error instanceof ShimError) || error.code !== 'EBUSY') throw toClosed(error)
          await sleep(busyMs)
        }
      }
    }
  }
}

/** Outputs for both, so that there is no EPIPE while nobody reads. */
function openFifos({dir, stdin}: ProcessStdioOptions): {
  readonly fds: readonly [stdin: number, stdout: number, stderr: number]
  readonly release: () => void
} {
  using opening = new DisposableStack()
  const child = opening.use(createChildDescriptors())
  const fds = [
    child.add(openSync(stdin ? join(dir, 'stdin') : '/dev/null', constants.O_RDONLY)),
    child.add(openSync(join(dir, 'stdout'), constants.O_RDWR)),
    child.add(openSync(join(dir, 'stderr'), constants.O_RDWR)),
  ] as const
  opening.move()
  return {fds, release: child.release}
}

/** One that no shim holds any more: its input is closed. */
function toFormer({
  stdio,
  progress,
}: {
  readonly stdio: number
  readonly progress: LogProgress
}): Pick<Held['stdios'][number], 'stdio' | 'position' | 'stdout' | 'stderr' | 'cookie' | 'isInputOpen'> {
  return {stdio, ...progress, cookie: none, isInputOpen: false}
}

async function orFail<T>(open: () => Promise<T>): Promise<T> {
  try {
    return await open()
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new TallyError('STDIO_FAILED', `cannot open the streams of the process: ${why}`, {cause})
  }
}

function toClosed(cause: unknown): TallyError {
  return new TallyError('STDIN_CLOSED', 'the process reads no input any more', {cause})
}
