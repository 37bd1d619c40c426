/** Requests that change nothing, answered from disk while the supervisor sleeps: with the code with which it answers them itself. */
import type * as z from 'zod'
import {type ContainerRequest, type ContainerVerb, containerCommandSchemas} from '../../../machines/commands/commands.ts'
import type {Ledger} from '../../../machines/ledger/ledger.ts'
import type {StatsReply} from '../../../machines/views/stats.ts'
import type {Clock} from '../../kernel/clock.ts'
import type {ContainerName} from '../../layout/container-name.ts'
import {type Directories, toContainerLayout} from '../../layout/container-layout.ts'
import {parseRequest} from '../../messaging/codec.ts'
import type {Handle, Incoming} from '../../messaging/services.ts'
import {fitToMessage} from '../../observation/fit-to-message.ts'
import {readState, readTop} from '../../observation/requests.ts'
import {createStats, type Stats} from '../../observation/stats.ts'
import {toView} from '../../observation/views.ts'
import type {FoldObserver} from '../ledgers/projection.ts'
import {createExitWaits} from './exit-waits.ts'
import {createLogReads} from './log-reads.ts'
import {notFound} from './refusals.ts'

export interface SleeperReads {
  /** How a verb is answered; undefined for one that has to wake the supervisor. */
  toRead(name: ContainerName, verb: string): Handle | undefined
  /** Publishes samples of what the container uses, for so many milliseconds. */
  watchStats(name: ContainerName, forMs: number): void
  /** Its supervisor is awake. @returns for how many milliseconds samples are still to be published, by it */
  release(name: ContainerName): number
  /** Those who wait for an exit are told of it. */
  readonly observer: FoldObserver
}

export interface SleeperReadsDependencies {
  readonly node: string
  readonly directories: Directories
  readonly find: (name: ContainerName) => Ledger | undefined
  readonly publishStats: (name: ContainerName, sample: StatsReply) => void
  readonly clock: Pick<Clock, 'now' | 'elapsed' | 'at'>
}

/** Nobody has the container as its supervisor. */
const responder = {supervisorPid: undefined}
const schemas: {readonly [V in ContainerVerb]: z.ZodType<ContainerRequest<V>>} = containerCommandSchemas

export function createSleeperReads({node, directories, find: look, publishStats, clock}: SleeperReadsDependencies): SleeperReads {
  const stats = new Map<string, Stats>()
  const logs = createLogReads()
  const exits = createExitWaits({node, find, clock})
  const reads: ReadonlyMap<string, (name: ContainerName) => Handle> = new Map([
    read('state', (name, request) => {
      const view = readState(find(name), request, responder)
      return 'eventCount' in view ? {...view, sleeping: true} : view
    }),
    read('stats', (name, {watchMs}) => {
      watchStats(name, watchMs)
      return toStats(name).read()
    }),
    read('top', (name, page, {room}) => readTop(find(name), page, room)),
    read('output', (name, request, {room}) => logs.output(toSleeper(name), request, room)),
    read('log', (name, request, {room}) => logs.log(toSleeper(name), request, room)),
    read('wait', async (name, request) => toView(await exits.wait(name, request), request.exec, responder)),
  ])

  return {
    toRead: (name, verb) => reads.get(verb)?.(name),
    watchStats,
    release: (name) => {
      const known = stats.get(toKey(name))
      const leftMs = known?.left() ?? 0
      known?.end()
      stats.delete(toKey(name))
      return leftMs
    },
    observer: exits.observer,
  }

  /** @throws TallyError CONTAINER_NOT_FOUND */
  function find(name: ContainerName): Ledger {
    const ledger = look(name)
    if (!ledger) throw notFound({node, ...name})
    return ledger
  }

  function toSleeper(name: ContainerName) {
    const ledger = find(name)
    return {ledger, layout: toContainerLayout(directories, name, ledger.latest?.uid ?? '')}
  }

  function watchStats(name: ContainerName, forMs: number): void {
    if (forMs === 0) return
    const own = toStats(name)
    stats.set(toKey(name), own)
    own.watch(forMs)
  }

  function toStats(name: ContainerName): Stats {
    let last = find(name)
    // When it is deleted meanwhile, that is the end of it.
    const ledger = () => {
      last = look(name) ?? last
      return last
    }
    return stats.get(toKey(name)) ?? createStats({ledger, publish: (sample) => publishStats(name, sample), clock})
  }
}

type Answer<V extends ContainerVerb> = (name: ContainerName, request: ContainerRequest<V>, message: Incoming) => unknown

function read<V extends ContainerVerb>(verb: V, answer: Answer<V>): readonly [V, (name: ContainerName) => Handle] {
  return [verb, (name) => fitToMessage(async (bytes, _origin, message) => await answer(name, parseRequest(schemas[verb], bytes), message))]
}

function toKey({namespace, id}: ContainerName): string {
  return `${namespace}/${id}`
}
