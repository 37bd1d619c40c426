/**
 * Runs the health check of a container now and then, and reports what is new. A check that finds what was found before leaves no trace in
 * the ledger; how answers are judged is in machines/charts/health.ts.
 */
import {beginHealth, judgeHealth, toHealthWaitMs} from '../../../machines/charts/health.ts'
import {type BootInstant, spanMs} from '../../../machines/ledger/boot-instant.ts'
import type {Ledger} from '../../../machines/ledger/ledger.ts'
import type {HealthCheck} from '../../../machines/schemas/health.ts'
import type {Clock} from '../../kernel/clock.ts'
import type {Observe} from '../loop/inbox.ts'
import type {Probe} from '../processes/health-probe.ts'

export interface HealthChecks {
  /** Begins to check the init of now; the checks of the one before end. */
  watch(check: HealthCheck, ledger: () => Ledger): void
  /** No more checks. Idempotent. */
  end(): void
  /** Resolves when no check is under way. */
  idle(): Promise<void>
}

export interface HealthChecksDependencies {
  readonly probe: Probe
  readonly clock: Pick<Clock, 'now' | 'sleep'>
  readonly bootNow: () => BootInstant
  readonly observe: Observe
}

type Phase = {readonly type: 'off'} | {readonly type: 'checking'; readonly check: HealthCheck}

export function createHealthChecks({probe, clock, bootNow, observe}: HealthChecksDependencies): HealthChecks {
  let phase: Phase = {type: 'off'}
  let underWay: Promise<unknown> = Promise.resolve()

  return {
    watch: (check, ledger) => {
      // Another object for each init, though the check is the same.
      const own: Phase = {type: 'checking', check}
      phase = own
      void run(check, ledger, () => phase === own)
    },
    end: () => {
      phase = {type: 'off'}
    },
    idle: async () => void (await underWay),
  }

  async function run(check: HealthCheck, ledger: () => Ledger, isWatched: () => boolean): Promise<void> {
    const container = () => ledger().snapshot.context
    await probe.clear(container())
    let health = beginHealth(check, toRanMs(ledger()))
    for (;;) {
      await clock.sleep(toHealthWaitMs(health, check))
      if (!isWatched()) return
      if (!isAnswering(ledger())) continue
      const asked = probe.ask(check, container())
      underWay = asked
      const {isWell, output} = await asked
      if (!isWatched()) return
      const {phase: next, status} = judgeHealth(health, check, {isWell, ranMs: toRanMs(ledger())})
      health = next
      if (next.type === 'starting' || status === undefined || status === container().health?.status) continue
      await observe({type: 'container.health-changed', data: {status, failures: next.failures, output}})
    }
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
