/** Containers whose supervisor sleeps, or that have no process at all: the parts that answer for them, put together. */
import type {Ledger} from '../../../machines/ledger/ledger.ts'
import {existsSync} from 'node:fs'
import {nodeCommandSchemas} from '../../../machines/commands/commands.ts'
import type {Clock} from '../../kernel/clock.ts'
import type {Logger} from '../../kernel/log.ts'
import type {ContainerName} from '../../layout/container-name.ts'
import {type Directories, toContainerLayout} from '../../layout/container-layout.ts'
import {encodeJson} from '../../messaging/codec.ts'
import type {NatsLink} from '../../messaging/link.ts'
import {type Endpoint, endpoint} from '../../messaging/services.ts'
import type {Subjects} from '../../messaging/subjects.ts'
import type {FoldObserver} from '../ledgers/projection.ts'
import {createSleeperReads} from './reads.ts'
import {createStandIn, type StandIn} from './stand-in.ts'

export interface Sleepers {
  readonly standIn: StandIn
  /** What supervisors say when they fall asleep and when they are awake. */
  readonly endpoints: readonly Endpoint[]
  readonly observer: FoldObserver
}

export interface SleepersDependencies {
  readonly node: string
  readonly subjects: Subjects
  readonly link: Pick<NatsLink, 'session' | 'onSession'>
  readonly directories: Directories
  /** As its journal has it; undefined when there is no such container. */
  readonly find: (name: ContainerName) => Ledger | undefined
  /** As that of {@link createStandIn}. */
  readonly wake: (name: ContainerName) => Promise<void>
  readonly clock: Clock
  readonly logger: Logger
}

export function createSleepers({node, subjects, link, directories, find, wake, clock, logger}: SleepersDependencies): Sleepers {
  const toLayout = (name: ContainerName) => toContainerLayout(directories, name, '')
  const reads = createSleeperReads({
    node,
    directories,
    find,
    publishStats: (name, sample) => link.session()?.publish(subjects.stats({node, ...name}), encodeJson(sample)),
    clock,
  })
  const standIn = createStandIn({
    node,
    subjects,
    link,
    wake,
    exists: (name) => existsSync(toLayout(name).journal),
    toRead: reads.toRead,
    onAwake: (name) => {
      const watchMs = reads.release(name)
      const own = subjects.toOwn(subjects.containerCommand({node, ...name}, 'stats'))
      if (watchMs > 0 && own !== undefined) link.session()?.publish(own, encodeJson({watchMs}))
    },
    clock,
    logger,
  })
  const endpoints = [
    endpoint('sleep', subjects.nodeCommand(node, 'sleep'), nodeCommandSchemas.sleep, async ({watchStatsMs, ...name}) => {
      const standsIn = await standIn.takeOver(name)
      if (standsIn) reads.watchStats(name, watchStatsMs)
      return {standsIn}
    }),
    endpoint('awake', subjects.nodeCommand(node, 'awake'), nodeCommandSchemas.awake, async (name) => {
      standIn.release(name)
      return {}
    }),
  ]
  return {standIn, endpoints, observer: reads.observer}
}
