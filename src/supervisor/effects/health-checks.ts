/**
 * Runs the health check of a container now and then, and reports what is new. A check that finds what was found before leaves no trace in
 * the ledger; how answers are judged is in machines/charts/health.ts.
 */
import {beginHealth, type HealthPhase, judgeHealth, toHealthWaitMs} from '../../../machines/charts/health.ts'
import {type BootInstant, spanMs} from '../../../machines/ledger/boot-instant.ts'
import type {Ledger} from '../../../machines/ledger/ledger.ts'
import type {HealthCheck} from '../../../machines/schemas/health.ts'
import type {Clock} from '../../kernel/clock.ts'
import type {Observe} from '../loop/inbox.ts'
import type {HealthMemory} from '../processes/health-memory.ts'
import type {Answer, Probe} from '../processes/health-probe.ts'

export interface HealthChecks {
  /** Begins to check the init of now; the checks of the one before end. */
  watch(check: HealthCheck, ledger: () => Ledger): void
  /** No more checks. Idempotent. */
  end(): void
  /** Resolves when no check is under way. */
  idle(): Promise<void>
  /** When the next check is due, milliseconds since boot; `checking` while one is under way; undefined when there are none. */
  readonly next: number | 'checking' | undefined
  /** Puts down, for the next supervisor, how far the failures are counted. */
  remember(): void
}

export interface HealthChecksDependencies {
  readonly probe: Probe
  readonly clock: Pick<Clock, 'now' | 'elapsed' | 'sleep'>
  readonly memory: HealthMemory
  readonly bootNow: () => BootInstant
  readonly observe: Observe
}

type Phase =
  | {readonly type: 'off'}
  | {readonly type: 'watching'; readonly check: HealthCheck; readonly ledger: () => Ledger; health: HealthPhase; next: number | 'checking'}

type Watching = Extract<Phase, {type: 'watching'}>

export function createHealthChecks({probe, clock, bootNow, observe, memory}: HealthChecksDependencies): HealthChecks {
  let phase: Phase = {type: 'off'}
  let underWay: Promise<unknown> = Promise.resolve()

  return {
    watch: (check, ledger) => {
      const remembered = memory.take(ledger())
      const health = remembered?.health ?? beginHealth(check, toRanMs(ledger()))
      const next = remembered?.nextMs ?? clock.elapsed() + toHealthWaitMs(health, check)
      // Another object for each init, though the check is the same.
      const own: Watching = {type: 'watching', check, ledger, health, next}
      phase = own
      void run(own, () => phase === own)
    },
    end: () => {
      phase = {type: 'off'}
    },
    idle: async () => void (await underWay),
    get next() {
      return phase.type === 'off' ? undefined : phase.next
    },
    remember: () => {
      if (phase.type === 'watching' && phase.next !== 'checking') memory.put(phase.ledger(), {health: phase.health, nextMs: phase.next})
    },
  }

  async function run(own: Watching, isWatched: () => boolean): Promise<void> {
    const {check, ledger} = own
    const container = () => ledger().snapshot.context
    await probe.clear(container())
    for (;;) {
      if (own.next !== 'checking') await clock.sleep(Math.max(0, own.next - clock.elapsed()))
      if (!isWatched()) return
      if (isAnswering(ledger())) {
        own.next = 'checking'
        // Put down before by this supervisor, which could not fall asleep.
        memory.drop()
        const asked = probe.ask(check, container())
        underWay = asked
        const {isWell, output} = await asked
        if (!isWatched()) return
        await judge(own, {isWell, output})
      }
      own.next = clock.elapsed() + toHealthWaitMs(own.health, check)
    }
  }

  async function judge(own: Watching, {isWell, output}: Answer): Promise<void> {
    const {ledger} = own
    const {phase: next, status} = judgeHealth(own.health, own.check, {isWell, ranMs: toRanMs(ledger())})
    own.health = next
    if (next.type === 'starting' || status === undefined || status === ledger().snapshot.context.health?.status) return
    await observe({type: 'container.health-changed', data: {status, failures: next.failures, output}})
  }

  /** Since the start of its program, whichever supervisor it had then. */
  function toRanMs({snapshot}: Ledger): number {
    const {startedAt, startedBoot} = snapshot.context
    if (startedAt === undefined) return Number.POSITIVE_INFINITY
    return spanMs({time: startedAt, boot: startedBoot}, {time: new Date(clock.now()).toISOString(), boot: bootNow()})
  }
}

/** What is frozen, or being written to disk, gives no answer. */
function isAnswering({snapshot}: Ledger): boolean {
  return snapshot.matches({running: {execution: 'active', checkpoint: 'none'}})
}
