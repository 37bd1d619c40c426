/** What the container is, what it uses, and whether the stream agrees with its journal: these requests change nothing. */
import type {RepublishReply} from '../../../machines/views/republish.ts'
import type {StatsReply} from '../../../machines/views/stats.ts'
import {TallyError} from '../../kernel/errors.ts'
import type {Outbox} from '../../messaging/outbox.ts'
import type {Endpoint} from '../../messaging/services.ts'
import {readState, readTop} from '../../observation/requests.ts'
import type {Stats} from '../../observation/stats.ts'
import type {Loop} from '../loop/loop.ts'
import type {ToEndpoint} from './command-endpoint.ts'

export interface ObservationDependencies {
  readonly on: ToEndpoint
  readonly loop: Pick<Loop, 'ledger'>
  readonly stats: Stats
  readonly outbox: Pick<Outbox, 'compare' | 'whenAcknowledged'>
}

const republicationPatienceMs = 30_000

export function createObservationEndpoints({on, loop, stats, outbox}: ObservationDependencies): readonly Endpoint[] {
  return [
    on('state', async (request) => readState(loop.ledger, request, {supervisorPid: process.pid})),
    on('stats', async ({watchMs}): Promise<StatsReply> => {
      stats.watch(watchMs)
      return stats.read()
    }),
    on('top', async (page, _origin, {room}) => readTop(loop.ledger, page, room)),
    on('republish', async (): Promise<RepublishReply> => {
      const {kept, wrong} = await outbox.compare()
      const published = loop.ledger.latest?.sequence ?? 0
      if (!(await outbox.whenAcknowledged(published, republicationPatienceMs)))
        throw new TallyError('TIMED_OUT', `the stream has not confirmed event ${published} within ${republicationPatienceMs} ms`)
      return {kept: kept.sequence, removed: wrong.length, published}
    }),
  ]
}
