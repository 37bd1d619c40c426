/**
 * A real shim, with a supervisor that is this test: a small program hands the frames on (test/fixtures/shim/relay.c), and runs what a
 * supervisor runs. It is killed as a supervisor is killed, and the next one connects.
 */
import {execFileSync, spawn} from 'node:child_process'
import {once} from 'node:events'
import {existsSync, mkdirSync, readFileSync} from 'node:fs'
import {createServer, type Server, type Socket} from 'node:net'
import {join, resolve} from 'node:path'
import {setTimeout as sleep} from 'node:timers/promises'
import {connectShimControl, type ShimControl} from '../../src/shim/client/control.ts'
import type {ExitRecord} from '../../src/shim/client/exit-record.ts'
import {type MessageFields, orphanModes} from '../../src/shim/client/frames.ts'
import {shimProgram as toShimProgram} from '../../src/shim/client/program.ts'
import {openShim, type Shim} from '../../src/shim/client/shim.ts'
import {expectNothingLeft} from './leaks.ts'
import {makeTempDir} from './temp-dir.ts'

export interface TestSupervisor {
  readonly pid: number
  readonly shim: Shim
  readonly socket: Socket
  readonly exits: ExitRecord[]
  readonly growths: MessageFields<'grew'>[]
  readonly lost: Promise<Error>
  wokenCount: number
  dueCount: number
  /** Runs a shell command as a child of the supervisor. @returns its status */
  run(command: string): Promise<number>
  /** Runs a script that falls to the shim at once. @returns its pid, when the shim is its parent */
  orphan(script: string): Promise<number>
  /** The same, watched before it can have been reaped. */
  watch(script: string): Promise<number>
  /** As `kill -9` does. */
  kill(): void
  /** Ends by itself, with status 0. */
  exit(): void
}

export interface ShimHarness extends AsyncDisposable {
  readonly dir: string
  readonly socketPath: string
  readonly pid: number
  /** Resolves with the status of the shim. */
  readonly ended: Promise<number | null>
  /** The next supervisor that the shim starts; those that nobody has asked for wait. */
  next(): Promise<TestSupervisor>
  control(): Promise<ShimControl>
  /** What the shim has said. */
  stderr(): string
}

export interface ShimHarnessOptions {
  readonly args?: readonly string[]
  readonly program?: readonly string[]
  /** A command before that of the supervisor. */
  readonly wrap?: readonly string[]
  /** Where it listens from the start; `never`: where it is told to, if it is. */
  readonly listen?: string | 'never'
}

const dist = resolve(import.meta.dirname, '../../dist')
export const shimProgram = toShimProgram(dist)
export const shimTests = join(dist, 'tally-shim-tests')
const relay = join(dist, 'tally-shim-relay')

export async function openShimHarness({
  args = ['--delay', '10'],
  wrap = [],
  program,
  listen,
}: ShimHarnessOptions = {}): Promise<ShimHarness> {
  for (const file of [shimProgram, relay])
    if (!existsSync(file)) throw new Error(`expected ${file}: run scripts/build-shim.sh, and with --test`)
  const temp = makeTempDir()
  const dir = temp.path
  const runDir = join(dir, 'run')
  mkdirSync(runDir, {mode: 0o700})
  const socketPath = listen === undefined || listen === 'never' ? join(runDir, 'shim.sock') : listen
  const listenArgs = listen === 'never' ? [] : ['--listen', socketPath]
  const relaySocket = join(dir, 'relay')
  const waiting = createQueue<TestSupervisor>()
  const sockets = new Map<number, {test?: Socket; run?: Socket}>()
  const servers = await Promise.all([
    serve(relaySocket, async (socket) => connected(await readPid(socket), 'test', socket)),
    serve(`${relaySocket}.run`, async (socket) => connected(await readPid(socket), 'run', socket)),
  ])
  const child = spawn(shimProgram, [...listenArgs, ...args, '--', ...(program ?? [...wrap, relay, relaySocket])], {
    argv0: `tally-shim ${dir}`,
    detached: true,
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let said = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text
  })
  const ended = once(child, 'exit').then(([code]: (number | null)[]) => code ?? null)
  const {pid} = child
  if (pid === undefined) throw new Error(`cannot start ${shimProgram}`)
  while (listen !== 'never' && !existsSync(socketPath) && child.exitCode === null) await sleep(2)

  return {
    dir,
    socketPath,
    pid,
    ended,
    next: () => waiting.take(),
    control: async () => await connectShimControl(socketPath),
    stderr: () => said,
    [Symbol.asyncDispose]: async () => {
      const isSanitized = /AddressSanitizer|LeakSanitizer|runtime error|^==\d+==/m.test(said)
      // What is below it, too: nobody is left to take it over.
      const below = listBelow(pid)
      for (const one of [pid, ...below]) killIfThere(one)
      await ended
      for (const server of servers) server.close()
      for (const {test, run} of sockets.values()) for (const socket of [test, run]) socket?.destroy()
      if (isSanitized) throw new Error(said)
      await expectNothingLeft({dir})
      await temp[Symbol.asyncDispose]()
    },
  }

  function connected(relayPid: number, kind: 'test' | 'run', socket: Socket): void {
    const pair = {...sockets.get(relayPid), [kind]: socket}
    sockets.set(relayPid, pair)
    if (pair.test && pair.run) void toSupervisor(relayPid, pair.test, pair.run).then(waiting.put, () => {})
  }
}

async function toSupervisor(pid: number, socket: Socket, commands: Socket): Promise<TestSupervisor> {
  const exits: ExitRecord[] = []
  const growths: MessageFields<'grew'>[] = []
  const {promise: lost, resolve: lose} = Promise.withResolvers<Error>()
  const counts = {wokenCount: 0, dueCount: 0}
  const answers = new Map<number, (status: number) => void>()
  let latest = 0
  let text = ''
  commands.setEncoding('utf8').on('data', (more: string) => {
    text += more
    const lines = text.split('\n')
    text = lines.pop() ?? ''
    for (const line of lines) {
      const [number, status] = line.split(' ').map(Number)
      answers.get(number ?? 0)?.(status ?? -1)
    }
  })
  const shim = await openShim(
    {
      onExit: (exit) => exits.push(exit),
      onGrew: (growth) => growths.push(growth),
      onWoken: () => {
        counts.wokenCount += 1
      },
      onDue: () => {
        counts.dueCount += 1
      },
      onLost: lose,
    },
    socket,
  )
  const run = async (command: string): Promise<number> => {
    const {promise, resolve: answer} = Promise.withResolvers<number>()
    latest += 1
    answers.set(latest, answer)
    commands.write(`${latest} ${command}\n`)
    return await promise
  }
  const orphan = async (script: string): Promise<number> => {
    const file = `/tmp/tally-orphan-${process.pid}-${pid}-${latest}`
    await run(`sh -c ${quote(script)} </dev/null >/dev/null 2>&1 & echo $! > ${file}`)
    const orphaned = Number(readFileSync(file, 'utf8'))
    execFileSync('rm', ['-f', file])
    return orphaned
  }
  return {
    pid,
    shim,
    socket,
    exits,
    growths,
    lost,
    run,
    orphan,
    watch: async (script) => {
      await shim.call('orphans', {mode: orphanModes.hold})
      const orphaned = await orphan(script)
      await shim.call('watch', {pid: orphaned, isStranger: false})
      await shim.call('orphans', {mode: orphanModes.reap})
      return orphaned
    },
    kill: () => process.kill(pid, 'SIGKILL'),
    exit: () => void socket.end(),
    get wokenCount() {
      return counts.wokenCount
    },
    get dueCount() {
      return counts.dueCount
    },
  }
}

export function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`
}

async function serve(path: string, onSocket: (socket: Socket) => Promise<void>): Promise<Server> {
  const server = createServer((socket) => {
    socket.on('error', () => {})
    onSocket(socket).catch(() => socket.destroy())
  })
  server.listen(path)
  await once(server, 'listening')
  return server
}

async function readPid(socket: Socket): Promise<number> {
  for (;;) {
    const bytes: Buffer | null = socket.read(4)
    if (bytes) return bytes.readUInt32LE()
    await once(socket, 'readable')
  }
}

function createQueue<T>() {
  const items: T[] = []
  const takers: ((item: T) => void)[] = []
  return {
    put: (item: T) => {
      const taker = takers.shift()
      if (taker) taker(item)
      else items.push(item)
    },
    take: async (): Promise<T> => {
      const item = items.shift()
      if (item !== undefined) return item
      const {promise, resolve: take} = Promise.withResolvers<T>()
      takers.push(take)
      return await promise
    },
  }
}

export function listBelow(pid: number): readonly number[] {
  try {
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number)
    return children.flatMap((child) => [child, ...listBelow(child)])
  } catch {
    return []
  }
}

function killIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {}
}
