/** Order rules over random commands, several in flight at once, against real containers. */
import {setTimeout as sleep} from 'node:timers/promises'
import fc from 'fast-check'
import {afterAll, beforeAll, expect, it} from 'vitest'
import type {EventType, LedgerEvent} from '../../machines/ledger/events.ts'
import {foldEvents} from '../../machines/ledger/ledger.ts'
import {connectTally, type ContainerClient, type TallyClient, TallyError} from '../../src/client/index.ts'
import {eventually, useNode} from '../support/tally-node.ts'

/** The same sequences every time; another number tries others. */
const seed = 20_261_123
const runs = 20

const node = useNode()
let client: TallyClient
beforeAll(async () => {
  client = await connectTally({runDir: node.runDir})
})
afterAll(() => client[Symbol.asyncDispose]())

const actions: Readonly<Record<string, (container: ContainerClient, number: number) => Promise<unknown>>> = {
  start: (one) => one.start(),
  pause: (one) => one.pause(),
  resume: (one) => one.resume(),
  update: (one, number) => one.update({pidsLimit: 100 + number}),
  term: (one) => one.kill('SIGTERM'),
  kill: (one) => one.kill('SIGKILL'),
  stop: (one) => one.stop({graceMs: 50}),
  exec: (one, number) => one.addProcess({exec: `e${number}`, args: ['sleep', '0.1']}),
  'exec long': (one, number) => one.addProcess({exec: `l${number}`, args: ['sleep', '600'], autoRemove: number % 2 === 0}),
  'exec kill': (one, number) => one.process(`l${number - 1}`).kill('SIGKILL'),
  'exec delete': (one, number) => one.process(`e${number - 2}`).delete(),
  wait: (one) => Promise.race([one.wait(), sleep(50)]),
  delete: (one) => one.delete(),
  'delete, forced': (one) => one.delete({force: true}),
}

/** What happens, and how long after the one before; a start early, since little is possible without one. */
const steps = fc.array(fc.record({name: fc.constantFrom(...Object.keys(actions)), afterMs: fc.constantFrom(0, 0, 5, 40, 150)}), {
  minLength: 4,
  maxLength: 14,
})

it('hold for any sequence of commands', async () => {
  let count = 0
  await fc.assert(
    fc.asyncProperty(steps, async (wanted) => {
      count += 1
      const id = `random${count}`
      await client.create({id, rootfs: node.rootfs, args: ['sleep', '600']})
      const container = client.container(id)
      const answers: Promise<unknown>[] = [refusable(container.start())]
      for (const [number, {name, afterMs}] of wanted.entries()) {
        await sleep(afterMs)
        const action = actions[name]
        if (action) answers.push(refusable(action(container, number)))
      }
      await Promise.all(answers)
      await refusable(container.delete({force: true}))
      const events = await eventsOf(id)
      expectOrder(events)
    }),
    {numRuns: runs, seed, endOnFailure: true},
  )
  process.stdout.write(`\n${count} sequences of commands, seed ${seed}\n`)
}, 180_000)

/** A refusal is an answer; an internal error is not. */
async function refusable(promise: Promise<unknown>): Promise<void> {
  try {
    await promise
  } catch (error) {
    if (!(error instanceof TallyError) || error.kind === 'bug' || error.kind === 'timeout') throw error
  }
}

async function eventsOf(id: string): Promise<readonly LedgerEvent[]> {
  let events: readonly LedgerEvent[] = []
  await eventually(`the last event of ${id}`, async () => {
    events = await node.events(id)
    return events.at(-1)?.type === 'container.deleted'
  })
  return events
}

function expectOrder(events: readonly LedgerEvent[]): void {
  expect(events.map(({sequence}) => sequence)).toEqual(events.map((_, index) => index + 1))
  // Throws for an event that is not possible where it stands.
  foldEvents(events)
  const at = (type: EventType) => events.findIndex((event) => event.type === type)
  const before = (first: EventType, then: EventType) => {
    if (at(then) >= 0)
      expect([first, at(first)], then).toEqual([first, expect.toSatisfy((index: number) => index >= 0 && index < at(then))])
  }
  before('container.created', 'container.started')
  before('container.started', 'container.paused')
  before('container.paused', 'container.resumed')
  before('container.created', 'container.exited')
  before('container.exited', 'container.deleted')
  expect(events.filter(({type}) => type === 'container.exited')).toHaveLength(1)
  const exits = events.filter(({type}) => type.endsWith('.exited'))
  expect(exits.at(-1)?.type).toBe('container.exited')
  const execs = new Set(events.flatMap((event) => ('exec' in event.data ? [event.data.exec] : [])))
  for (const exec of execs) {
    const own = events.filter((event) => 'exec' in event.data && event.data.exec === exec).map(({type}) => type)
    const order = ['exec.added', 'exec.started', 'exec.exited', 'exec.deleted'].filter((type) => own.some((one) => one === type))
    expect(own.filter((type) => order.includes(type))).toEqual(order)
  }
}
