/** The parts of the supervision of a node's containers, put together. */
import {join} from 'node:path'
import {isAtRest} from '../../../machines/ledger/at-rest.ts'
import type {Clock} from '../../kernel/clock.ts'
import {TallyError} from '../../kernel/errors.ts'
import type {Logger} from '../../kernel/log.ts'
import type {NatsLink} from '../../messaging/link.ts'
import type {Subjects} from '../../messaging/subjects.ts'
import type {ContainerName} from '../../layout/container-name.ts'
import type {SupervisorOptions} from '../../supervisor/assignment.ts'
import {toContainerLayout} from '../../layout/container-layout.ts'
import {hasSleepNote} from '../../layout/sleep-note.ts'
import {connectShimControl} from '../../shim/client/control.ts'
import {findVacant, identifyContainer, listContainers, removeEmptyNamespaces} from '../directories/containers.ts'
import {createDescriptorStore, type DescriptorStore} from './descriptor-store.ts'
import {recordGivenUp} from './give-up.ts'
import {createOrphanReaper, type OrphanReaper} from './orphan-reaper.ts'
import {createShims, type Shims} from './shims.ts'
import {createSupervision, type Supervision} from './supervision.ts'
import {createSupervisors, type Supervisors} from './supervisors.ts'

export interface NodeSupervision {
  readonly descriptors: DescriptorStore
  readonly orphans: OrphanReaper
  readonly shims: Shims
  readonly supervisors: Supervisors
  readonly supervision: Supervision
  /**
   * Has the container get a supervisor that sees everything from before this call, by waking its shim or by starting one.
   * @throws TallyError SUPERVISOR_FAILED when its shim has given up
   */
  wake(name: ContainerName): Promise<void>
}

export interface NodeSupervisionOptions {
  readonly node: string
  /** What every supervisor is started with. */
  readonly options: SupervisorOptions
  /** The bundled supervisor. */
  readonly program: string
  readonly shimProgram: string
  readonly subjects: Subjects
  readonly openLink: () => NatsLink
  /** Called, maybe again and again, for a container whose supervisor sleeps, or that needs none: somebody has to answer for it. */
  readonly onAsleep: (name: ContainerName) => void
  readonly clock: Clock
  readonly logger: Logger
  /** Aborted when the coordinator ends. */
  readonly signal: AbortSignal
}

const pollMs = 50
const supervisorEndMs = 2_000

export function createNodeSupervision({
  node,
  options: {stateDir, runDir, runtime, sleepAfterMs},
  program,
  shimProgram,
  subjects,
  openLink,
  onAsleep,
  clock,
  logger,
  signal,
}: NodeSupervisionOptions): NodeSupervision {
  const directories = {stateDir, runDir}
  const descriptors = createDescriptorStore({directories, logger})
  const shims = createShims({
    listContainers: () => listContainers(directories),
    connect: (name, options) => connectShimControl(toContainerLayout(directories, name, '').shimSocket, options),
    clock,
    logger,
  })
  signal.addEventListener('abort', () => shims[Symbol.dispose]())
  const supervisors = createSupervisors({
    program,
    shimProgram,
    options: {stateDir, runDir, runtime, sleepAfterMs},
    logFile: join(stateDir, 'supervisors.log'),
    logger,
    onReady: (container) => {
      void shims.connect(container)
      // Its newest process may have no descriptor here yet, and needs one before it can end.
      descriptors.refreshContainer(container)
    },
  })
  const supervision = createSupervision({
    listContainers: () => {
      removeEmptyNamespaces(directories)
      return listContainers(directories)
    },
    findVacant: (name) => (supervisors.isAssigned(name) || shims.has(name) ? undefined : findVacant(directories, name, logger)),
    isAtRest: (name) => {
      const ledger = descriptors.find(name)
      if (!ledger || !isAtRest(ledger) || !hasSleepNote(toContainerLayout(directories, name, ''), ledger)) return false
      onAsleep(name)
      return true
    },
    identify: (name) => identifyContainer(directories, name),
    assign: (container) => supervisors.assign({node, ...container, work: {type: 'recover', exits: [...descriptors.listExits(container)]}}),
    wake: (name) => shims.wake(name, {force: true}),
    giveUp: (container, data) => recordGivenUp(container, data, {node, directories, subjects, openLink, clock, logger}),
    clock,
    logger,
    signal,
  })
  shims.onStatus((name, {phase}, former) => {
    supervision.observePhase(name, phase, former?.phase)
    if (phase === 'asleep') onAsleep(name)
  })
  shims.onEnd((name) => {
    descriptors.refreshContainer(name)
    void lookUntilTaken(name)
  })
  supervisors.onEnd((container) => {
    descriptors.refreshContainer(container)
    supervision.observeEnd(container)
  })
  const orphans = createOrphanReaper({descriptors, clock, logger})
  return {
    descriptors,
    orphans,
    shims,
    supervisors,
    supervision,
    wake: async (name) => {
      const status = await shims.wake(name)
      if (!status) supervision.request(name)
      else if (status.phase === 'gave-up')
        throw new TallyError(
          'SUPERVISOR_FAILED',
          `the supervisors of ${name.namespace}/${name.id} died too often; \`tally up\` tries again`,
        )
    },
  }

  /** The supervisor of a shim that was killed ends a moment after it. */
  async function lookUntilTaken(name: ContainerName): Promise<void> {
    for (let waitedMs = 0; waitedMs < supervisorEndMs && !signal.aborted; waitedMs += pollMs) {
      if (supervisors.isAssigned(name) || shims.has(name) || !identifyContainer(directories, name)) return
      supervision.lookAt(name)
      await clock.sleep(pollMs)
    }
  }
}
