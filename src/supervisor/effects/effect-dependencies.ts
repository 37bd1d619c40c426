import type {BootInstant} from '../../../machines/ledger/boot-instant.ts'
import type {Confinement} from '../../../machines/schemas/confinement.ts'
import type {CreateRequest} from '../../../machines/schemas/create-request.ts'
import type {ContainerAddress} from '../../../machines/ledger/ids.ts'
import type {Clock} from '../../kernel/clock.ts'
import type {ChildReaper} from '../../linux/child-reaper.ts'
import type {OciRuntime} from '../../runtime/oci-runtime.ts'
import type {InitProcess} from '../processes/init-process.ts'
import type {ContainerLayout} from '../../layout/container-layout.ts'
import type {LastRoom} from './reserved-space.ts'
import type {Loop} from '../loop/loop.ts'
import type {ExecHandlers} from './exec-effects.ts'
import type {HealthChecks} from './health-checks.ts'
import type {Outputs} from '../output/outputs.ts'
import type {RestartHandlers} from './restart-effects.ts'

export interface EffectDependencies {
  readonly runtime: OciRuntime
  readonly init: InitProcess
  readonly outputs: Outputs
  readonly clock: Clock
  readonly bootNow: () => BootInstant
  readonly reaper: Pick<ChildReaper, 'holdOrphans'>
  /** Validates, and writes what is generated; resolves to the bundle and its command line. */
  readonly prepareBundle: (
    request: CreateRequest,
    layout: ContainerLayout,
  ) => Promise<{
    readonly bundle: string
    readonly args: readonly string[]
    readonly terminal: boolean
    readonly overlay?: 'disk' | 'memory'
    readonly confinement: Confinement
  }>
  /** Takes away what was mounted for the root file system. Idempotent. @throws TallyError MOUNT_FAILED */
  readonly unmountRootfs: () => void
  readonly lastRoom: Pick<LastRoom, 'isShort' | 'dropLogs'>
  /** Of the effects that are about an added process. */
  readonly ofExecs: ExecHandlers
  readonly ofRestarts: RestartHandlers
  readonly health: HealthChecks
  readonly loop: () => Loop
  /** Nothing is left to do: publish, clean up, exit. */
  readonly end: () => void
}

export interface EffectOptions {
  readonly address: ContainerAddress
  readonly layout: ContainerLayout
  /** Whether the host accounts for swap. */
  readonly limitsSwap: boolean
}
