/** A supervisor with the endpoints of a test, that falls asleep as soon as it may, and what wakes it: as a shim does, each time a new one. */
import {randomUUID} from 'node:crypto'
import {setImmediate as turn, setTimeout as sleep} from 'node:timers/promises'
import * as z from 'zod'
import type {ContainerAddress} from '../../../../machines/ledger/ids.ts'
import {createSystemClock} from '../../../../src/kernel/clock.ts'
import {silentLogger} from '../../../../src/kernel/log.ts'
import {createNatsLink, type NatsLink} from '../../../../src/messaging/link.ts'
import {type Endpoint, endpoint, registerService} from '../../../../src/messaging/services.ts'
import {createSubjects} from '../../../../src/messaging/subjects.ts'
import type {Connection} from '../../../../src/messaging/connection.ts'
import {createLateAttempts} from '../../../../src/supervisor/endpoints/late-attempts.ts'
import {createOpenWaits} from '../../../../src/supervisor/endpoints/open-waits.ts'
import {createPresence, type Presence} from '../../../../src/supervisor/endpoints/presence.ts'

export const address: ContainerAddress = {node: 'n1', namespace: 'default', id: 'web'}
export const subjects = createSubjects()
export const clock = createSystemClock()

export interface SleepingSupervisor extends AsyncDisposable {
  /** As a shim: there will be one that has seen everything from before the call. */
  wake(): Promise<void>
  /** What was carried out, in order: the `n` of each request. */
  readonly done: readonly number[]
  readonly lives: number
  readonly isAsleep: boolean
  /** Ends without a word. */
  kill(): Promise<void>
}

export interface SleepingSupervisorOptions {
  readonly connection: Connection | (() => Connection)
  /** How long it stays awake with nothing to do. */
  readonly idleMs: () => number
  /** Whether it has nothing else to do. */
  readonly mayFallAsleep?: () => boolean
  /** How long a request takes. */
  readonly workMs?: () => number
  /** From the death of a sleeper to the next one that listens. */
  readonly startMs?: number
}

type Life = {readonly link: NatsLink; readonly presence: Presence; readonly end: AbortController}
type State = {readonly type: 'asleep'} | {readonly type: 'up'; readonly life: Life; woken: boolean} | {readonly type: 'closed'}

export function createSleepingSupervisor({
  connection,
  idleMs,
  mayFallAsleep = () => true,
  workMs = () => 0,
  startMs = 0,
}: SleepingSupervisorOptions): SleepingSupervisor {
  const done: number[] = []
  let lives = 0
  let state: State = {type: 'asleep'}
  let running = 0

  const work = async (n: number) => {
    running += 1
    done.push(n)
    const ms = workMs()
    if (ms > 0) await sleep(ms)
    running -= 1
    return {n, life: lives}
  }
  const endpoints: readonly Endpoint[] = [
    endpoint('start', subjects.containerCommand(address, 'start'), z.object({n: z.int()}), ({n}) => work(n)),
    endpoint('kill', subjects.containerCommand(address, 'kill'), z.object({n: z.int()}), ({n}, origin) =>
      origin.isRetry && done.includes(n) ? Promise.resolve({n, joined: true}) : work(n),
    ),
    {name: 'input', subject: subjects.inputs(address), handle: (bytes, _origin, message) => answerInput(bytes, message.subject)},
    endpoint('wait', subjects.containerCommand(address, 'wait'), z.object({waitMs: z.int().optional()}), () => new Promise(() => {})),
  ]

  const supervisor: SleepingSupervisor = {
    wake: async () => {
      if (state.type === 'up') state.woken = true
      if (state.type === 'asleep') await start()
    },
    done,
    get lives() {
      return lives
    },
    get isAsleep() {
      return state.type === 'asleep'
    },
    kill: async () => {
      if (state.type !== 'up') return
      const {life} = state
      state = {type: 'asleep'}
      life.end.abort()
      await life.link.session()?.close()
      await life.link[Symbol.asyncDispose]()
    },
    [Symbol.asyncDispose]: async () => {
      await supervisor.kill()
      state = {type: 'closed'}
    },
  }
  return supervisor

  async function answerInput(bytes: Uint8Array, subject: string) {
    return {...(await work(Number(Buffer.from(bytes).toString()))), subject}
  }

  async function start(): Promise<void> {
    lives += 1
    const name = `supervisor ${randomUUID()}`
    const toConnection = () => (typeof connection === 'function' ? connection() : connection)
    const link = createNatsLink({readConnection: async () => toConnection(), name: () => name, clock, logger: silentLogger})
    const waits = createOpenWaits(clock)
    const toLateAttempt = createLateAttempts(clock)
    const served = endpoints.map(toLateAttempt).map((one) => (one.name === 'wait' ? waits.wrap(one) : one))
    const end = new AbortController()
    if (startMs > 0) await sleep(startMs)
    const presence = createPresence({
      address,
      subjects,
      link,
      register: (session, isThere) =>
        registerService(session, {
          name: 'tally-supervisor',
          version: '1.2.3',
          description: 'for a test',
          metadata: {},
          endpoints: served,
          own: {subject: subjects.own(address), toPublic: subjects.fromOwn, isThere},
          logger: silentLogger,
        }),
      onSilence: (session) => {
        if (running > 0) return 'a request has come'
        waits.passOn(session)
        return undefined
      },
      watchStatsMs: () => 0,
      clock,
      logger: silentLogger,
    })
    const up = {type: 'up', life: {link, presence, end}, woken: false} as const
    state = {...up}
    void live(link, presence, end.signal)
  }

  async function live(link: NatsLink, presence: Presence, ended: AbortSignal): Promise<void> {
    while (!ended.aborted) {
      await sleep(idleMs())
      await turn()
      if (ended.aborted || running > 0 || !mayFallAsleep()) continue
      if (state.type === 'up') state.woken = false
      const outcome = await presence.handOver()
      if (outcome.type === 'stays' || ended.aborted) continue
      // As a shim refuses to let it sleep.
      if (state.type !== 'up' || state.woken || running > 0) {
        await presence.takeBack()
        continue
      }
      state = {type: 'asleep'}
      await link[Symbol.asyncDispose]()
      return
    }
  }
}
