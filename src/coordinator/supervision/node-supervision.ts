/** The parts of the supervision of a node's containers, put together. */
import {join} from 'node:path'
import type {Clock} from '../../kernel/clock.ts'
import type {Logger} from '../../kernel/log.ts'
import type {NatsLink} from '../../messaging/link.ts'
import type {Subjects} from '../../messaging/subjects.ts'
import type {SupervisorOptions} from '../../supervisor/assignment.ts'
import {findVacant, listContainers, removeEmptyNamespaces} from '../directories/containers.ts'
import {createDescriptorStore, type DescriptorStore} from './descriptor-store.ts'
import {recordGivenUp} from './give-up.ts'
import {createOrphanReaper, type OrphanReaper} from './orphan-reaper.ts'
import type {CoordinatorParent} from './parent.ts'
import {createSupervision, type Supervision} from './supervision.ts'
import {createSupervisors, type Supervisors} from './supervisors.ts'

export interface NodeSupervision {
  readonly descriptors: DescriptorStore
  readonly orphans: OrphanReaper
  readonly supervisors: Supervisors
  readonly supervision: Supervision
}

export interface NodeSupervisionOptions {
  readonly node: string
  /** What every supervisor is started with. */
  readonly options: SupervisorOptions
  /** The bundled supervisor. */
  readonly program: string
  readonly subjects: Subjects
  readonly openLink: () => NatsLink
  readonly parent: Pick<CoordinatorParent, 'onOrphanExit'>
  readonly clock: Clock
  readonly logger: Logger
  /** Aborted when the coordinator ends. */
  readonly signal: AbortSignal
}

export function createNodeSupervision({
  node,
  options: {stateDir, runDir, runtime},
  program,
  subjects,
  openLink,
  parent,
  clock,
  logger,
  signal,
}: NodeSupervisionOptions): NodeSupervision {
  const directories = {stateDir, runDir}
  const descriptors = createDescriptorStore({directories, logger})
  const supervisors = createSupervisors({
    program,
    options: {stateDir, runDir, runtime},
    logFile: join(stateDir, 'supervisors.log'),
    logger,
    // Its newest process may have no descriptor here yet, and needs one before it can end.
    onReady: descriptors.refreshContainer,
  })
  const supervision = createSupervision({
    listContainers: () => {
      removeEmptyNamespaces(directories)
      return listContainers(directories)
    },
    findVacant: (name) => (supervisors.isAssigned(name) ? undefined : findVacant(directories, name, logger)),
    assign: (container) => supervisors.assign({node, ...container, work: {type: 'recover', kept: [...descriptors.list(container)]}}),
    giveUp: (container, data) => recordGivenUp(container, data, {node, directories, subjects, openLink, clock, logger}),
    clock,
    logger,
    signal,
  })
  supervisors.onEnd((container) => {
    descriptors.refreshContainer(container)
    supervision.observeEnd(container)
  })
  return {descriptors, orphans: createOrphanReaper({parent, descriptors, clock, logger}), supervisors, supervision}
}
