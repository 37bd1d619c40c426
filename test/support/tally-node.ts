/** A node of its own for a test: the built command, a real nats-server, temporary directories; nothing of it is left afterwards. */
import {globSync, readFileSync} from 'node:fs'
import {join} from 'node:path'
import {setTimeout as sleep} from 'node:timers/promises'
import {execa} from 'execa'
import {afterAll, afterEach, beforeAll, beforeEach, expect} from 'vitest'
import {parseLedgerEvent} from '../../machines/ledger/cloud-event.ts'
import type {LedgerEvent} from '../../machines/ledger/events.ts'
import type {NodeInfo} from '../../machines/views/view.ts'
import {makeBusyboxRootfs} from './busybox.ts'
import {findLeftovers, nothing, sweep} from './leftovers.ts'
import {removeDirectory} from './sweep.ts'
import {makeRunDirectory} from './test-run.ts'

const program = join(import.meta.dirname, '../../bin/tally')

export interface Ran {
  readonly exitCode: number | undefined
  readonly stdout: string
  readonly stderr: string
}

export interface TallyNode extends AsyncDisposable {
  readonly dir: string
  readonly stateDir: string
  readonly runDir: string
  readonly rootfs: string
  readonly env: NodeJS.ProcessEnv
  /** Starts the coordinator. @throws AssertionError when the command fails, or warns */
  up(...args: readonly string[]): Promise<void>
  /** Runs the command, and resolves however it ends. */
  tally(...args: readonly string[]): Promise<Ran>
  /** Starts the command, for a test that writes to it, sends it signals or kills it. */
  spawn(...args: readonly string[]): ReturnType<typeof spawnTally>
  json<T>(...args: readonly string[]): Promise<T>
  info(): Promise<NodeInfo>
  /** The events of the stream, in its order; of one container when an id is given. */
  events(id?: string): Promise<readonly LedgerEvent[]>
  journal(id: string): readonly string[]
}

export interface NodeOptions {
  /** Whether to start the coordinator as well; by default it is started. */
  readonly up?: boolean
  /** Further arguments of `tally up`. */
  readonly args?: readonly string[]
}

/** Of a node that is started before the tests of a file, or before each of them. */
export interface UseOptions extends Omit<NodeOptions, 'args'> {
  readonly each?: boolean
  /** A function where they are known only when the node is started: after the hooks that stand before `useNode`. */
  readonly args?: readonly string[] | (() => readonly string[])
}

/**
 * A node for all tests of the file, or of the `describe` block, that calls this; with `each`, another for every test. It is started before
 * them and ended after them, whether they pass or fail, and its members can be used while they run.
 */
export function useNode({each = false, args = [], ...options}: UseOptions = {}): TallyNode {
  let current: TallyNode | undefined
  const [before, after] = each ? [beforeEach, afterEach] : [beforeAll, afterAll]
  before(async () => {
    current = await startNode({...options, args: typeof args === 'function' ? args() : args})
  })
  after(dispose)
  return {
    get dir() {
      return node().dir
    },
    get stateDir() {
      return node().stateDir
    },
    get runDir() {
      return node().runDir
    },
    get rootfs() {
      return node().rootfs
    },
    get env() {
      return node().env
    },
    up: (...args) => node().up(...args),
    tally: (...args) => node().tally(...args),
    spawn: (...args) => node().spawn(...args),
    json: (...args) => node().json(...args),
    info: () => node().info(),
    events: (id) => node().events(id),
    journal: (id) => node().journal(id),
    [Symbol.asyncDispose]: dispose,
  }

  function node(): TallyNode {
    if (!current) throw new Error('expected the node to be used while tests run, not before or after')
    return current
  }

  async function dispose(): Promise<void> {
    const ended = current
    current = undefined
    await ended?.[Symbol.asyncDispose]()
  }
}

/** The caller ends it: `await using node = await startNode()`. It has been ended when the start fails. */
export async function startNode({up: isUp = true, args = []}: NodeOptions = {}): Promise<TallyNode> {
  const dir = makeRunDirectory('node')
  const [stateDir, runDir] = [join(dir, 'state'), join(dir, 'run')]
  const env = {
    TALLY_STATE_DIR: stateDir,
    TALLY_RUN_DIR: runDir,
    TALLY_NODE: 'n1',
    // The whole suite can be run with supervisors that sleep: TALLY_SLEEP_AFTER=200ms npm test.
    TALLY_SLEEP_AFTER: process.env['TALLY_SLEEP_AFTER'] ?? 'never',
  }
  const rootfs = makeBusyboxRootfs(dir)
  await using stack = new AsyncDisposableStack()
  stack.defer(end)
  if (isUp) await up(...args)
  const owned = stack.move()
  return {
    dir,
    stateDir,
    runDir,
    rootfs,
    env,
    up,
    tally,
    spawn: (...verb) => spawnTally(verb, env),
    json: async (...verb) => JSON.parse((await succeed('--json', ...verb)).stdout),
    info: async () => JSON.parse((await succeed('info', '--json')).stdout),
    events: async (id) => {
      const {stdout} = await succeed('events', '--no-follow', '--json', ...(id === undefined ? [] : ['--filter', `id=${id}`]))
      return stdout.split('\n').filter(Boolean).map(parseLedgerEvent)
    },
    journal: (id) =>
      readFileSync(join(stateDir, 'containers/default', id, 'journal.jsonl'), 'utf8')
        .trimEnd()
        .split('\n'),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }

  async function up(...more: readonly string[]): Promise<void> {
    expect(await tally('up', '-d', ...more)).toMatchObject({exitCode: 0, stderr: ''})
  }

  async function tally(...verb: readonly string[]): Promise<Ran> {
    const {exitCode, stdout, stderr} = await execa(program, verb, {env, reject: false, timeout: 120_000, stripFinalNewline: false})
    return {exitCode, stdout: String(stdout), stderr: String(stderr)}
  }

  async function succeed(...verb: readonly string[]): Promise<Ran> {
    const ran = await tally(...verb)
    if (ran.exitCode !== 0) throw new Error(`tally ${verb.join(' ')}: ${ran.stderr}`)
    return ran
  }

  async function end(): Promise<void> {
    const uids = await findUids()
    const down = await endContainers()
    const leftovers = await findLeftovers({dirs: [dir], isOwnGroup: (name) => uids.has(name.slice(-8))})
    await sweep(leftovers)
    removeDirectory(dir)
    expect({down, leftovers}).toEqual({down: expect.objectContaining({exitCode: 0}), leftovers: nothing})
  }

  /** A node that is not up has no coordinator to end its containers: its tests have done that. */
  async function endContainers(): Promise<Ran> {
    const down = await tally('down', '--containers')
    return down.stderr.includes('[NODE_NOT_RUNNING]') ? {...(await tally('down')), exitCode: 0} : down
  }

  /** How the names of its containers' groups end: of all containers in the stream, or in the journals when there is no server. */
  async function findUids(): Promise<ReadonlySet<string>> {
    const {stdout} = await tally('events', '--no-follow', '--json', '--filter', 'type=container.create-requested')
    const journals = globSync(join(stateDir, 'containers/*/*/journal.jsonl')).map((path) => readFileSync(path, 'utf8').split('\n', 1)[0])
    return new Set([...stdout.split('\n'), ...journals].flatMap((line) => (line ? parseLedgerEvent(line).uid.slice(0, 8) : [])))
  }
}

function spawnTally(args: readonly string[], env: NodeJS.ProcessEnv) {
  return execa(program, args, {env, reject: false, timeout: 240_000})
}

/**
 * Waits until the condition holds. The patience is for a busy machine: a condition that holds ends the wait at once. It is evaluated less
 * and less often, down to four times a second, since most conditions start a process.
 * @throws Error with `what` when it does not hold in time
 */
export async function eventually(what: string, condition: () => Promise<boolean> | boolean, timeoutMs = 60_000): Promise<void> {
  const giveUpAt = Date.now() + timeoutMs
  for (let pauseMs = 20; !(await condition()); pauseMs = Math.min(250, pauseMs * 1.3)) {
    if (Date.now() > giveUpAt) throw new Error(`${what}: not within ${timeoutMs} ms`)
    await sleep(pauseMs)
  }
}
