/** Generators of fast-check for the data of every event type, and for whole events. */
import fc, {type Arbitrary} from 'fast-check'
import type {Draft} from '../../../machines/ledger/draft.ts'
import {type EventData, type EventType, eventSchemas, isEventType, type LedgerEvent} from '../../../machines/ledger/events.ts'
import {isSignalName, type SignalName, signalNumbers} from '../../../machines/schemas/signals.ts'

export const eventTypes: readonly EventType[] = Object.keys(eventSchemas).filter(isEventType)

const id = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$/)
const path = fc.stringMatching(/^\/[^\0]{0,40}$/)
const instant = fc
  .date({min: new Date('1970-01-01T00:00:00Z'), max: new Date('9999-12-31T23:59:59Z'), noInvalidDate: true})
  .map((date) => date.toISOString())
const namedSignal = fc.constantFrom(...Object.keys(signalNumbers).filter(isSignalName))
const realTimeSignal = fc.integer({min: 0, max: 30}).map((offset): SignalName => `SIGRTMIN+${offset}`)
const signal = fc.oneof<Arbitrary<SignalName>[]>(namedSignal, realTimeSignal)
// JSON has no -0.
const details = fc
  .dictionary(fc.stringMatching(/^[a-z]{1,8}$/), fc.jsonValue())
  .map((value): Record<string, unknown> => JSON.parse(JSON.stringify(value)))
const failure = fc.record({code: fc.string(), kind: fc.string(), message: fc.string(), details})
const failed = fc.record({error: failure})
const none = fc.constant({})
const common = {id, namespace: id, autoRemove: fc.boolean()}
const rootfsRequest = fc.record(
  {
    ...common,
    rootfs: path,
    args: fc.array(fc.stringMatching(/^[^\0]*$/), {minLength: 1}),
    env: fc.array(fc.stringMatching(/^[A-Z]{1,8}=[^\0]*$/)),
    cwd: path,
    user: fc.string({minLength: 1}),
    hostname: fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9.-]{0,63}$/),
    network: fc.constantFrom('none', 'host'),
  },
  {requiredKeys: ['namespace', 'autoRemove', 'rootfs', 'args', 'env', 'cwd', 'user', 'network']},
)
const bytes = fc.integer({min: 1})
const limits = fc.record(
  {
    memoryBytes: fc.option(bytes),
    memorySwapBytes: fc.option(bytes),
    cpus: fc.option(fc.double({min: 0.01, max: 10_000, noNaN: true})),
    cpuShares: fc.integer({min: 2, max: 262_144}),
    cpusetCpus: fc.constantFrom('0', '0-2,4'),
    pidsLimit: fc.option(bytes),
  },
  {requiredKeys: []},
)
const exit = fc.oneof(
  fc.record({type: fc.constant('code' as const), code: fc.integer({min: 0, max: 255})}),
  fc.record({type: fc.constant('signal' as const), signal, coreDumped: fc.boolean()}, {requiredKeys: ['type', 'signal']}),
  fc.record({type: fc.constant('lost' as const), reason: fc.string()}),
)

const usage = fc.record({userMs: fc.nat(), systemMs: fc.nat(), maxRssBytes: fc.nat()})

const identity = fc.record({pid: fc.integer({min: 1}), startTimeTicks: fc.maxSafeNat(), bootId: fc.uuid()})
const size = {columns: fc.integer({min: 1, max: 65_535}), rows: fc.integer({min: 1, max: 65_535})}
const spec = fc.record(
  {
    args: fc.array(fc.stringMatching(/^[^\0]*$/), {minLength: 1}),
    env: fc.array(fc.constant('A=b')),
    cwd: path,
    user: fc.constant('0'),
    terminal: fc.boolean(),
    consoleSize: fc.record(size),
    stdin: fc.boolean(),
    autoRemove: fc.boolean(),
  },
  {requiredKeys: ['args', 'env', 'autoRemove']},
)
const end = {exit, exitedAt: instant, source: fc.constantFrom('waitid', 'coordinator', 'pidfd', 'none'), usage} as const

const data: {readonly [T in EventType]: Arbitrary<EventData<T>>} = {
  'container.create-requested': fc.record({request: fc.oneof(rootfsRequest, fc.record({...common, bundle: path}))}),
  'container.created': fc.record(
    {init: identity, bundle: path, args: fc.array(fc.string()), cgroups: fc.array(path)},
    {requiredKeys: ['bundle', 'args', 'cgroups']},
  ),
  'container.create-failed': failed,
  'container.start-requested': none,
  'container.started': fc.record({init: identity, cgroups: fc.array(path)}, {requiredKeys: []}),
  'container.start-failed': failed,
  'container.kill-requested': fc.record({signal, all: fc.boolean()}, {requiredKeys: ['signal']}),
  'container.signalled': fc.record({signal}),
  'container.kill-failed': fc.record({signal, error: failure}),
  'container.stop-requested': fc.record({signal, dueAt: instant}),
  'container.stop-timed-out': none,
  'container.pause-requested': none,
  'container.paused': none,
  'container.pause-failed': failed,
  'container.resume-requested': none,
  'container.resumed': none,
  'container.resume-failed': failed,
  'container.checkpoint-requested': fc.record({checkpoint: fc.record({image: path, leaveRunning: fc.boolean()})}),
  'container.checkpointed': fc.record({image: path, leaveRunning: fc.boolean()}),
  'container.checkpoint-failed': failed,
  'container.update-requested': fc.record({limits}),
  'container.updated': fc.record({limits}),
  'container.update-failed': failed,
  'container.oom': fc.record({cgroup: path, killed: fc.integer({min: 1})}),
  'container.stdin-closed': none,
  'container.resized': fc.record(size),
  'container.exited': fc.record({...end, oomKilled: fc.boolean()}, {requiredKeys: ['exit', 'exitedAt', 'source']}),
  'container.health-changed': fc.record({status: fc.constantFrom('healthy', 'unhealthy'), failures: fc.nat(), output: fc.string()}),
  'container.restart-scheduled': fc.record({attempt: fc.integer({min: 1}), dueAt: instant}),
  'container.restart-due': none,
  'container.restart-cancelled': none,
  'container.restart-gave-up': fc.record({attempts: fc.integer({min: 1})}),
  'container.delete-requested': fc.record({force: fc.boolean(), reason: fc.string()}, {requiredKeys: ['force']}),
  'container.deleted': none,
  'container.delete-failed': failed,
  'exec.added': fc.record({exec: id, spec}),
  'exec.start-requested': fc.record({exec: id}),
  'exec.started': fc.record({exec: id, process: identity}),
  'exec.start-failed': fc.record({exec: id, error: failure}),
  'exec.kill-requested': fc.record({exec: id, signal}),
  'exec.signalled': fc.record({exec: id, signal}),
  'exec.kill-failed': fc.record({exec: id, signal, error: failure}),
  'exec.stdin-closed': fc.record({exec: id}),
  'exec.resized': fc.record({exec: id, ...size}),
  'exec.exited': fc.record({exec: id, ...end}, {requiredKeys: ['exec', 'exit', 'exitedAt', 'source']}),
  'exec.delete-requested': fc.record({exec: id, reason: fc.string()}, {requiredKeys: ['exec']}),
  'exec.deleted': fc.record({exec: id}),
  'supervisor.adopted': fc.record(
    {supervisorPid: fc.integer({min: 1}), found: fc.string(), takenBack: fc.integer({min: 1}), tornBytes: fc.integer({min: 1})},
    {requiredKeys: ['supervisorPid', 'found']},
  ),
  'supervisor.republished': fc.record({from: fc.integer({min: 1}), missing: fc.nat(), removed: fc.nat()}),
  'supervisor.gave-up': fc.record({deaths: fc.integer({min: 1}), periodMs: fc.integer({min: 1})}),
}

export function arbitraryDraft(type: EventType): Arbitrary<Draft> {
  const ofType: Arbitrary<EventData> = data[type]
  return ofType.map((value) => ({type, data: value}) as Draft)
}

export const anyDraft: Arbitrary<Draft> = fc.constantFrom(...eventTypes).chain(arbitraryDraft)

export function arbitraryEvent(type: EventType): Arbitrary<LedgerEvent> {
  const envelope = fc.record({
    time: instant,
    sequence: fc.integer({min: 1}),
    uid: fc.string({minLength: 1}),
    source: fc.string(),
    actor: fc.string(),
    correlationId: fc.string(),
    causationId: fc.option(fc.string(), {nil: undefined}),
  })
  return fc.tuple(arbitraryDraft(type), envelope).map(([draft, rest]): LedgerEvent => ({...draft, ...rest}))
}
