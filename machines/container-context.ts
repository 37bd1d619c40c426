import type {ConsoleSize, CreateRequest} from './create-request.ts'
import type {EventData, Failure, ProcessIdentity} from './events.ts'
import type {Limits} from './limits.ts'
import type {SignalName} from './signals.ts'

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
  readonly consoleSize: ConsoleSize | undefined
  readonly stdinClosed: boolean
  /** Added processes that are being started or run. Their ends come before that of init. */
  readonly liveExecs: readonly string[]
  /** The last that was taken, and when. */
  readonly checkpoint: (EventData<'container.checkpointed'> & {readonly time: string}) | undefined
  readonly createdAt: string | undefined
  readonly startedAt: string | undefined
  /** The stop under way. */
  readonly stop: {readonly signal: SignalName; readonly dueAt: string} | undefined
  /** Asked for, by a kill or a stop, and not known to have been sent. */
  readonly unsentSignal: SignalName | undefined
  /** As asked for at create, and changed by updates. */
  readonly limits: Limits
  /** The update under way. */
  readonly changing: Limits | undefined
  /** Since when it is frozen. */
  readonly pausedAt: string | undefined
  /** How many processes were killed for want of memory, and where; absent when none was. */
  readonly oom: EventData<'container.oom'> | undefined
  /** Its supervisors died too often: nobody looks after it. */
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
  consoleSize: undefined,
  stdinClosed: false,
  liveExecs: [],
  checkpoint: undefined,
  createdAt: undefined,
  startedAt: undefined,
  stop: undefined,
  unsentSignal: undefined,
  limits: {},
  changing: undefined,
  pausedAt: undefined,
  oom: undefined,
  unsupervised: false,
  exited: undefined,
  error: undefined,
}
