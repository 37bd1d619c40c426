/** What is legal when, cell by cell, with a real container for each; prints the table as it was found. */
import {join} from 'node:path'
import {afterAll, beforeAll, describe, expect, it} from 'vitest'
import {connectTally, type ContainerClient, type ExecClient, type TallyClient, TallyError} from '../../src/client/index.ts'
import {isCriuThere} from '../support/criu.ts'
import {useNode} from '../support/tally-node.ts'

const node = useNode()
let client: TallyClient
const rows: string[] = []
beforeAll(async () => {
  client = await connectTally({runDir: node.runDir})
})
afterAll(async () => {
  process.stdout.write(`\n${rows.sort().join('\n')}\n`)
  await client[Symbol.asyncDispose]()
})

const states = ['created', 'running', 'paused', 'stopped', 'deleted'] as const
type State = (typeof states)[number]
/** The state that it leads to, or the kind of error that refuses it. */
type Outcome = State | 'precondition' | 'not_found' | 'unavailable'

/** Each brings a new container into its state. */
const arrive: Readonly<Record<State, (container: ContainerClient) => Promise<unknown>>> = {
  created: async () => {},
  running: (container) => container.start(),
  paused: async (container) => {
    await container.start()
    await container.pause()
  },
  stopped: async (container) => {
    await container.start()
    await container.stop({graceMs: 0})
  },
  deleted: (container) => container.delete(),
}

const no = 'precondition'
const gone = 'not_found'
interface Row {
  readonly act: (container: ContainerClient) => Promise<unknown>
  readonly expected: Readonly<Record<Exclude<State, 'deleted'>, Outcome>>
}
/** The table of containerd's task API, and below it what it has no line for. Of what is deleted nothing is found. */
const table: Readonly<Record<string, Row>> = {
  start: {act: (one) => one.start(), expected: {created: 'running', running: no, paused: no, stopped: no}},
  pause: {act: (one) => one.pause(), expected: {created: no, running: 'paused', paused: no, stopped: no}},
  resume: {act: (one) => one.resume(), expected: {created: no, running: no, paused: 'running', stopped: no}},
  update: {act: (one) => one.update({pidsLimit: 100}), expected: {created: 'created', running: 'running', paused: 'paused', stopped: no}},
  checkpoint: {
    act: async (one) => {
      await one.checkpoint({image: join(node.dir, one.address.id)})
      await one.wait()
    },
    expected: {
      created: no,
      running: isCriuThere ? 'stopped' : 'unavailable',
      paused: isCriuThere ? 'stopped' : 'unavailable',
      stopped: no,
    },
  },
  exec: {act: (one) => one.addProcess({args: ['true']}), expected: {created: 'created', running: 'running', paused: no, stopped: no}},
  kill: {
    act: async (one) => {
      await one.kill('SIGKILL')
      await one.wait()
    },
    expected: {created: 'stopped', running: 'stopped', paused: 'stopped', stopped: gone},
  },
  delete: {act: (one) => one.delete(), expected: {created: 'deleted', running: no, paused: no, stopped: 'deleted'}},
  'delete, forced': {
    act: (one) => one.delete({force: true}),
    expected: {created: 'deleted', running: 'deleted', paused: 'deleted', stopped: 'deleted'},
  },
  stop: {act: (one) => one.stop({graceMs: 0}), expected: {created: no, running: 'stopped', paused: 'stopped', stopped: 'stopped'}},
  resize: {
    act: (one) => one.resize({columns: 100, rows: 30}),
    expected: {created: 'created', running: 'running', paused: 'paused', stopped: no},
  },
  'close-stdin': {
    act: (one) => one.closeStdin(),
    expected: {created: 'created', running: 'running', paused: 'paused', stopped: 'stopped'},
  },
  state: {act: (one) => one.state(), expected: {created: 'created', running: 'running', paused: 'paused', stopped: 'stopped'}},
}

async function kindOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise
    return 'done'
  } catch (error) {
    if (error instanceof TallyError) return error.kind
    throw error
  }
}

async function stateOf(container: ContainerClient): Promise<string> {
  try {
    const {state, pausedAt} = await container.state()
    return pausedAt === undefined ? state : 'paused'
  } catch {
    return 'deleted'
  }
}

describe.each(Object.entries(table))('%s', (operation, {act, expected}) => {
  it.each(states)('of a container that is %s is as the table says', async (state) => {
    const id = `${operation.replace(/\W+/g, '-')}-${state}`
    const container = client.container(id)
    await client.create({id, rootfs: node.rootfs, args: ['sleep', '600'], terminal: true, stdin: true})
    await arrive[state](container)
    const kind = await kindOf(act(container))
    const outcome = kind === 'done' ? await stateOf(container) : kind
    rows.push(`${operation.padEnd(16)}${state.padEnd(9)}→ ${outcome}`)
    expect(outcome).toBe(state === 'deleted' ? gone : expected[state])
    // A refusal changes nothing.
    if (kind !== 'done') expect(await stateOf(container)).toBe(state)
    await container.delete({force: true}).catch(() => {})
  })
})

describe('a process that was added', () => {
  const processStates = ['created', 'running', 'stopped', 'deleted'] as const
  type ProcessState = (typeof processStates)[number]
  const processArrive: Readonly<Record<ProcessState, (process: ExecClient) => Promise<unknown>>> = {
    created: async () => {},
    running: (process) => process.start(),
    stopped: async (process) => {
      await process.start()
      await process.kill('SIGKILL')
      await process.wait()
    },
    deleted: (process) => process.delete(),
  }
  const processTable: Readonly<
    Record<string, {readonly act: (process: ExecClient) => Promise<unknown>; readonly expected: Readonly<Record<ProcessState, string>>}>
  > = {
    'exec start': {act: (one) => one.start(), expected: {created: 'running', running: no, stopped: no, deleted: gone}},
    'exec kill': {
      act: async (one) => {
        await one.kill('SIGKILL')
        await one.wait()
      },
      expected: {created: no, running: 'stopped', stopped: gone, deleted: gone},
    },
    'exec delete': {act: (one) => one.delete(), expected: {created: 'deleted', running: no, stopped: 'deleted', deleted: gone}},
    'exec resize': {
      act: (one) => one.resize({columns: 90, rows: 20}),
      expected: {created: 'created', running: 'running', stopped: no, deleted: gone},
    },
    'exec close-stdin': {
      act: (one) => one.closeStdin(),
      expected: {created: 'created', running: 'running', stopped: 'stopped', deleted: gone},
    },
  }
  let box: ContainerClient
  beforeAll(async () => {
    await client.create({id: 'box', rootfs: node.rootfs, args: ['sleep', '600']})
    box = client.container('box')
    await box.start()
  })
  afterAll(async () => {
    await box.delete({force: true})
  })

  describe.each(Object.entries(processTable))('%s', (operation, {act, expected}) => {
    it.each(processStates)('of one that is %s is as the rules say', async (state) => {
      const exec = `${operation.replace(/\W+/g, '-')}-${state}`
      await box.addProcess({exec, args: ['sleep', '600'], terminal: true, stdin: true, start: false})
      const process = box.process(exec)
      await processArrive[state](process)
      const kind = await kindOf(act(process))
      const outcome = kind === 'done' ? ((await process.state().catch(() => undefined))?.state ?? 'deleted') : kind
      rows.push(`${operation.padEnd(16)} ${state.padEnd(8)}→ ${outcome}`)
      expect(outcome).toBe(expected[state])
    })
  })

  it('has an id of its own', async () => {
    await box.addProcess({exec: 'twice', args: ['true']})
    expect(await kindOf(box.addProcess({exec: 'twice', args: ['true']}))).toBe('already_exists')
    expect(await kindOf(box.addProcess({exec: 'init', args: ['true']}))).toBe('invalid')
    expect(await kindOf(client.container('nobody').addProcess({args: ['true']}))).toBe('not_found')
    expect(await kindOf(box.process('nobody').wait())).toBe('not_found')
    expect(await kindOf(box.process('nobody').output('stdout', 0))).toBe('not_found')
  })
})
