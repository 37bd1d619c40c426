/** What the handlers of effects work with. Each family takes of it what it needs. */
import type {Timer} from '../../../machines/charts/effects.ts'
import type {BootInstant} from '../../../machines/ledger/boot-instant.ts'
import type {ContainerAddress} from '../../../machines/ledger/ids.ts'
import type {Confinement} from '../../../machines/schemas/confinement.ts'
import type {CreateRequest} from '../../../machines/schemas/create-request.ts'
import type {ExecSpec} from '../../../machines/schemas/exec-spec.ts'
import type {Clock} from '../../kernel/clock.ts'
import type {Logger} from '../../kernel/log.ts'
import type {ContainerLayout} from '../../layout/container-layout.ts'
import type {OciRuntime} from '../../runtime/oci-runtime.ts'
import type {Outputs} from '../output/outputs.ts'
import type {ExecProcesses} from '../processes/exec-processes.ts'
import type {InitProcess} from '../processes/init-process.ts'
import type {OomWatch} from '../processes/oom-watch.ts'
import type {Children} from '../shim/children.ts'
import type {HealthChecks} from './health-checks.ts'
import type {LastRoom} from './reserved-space.ts'

export interface EffectDependencies {
  readonly runtime: OciRuntime
  readonly outputs: Outputs
  readonly init: InitProcess
  readonly execs: ExecProcesses
  readonly oom: OomWatch
  readonly health: HealthChecks
  /** When timers are due, milliseconds since boot: written by the effects that arm them. */
  readonly deadlines: Map<Timer, number>
  readonly children: Pick<Children, 'holdOrphans'>
  readonly lastRoom: Pick<LastRoom, 'isShort' | 'dropLogs'>
  readonly clock: Clock
  readonly bootNow: () => BootInstant
  /** From 0, below 1. */
  readonly random: () => number
  readonly logger: Logger
  /** Validates, and writes what is generated; resolves to the bundle and its command line. */
  readonly prepareBundle: (request: CreateRequest) => Promise<PreparedBundle>
  /** Writes what the runtime reads of an added process. */
  readonly prepareProcess: (spec: ExecSpec, place: {readonly bundle: string | undefined; readonly processFile: string}) => Promise<void>
  /** Unmounts what was mounted for the root file system. Idempotent. @throws TallyError MOUNT_FAILED */
  readonly unmountRootfs: () => void
  /** Nothing is left to do: publish, clean up, exit. */
  readonly end: () => void
}

export interface PreparedBundle {
  readonly bundle: string
  readonly args: readonly string[]
  readonly terminal: boolean
  readonly overlay?: 'disk' | 'memory'
  readonly confinement: Confinement
}

export interface EffectOptions {
  readonly address: ContainerAddress
  readonly layout: ContainerLayout
  /** Whether the host accounts for swap. */
  readonly limitsSwap: boolean
  /** Whether the state of the runtime is in its usual place, from where it is copied. */
  readonly copiesState: boolean
}
