/** What commander makes of the options of `run` and `create`. */
import type {CreateRequestInput, Device, Mount, RootfsMount, Ulimit} from '../../machines/schemas/create-request.ts'
import type {LimitFlag, LogOptions} from './arguments.ts'
import type {SecurityOptions} from './security-arguments.ts'

export interface ContainerFlags {
  readonly name?: string
  readonly rootfs?: string
  readonly rootfsMount?: readonly RootfsMount[]
  readonly rw?: true
  readonly bundle?: string
  readonly runtime?: string
  readonly runtimeRoot?: string
  readonly pivot?: boolean
  readonly newKeyring?: boolean
  readonly systemdCgroup?: true
  readonly interactive?: true
  readonly logOpt?: LogOptions
  readonly tty?: true
  readonly label?: readonly (readonly [string, string])[]
  readonly env?: readonly string[]
  readonly workdir?: string
  readonly user?: string
  readonly hostname?: string
  readonly network?: string
  readonly pid?: string
  readonly ipc?: string
  readonly uts?: 'private' | 'host'
  readonly privileged?: true
  readonly securityOpt?: readonly SecurityOptions[]
  readonly device?: readonly Device[]
  readonly ulimit?: readonly Ulimit[]
  readonly annotation?: readonly (readonly [string, string])[]
  readonly volume?: readonly Mount[]
  readonly mount?: readonly Mount[]
  readonly tmpfs?: readonly Mount[]
  readonly readOnly?: true
  readonly capAdd?: readonly string[]
  readonly capDrop?: readonly string[]
  readonly memory?: number
  readonly memorySwap?: LimitFlag
  readonly cpus?: number
  readonly cpuShares?: number
  readonly cpusetCpus?: string
  readonly pidsLimit?: number
  readonly restart?: NonNullable<CreateRequestInput['restart']>
  readonly healthCmd?: string
  readonly healthInterval?: number
  readonly healthTimeout?: number
  readonly healthRetries?: number
  readonly healthStartPeriod?: number
  readonly healthStartInterval?: number
}
