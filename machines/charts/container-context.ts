import type {Confinement} from '../schemas/confinement.ts'
import type {BootInstant} from '../ledger/boot-instant.ts'
import type {EndRequest} from './end-request.ts'
import type {CreateRequest} from '../schemas/create-request.ts'
import type {ConsoleSize} from '../schemas/fields.ts'
import type {EventData, Failure, ProcessIdentity} from '../ledger/events.ts'
import type {HealthChange} from '../schemas/health.ts'
import type {Limits} from '../schemas/limits.ts'
import type {SignalName} from '../schemas/signals.ts'

/** What is remembered of a container beside its state. */
export interface ContainerContext {
  readonly request: CreateRequest | undefined
  readonly requestedAt: string | undefined
  readonly init: ProcessIdentity | undefined
  readonly bundle: string | undefined
  readonly args: readonly string[]
  readonly cgroups: readonly string[]
  /** Its 0, 1 and 2 are a pseudo-terminal. */
  readonly terminal: boolean
  /** Where the changes of its overlay are; undefined when there is none. */
  readonly overlay: 'disk' | 'memory' | undefined
  readonly confinement: Confinement | undefined
  readonly consoleSize: ConsoleSize | undefined
  readonly stdinClosed: boolean
  /** Added processes that are being started or run. Their ends come before that of init. */
  readonly liveExecs: readonly string[]
  /** The last that was taken, and when. */
  readonly checkpoint: (EventData<'container.checkpointed'> & {readonly time: string}) | undefined
  readonly createdAt: string | undefined
  readonly startedAt: string | undefined
  /** The same on the boot clock, which cannot be set. */
  readonly startedBoot: BootInstant | undefined
  /** The stop under way. */
  readonly stop: {readonly signal: SignalName; readonly dueAt: string; readonly bootDue?: BootInstant | undefined} | undefined
  /** Asked for, by a kill or a stop, and not known to have been sent. */
  readonly unsentSignal: SignalName | undefined
  /** The request that its end would answer; undefined before the first. */
  readonly endRequest: EndRequest | undefined
  /** As asked for at create, and changed by updates. */
  readonly limits: Limits
  /** The update under way. */
  readonly changing: Limits | undefined
  /** Since when it is frozen. */
  readonly pausedAt: string | undefined
  /** How many processes were killed because memory ran out, and where; undefined when none was. */
  readonly oom: EventData<'container.oom'> | undefined
  /** How many restarts in a row did not last, the one under way included; 0 before the first. */
  readonly attempt: number
  /** How often it was made again. */
  readonly restarts: number
  /** When it is to be made again. */
  readonly restartDueAt: string | undefined
  readonly restartBootDue: BootInstant | undefined
  /** A user has asked for its end: its restart policy does not apply. */
  readonly isStopWanted: boolean
  /** What its health check found last that was new; undefined before. */
  readonly health: (HealthChange & {readonly time: string}) | undefined
  /** Its supervisors died too often: it has none. */
  readonly unsupervised: boolean
  readonly exited: EventData<'container.exited'> | undefined
  /** Why the last of what was asked of it failed; absent when that was done. */
  readonly error: Failure | undefined
}

export const emptyContext: ContainerContext = {
  request: undefined,
  requestedAt: undefined,
  init: undefined,
  bundle: undefined,
  args: [],
  cgroups: [],
  terminal: false,
  overlay: undefined,
  confinement: undefined,
  consoleSize: undefined,
  stdinClosed: false,
  liveExecs: [],
  checkpoint: undefined,
  createdAt: undefined,
  startedAt: undefined,
  startedBoot: undefined,
  stop: undefined,
  unsentSignal: undefined,
  endRequest: undefined,
  limits: {},
  changing: undefined,
  pausedAt: undefined,
  oom: undefined,
  attempt: 0,
  restarts: 0,
  restartDueAt: undefined,
  restartBootDue: undefined,
  isStopWanted: false,
  health: undefined,
  unsupervised: false,
  exited: undefined,
  error: undefined,
}
