/** What decides when the supervisor of a container falls asleep, put together. */
import type {Timer} from '../../../machines/charts/effects.ts'
import {isAtRest} from '../../../machines/ledger/at-rest.ts'
import type {Journal} from '../../journal/journal.ts'
import type {Clock} from '../../kernel/clock.ts'
import type {Logger} from '../../kernel/log.ts'
import type {ContainerLayout} from '../../layout/container-layout.ts'
import {writeSleepNote} from '../../layout/sleep-note.ts'
import type {NatsLink} from '../../messaging/link.ts'
import type {Outbox} from '../../messaging/outbox.ts'
import type {HealthChecks} from '../effects/health-checks.ts'
import type {ContainerService} from '../endpoints/service.ts'
import type {Loop} from '../loop/loop.ts'
import type {Outputs} from '../output/outputs.ts'
import type {SupervisorShim} from '../shim/supervisor-shim.ts'
import type {ActivityCount} from './activity.ts'
import {createSleep, type Sleep} from './sleep.ts'

export interface ContainerSleepDependencies {
  readonly loop: Pick<Loop, 'ledger' | 'waiting'>
  readonly journal: Pick<Journal, 'latestSequence'> & Disposable
  readonly outbox: Pick<Outbox, 'acknowledged'>
  readonly outputs: Pick<Outputs, 'attendedUntilMs'>
  readonly health: Pick<HealthChecks, 'next' | 'remember'>
  readonly deadlines: ReadonlyMap<Timer, number>
  readonly service: ContainerService
  /** Of effects and requests. */
  readonly count: ActivityCount
  readonly shim: SupervisorShim
  readonly link: Pick<NatsLink, typeof Symbol.asyncDispose>
  readonly layout: ContainerLayout
  readonly clock: Clock
  readonly logger: Logger
}

/** @param afterMs how long nothing has to happen; undefined for never */
export function createContainerSleep(
  {loop, journal, outbox, outputs, health, deadlines, service, count, shim, link, layout, clock, logger}: ContainerSleepDependencies,
  {afterMs}: {readonly afterMs: number | undefined},
): Sleep {
  return createSleep(
    {
      activity: () => ({
        open: count.open + service.open + loop.waiting + (health.next === 'checking' ? 1 : 0),
        lastMs: count.lastMs,
        isRecorded: outbox.acknowledged === journal.latestSequence(),
        attendedUntilMs: outputs.attendedUntilMs(),
        dues: [...deadlines.values(), ...(typeof health.next === 'number' ? [health.next] : [])],
      }),
      isAtRest: () => isAtRest(loop.ledger),
      service,
      shim,
      remember: () => {
        health.remember()
        writeSleepNote(layout, loop.ledger)
      },
      end: async () => {
        await link[Symbol.asyncDispose]()
        journal[Symbol.dispose]()
        process.exit(0)
      },
      clock,
      logger,
    },
    {afterMs},
  )
}
