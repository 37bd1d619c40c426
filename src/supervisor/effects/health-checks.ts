/**
 * Asks a running container now and then whether it is well. A check that finds what was found before leaves no trace in the ledger; a
 * change is an event. How many have failed in a row is not remembered beyond the death of a supervisor: they are counted anew.
 */
import {type BootInstant, spanMs} from '../../../machines/ledger/boot-instant.ts'
import type {HealthCheck} from '../../../machines/schemas/health.ts'
import type {Ledger} from '../../../machines/ledger/ledger.ts'
import type {Clock} from '../../kernel/clock.ts'
import type {Handlers} from './effect-table.ts'
import type {Loop} from '../loop/loop.ts'
import {toOwnOrigin} from '../loop/origin.ts'
import type {Probe} from '../processes/health-probe.ts'

export type HealthHandlers = Pick<Handlers, 'health.watch'>

export interface HealthChecks {
  readonly handlers: HealthHandlers
  /** Init has ended: no more checks. */
  end(): void
  /** Resolves when no check is under way. */
  idle(): Promise<void>
}

export interface HealthCheckDependencies {
  readonly probe: Probe
  readonly clock: Pick<Clock, 'now' | 'sleep'>
  readonly bootNow: () => BootInstant
  readonly loop: () => Loop
}

export function createHealthChecks({probe, clock, bootNow, loop}: HealthCheckDependencies): HealthChecks {
  /** Of the init that is watched; another, or none, ends the watch of the one before. */
  let watched: symbol | undefined
  let underWay: Promise<unknown> = Promise.resolve()

  return {
    handlers: {
      'health.watch': async ({check}) => {
        watched = Symbol('init')
        void watch(check, watched)
        return undefined
      },
    },
    end: () => {
      watched = undefined
    },
    idle: async () => void (await underWay),
  }

  async function watch(check: HealthCheck, init: symbol): Promise<void> {
    await probe.clear()
    let failures = 0
    let isStarting = isWithinStart(check)
    for (;;) {
      await clock.sleep(isStarting ? check.startIntervalMs : check.intervalMs)
      if (watched !== init) return
      if (!isAnswering(loop().ledger)) continue
      const asked = probe.ask(check)
      underWay = asked
      const {isWell, output} = await asked
      if (watched !== init) return
      isStarting &&= !isWell && isWithinStart(check)
      if (isStarting) continue
      failures = isWell ? 0 : failures + 1
      if (isWell || failures >= check.retries) await tell(isWell ? 'healthy' : 'unhealthy', {failures, output})
    }
  }

  /** Since the start of its program, whoever supervised it then. */
  function isWithinStart({startPeriodMs}: HealthCheck): boolean {
    const {startedAt, startedBoot} = loop().ledger.snapshot.context
    const now = {time: new Date(clock.now()).toISOString(), boot: bootNow()}
    return startedAt !== undefined && spanMs({time: startedAt, boot: startedBoot}, now) < startPeriodMs
  }

  async function tell(status: 'healthy' | 'unhealthy', found: {readonly failures: number; readonly output: string}): Promise<void> {
    const {snapshot, latest} = loop().ledger
    if (!latest || snapshot.context.health?.status === status) return
    await loop().observe({type: 'container.health-changed', data: {status, ...found}}, toOwnOrigin(latest.uid))
  }
}

/** What is frozen, or being written to disk, answers nobody. */
function isAnswering({snapshot}: Ledger): boolean {
  return snapshot.matches({running: {execution: 'active', checkpoint: 'none'}})
}
