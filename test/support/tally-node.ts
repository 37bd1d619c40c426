/** A node of a test's own: the built command, a real nats-server, directories in /tmp; and nothing of it left afterwards. */
import {globSync, mkdtempSync, readFileSync, rmSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {execa} from 'execa'
import {expect} from 'vitest'
import {parseLedgerEvent} from '../../machines/ledger/cloud-event.ts'
import type {LedgerEvent} from '../../machines/ledger/events.ts'
import type {NodeInfo} from '../../machines/views/view.ts'
import {makeBusyboxRootfs} from './busybox.ts'
import {findLeftovers, nothing, sweep, takeInventory} from './leftovers.ts'

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
  /** Runs the command, and resolves however it ends. */
  tally(...args: readonly string[]): Promise<Ran>
  /** The same, to be fed, signalled or killed. */
  spawn(...args: readonly string[]): ReturnType<typeof spawnTally>
  json<T>(...args: readonly string[]): Promise<T>
  info(): Promise<NodeInfo>
  /** The events of the stream, in its order; of one container when an id is given. */
  events(id?: string): Promise<readonly LedgerEvent[]>
  journal(id: string): readonly string[]
}

/** @param up whether to start the coordinator as well */
export async function startNode({
  up = true,
  args = [],
}: {
  readonly up?: boolean
  readonly args?: readonly string[]
} = {}): Promise<TallyNode> {
  const before = takeInventory()
  const dir = mkdtempSync(join(tmpdir(), 'tally-test-'))
  const [stateDir, runDir] = [join(dir, 'state'), join(dir, 'run')]
  const env = {TALLY_STATE_DIR: stateDir, TALLY_RUN_DIR: runDir, TALLY_NODE: 'n1'}
  const rootfs = makeBusyboxRootfs(dir)
  const node: TallyNode = {
    dir,
    stateDir,
    runDir,
    rootfs,
    env,
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
    [Symbol.asyncDispose]: async () => {
      const uids = await findUids()
      const down = (await isUp()) ? await tally('down', '--containers') : {...(await tally('down')), exitCode: 0}
      const leftovers = await findLeftovers({dirs: [dir], uids}, before)
      await sweep(leftovers)
      rmSync(dir, {recursive: true, force: true})
      expect({down, leftovers}).toEqual({down: expect.objectContaining({exitCode: 0}), leftovers: nothing})
    },
  }
  if (up) expect(await tally('up', '-d', ...args)).toMatchObject({exitCode: 0, stderr: ''})
  return node

  async function tally(...verb: readonly string[]): Promise<Ran> {
    const {exitCode, stdout, stderr} = await execa(program, verb, {env, reject: false, timeout: 60_000, stripFinalNewline: false})
    return {exitCode, stdout: String(stdout), stderr: String(stderr)}
  }

  async function succeed(...verb: readonly string[]): Promise<Ran> {
    const ran = await tally(...verb)
    if (ran.exitCode !== 0) throw new Error(`tally ${verb.join(' ')}: ${ran.stderr}`)
    return ran
  }

  /** How the names of its cgroups end: of all that the stream remembers, or of those that are there when it is away. */
  async function findUids(): Promise<ReadonlySet<string>> {
    const {stdout} = await tally('events', '--no-follow', '--json', '--filter', 'type=container.create-requested')
    const journals = globSync(join(stateDir, 'containers/*/*/journal.jsonl')).map((path) => readFileSync(path, 'utf8').split('\n', 1)[0])
    return new Set([...stdout.split('\n'), ...journals].flatMap((line) => (line ? parseLedgerEvent(line).uid.slice(0, 8) : [])))
  }

  async function isUp(): Promise<boolean> {
    return (await tally('info')).exitCode === 0
  }
}

function spawnTally(args: readonly string[], env: NodeJS.ProcessEnv) {
  return execa(program, args, {env, reject: false, timeout: 120_000})
}

/** Asks again until the condition holds. @throws Error with `what` when it has not held in time */
export async function eventually(what: string, condition: () => Promise<boolean> | boolean, timeoutMs = 10_000): Promise<void> {
  for (const giveUpAt = Date.now() + timeoutMs; !(await condition()); await new Promise((resolve) => setTimeout(resolve, 50))) {
    if (Date.now() > giveUpAt) throw new Error(`${what}: not within ${timeoutMs} ms`)
  }
}
